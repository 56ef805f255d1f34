#include "codec.h"

#include <errno.h>
#include <math.h>
#include <ruby/util.h>

/* The server prints a float8 in 24 bytes at most. */
#define FLOAT_TEXT_MAX 64

/* A float4 has nine digits at most that matter. */
#define FLOAT4_DIGITS 9

/* From here on not each whole number is a float4, so that the shortest ends in idle zeros. */
#define FLOAT4_WHOLE_MAX 16777216

static bool
exponent_skip(struct pgconn_reader *reader)
{
    if (!pgconn_reader_take(reader, 'e')) return true;
    if (!pgconn_reader_take(reader, '-')) pgconn_reader_take(reader, '+');
    return pgconn_reader_take_run(reader) > 0;
}

/* Ruby's strtod heeds no locale; it needs a NUL byte behind the number. */
static bool
float_parse(struct pgconn_input input, double *number)
{
    struct pgconn_reader reader = {input.data, input.data + input.length};
    char text[FLOAT_TEXT_MAX + 1];

    if (input.length > FLOAT_TEXT_MAX) return false;
    if (!pgconn_reader_take_decimal(&reader) || !exponent_skip(&reader)) return false;
    if (!pgconn_reader_at_end(&reader)) return false;
    memcpy(text, input.data, (size_t)input.length);
    text[input.length] = '\0';
    errno = 0;
    *number = ruby_strtod(text, NULL);
    return errno == 0;
}

static VALUE
float_decode(const struct pgconn_codec *codec, struct pgconn_input input)
{
    double number;

    if (float_parse(input, &number)) return DBL2NUM(number);
    if (pgconn_input_is(input, "NaN")) return DBL2NUM(NAN);
    if (pgconn_input_is(input, "Infinity")) return DBL2NUM(INFINITY);
    if (pgconn_input_is(input, "-Infinity")) return DBL2NUM(-INFINITY);
    pgconn_codec_raise_malformed(codec, input);
}

static VALUE
float8_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    int64_t bits;
    double number;

    if (input.length != 8) pgconn_codec_raise_malformed(codec, input);
    bits = pgconn_int64_at(input.data);
    memcpy(&number, &bits, sizeof(number));
    return DBL2NUM(number);
}

/* The doubles that round to one float4 lie between these two, which are half way to the next. */
struct float4_interval {
    double low, high;
};

/* Behind the largest number, where there is none, as far as before it. */
static struct float4_interval
float4_interval(float single)
{
    float below = nextafterf(single, -INFINITY), above = nextafterf(single, INFINITY);
    struct float4_interval interval = {
        .low = (double)single - ((double)single - below) / 2,
        .high = (double)single + ((double)above - single) / 2,
    };

    if (isinf(above)) interval.high = (double)single + ((double)single - below) / 2;
    if (isinf(below)) interval.low = (double)single - ((double)above - single) / 2;
    return interval;
}

static bool
interval_holds(const struct float4_interval *interval, double number)
{
    return interval->low < number && number < interval->high;
}

/*
 * Numbers of few decimal places: the first scale at which a whole number is in the interval. Both
 * are exact doubles, so that the quotient is what strtod would make of the decimal. False for those
 * of other magnitudes.
 */
static bool
float4_shorten_scaled(float single, const struct float4_interval *interval, double *number)
{
    double scale = 1;

    if (fabsf(single) > FLOAT4_WHOLE_MAX) return false;
    for (int places = 0; places <= FLOAT4_DIGITS; places++, scale *= 10) {
        double whole = floor((double)single * scale), nearest = rint((double)single * scale);
        double other = nearest > whole ? whole : whole + 1;

        if (fabs(whole) >= 1e9) return false;
        if (interval_holds(interval, *number = nearest / scale)) return true;
        if (interval_holds(interval, *number = other / scale)) return true;
    }
    return false;
}

/* By printing it with more and more digits; the next number of as many may do, too. */
static double
float4_shorten_printed(float single, const struct float4_interval *interval)
{
    char text[FLOAT_TEXT_MAX];
    double number = single;

    for (int digits = 1; digits <= FLOAT4_DIGITS; digits++) {
        long mantissa;
        int exponent;

        snprintf(text, sizeof(text), "%.*e", digits - 1, (double)single);
        exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10) - (digits - 1);
        mantissa = lrint((double)single / pow(10, exponent));
        for (int step = 0; step < 3; step++) {
            static const int steps[] = {0, 1, -1};

            snprintf(text, sizeof(text), "%lde%d", mantissa + steps[step], exponent);
            number = ruby_strtod(text, NULL);
            if (interval_holds(interval, number)) return number;
        }
    }
    return number;
}

/* The shortest decimal that reads as the same float4, as the server prints it. */
static double
float4_shorten(float single)
{
    struct float4_interval interval;
    double number;

    if (isnan(single) || isinf(single) || single == 0) return single;
    interval = float4_interval(single);
    if (float4_shorten_scaled(single, &interval, &number)) return number;
    return float4_shorten_printed(single, &interval);
}

static VALUE
float4_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    int32_t bits;
    float number;

    if (input.length != 4) pgconn_codec_raise_malformed(codec, input);
    bits = pgconn_int32_at(input.data);
    memcpy(&number, &bits, sizeof(number));
    return DBL2NUM(float4_shorten(number));
}

static bool
float8_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    double number;
    int64_t bits;

    (void)codec;
    if (RB_FLOAT_TYPE_P(value)) number = RFLOAT_VALUE(value);
    else if (FIXNUM_P(value)) number = (double)FIX2LONG(value);
    else return false;
    memcpy(&bits, &number, sizeof(bits));
    pgconn_buffer_append_int64(output->bytes, bits);
    return true;
}

/*
 * The server makes a float4 of the Float's decimal text, which for numbers next to the middle
 * between two of them may be another one than that of the Float itself; and it refuses what is too
 * large or too small. Those go as text.
 */
static bool
float4_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    struct float4_interval interval;
    double number, margin;
    float single;
    int32_t bits;

    (void)codec;
    if (!RB_FLOAT_TYPE_P(value)) return false;
    number = RFLOAT_VALUE(value);
    single = (float)number;
    if (!isnormal(single) && single != number && !isnan(number)) return false;
    interval = float4_interval(single);
    margin = fabs(number) * 1e-15;
    if (!isinf(number) && (number - margin <= interval.low || number + margin >= interval.high)) {
        return false;
    }
    memcpy(&bits, &single, sizeof(bits));
    pgconn_buffer_append_int32(output->bytes, bits);
    return true;
}

const struct pgconn_codec pgconn_codec_floats[] = {
    {.oid = 700,
     .name = "float4",
     .decode_text = float_decode,
     .decode_binary = float4_decode_binary,
     .encode_binary = float4_encode},
    {.oid = 701,
     .name = "float8",
     .decode_text = float_decode,
     .decode_binary = float8_decode_binary,
     .encode_binary = float8_encode},
    {.oid = 0},
};
