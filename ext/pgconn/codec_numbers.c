#include "codec.h"

#include <errno.h>
#include <math.h>
#include <ruby/util.h>

/* The server prints a float8 in 24 bytes at most. */
#define FLOAT_TEXT_MAX 64

/* As many decimal digits as fit into 64 bits, whatever they are. */
#define INTEGER_DIGITS_MAX 19

static ID id_big_decimal;

static VALUE
bool_decode(const struct pgconn_codec *codec, struct pgconn_input input)
{
    if (input.length == 1 && *input.data == 't') return Qtrue;
    if (input.length == 1 && *input.data == 'f') return Qfalse;
    pgconn_codec_raise_malformed(codec, input);
}

/* Reads one number of at most maximum (or -maximum - 1), and nothing behind it. */
static bool
integer_parse(struct pgconn_input input, uint64_t maximum, int64_t *number)
{
    const char *at = input.data, *end = at + input.length;
    bool negative = at < end && *at == '-';
    uint64_t magnitude = 0;

    if (negative) at++;
    if (at == end || end - at > INTEGER_DIGITS_MAX) return false;
    for (; at < end; at++) {
        if (*at < '0' || *at > '9') return false;
        magnitude = magnitude * 10 + (uint64_t)(*at - '0');
    }
    if (magnitude > maximum + negative) return false;
    *number = (int64_t)(negative ? 0 - magnitude : magnitude);
    return true;
}

static VALUE
integer_decode(const struct pgconn_codec *codec, struct pgconn_input input, uint64_t maximum)
{
    int64_t number;

    if (!integer_parse(input, maximum, &number)) pgconn_codec_raise_malformed(codec, input);
    return LL2NUM(number);
}

static VALUE
int2_decode(const struct pgconn_codec *codec, struct pgconn_input input)
{
    return integer_decode(codec, input, INT16_MAX);
}

static VALUE
int4_decode(const struct pgconn_codec *codec, struct pgconn_input input)
{
    return integer_decode(codec, input, INT32_MAX);
}

static VALUE
int8_decode(const struct pgconn_codec *codec, struct pgconn_input input)
{
    return integer_decode(codec, input, INT64_MAX);
}

static VALUE
oid_decode(const struct pgconn_codec *codec, struct pgconn_input input)
{
    int64_t number;

    if (!integer_parse(input, UINT32_MAX, &number) || number < 0) {
        pgconn_codec_raise_malformed(codec, input);
    }
    return LL2NUM(number);
}

static bool
input_is(struct pgconn_input input, const char *text)
{
    return (size_t)input.length == strlen(text) && memcmp(input.data, text, strlen(text)) == 0;
}

static bool
digits_skip(struct pgconn_reader *reader)
{
    const char *start = reader->at;

    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9') reader->at++;
    return reader->at > start;
}

/* Digits, a point perhaps and digits behind it; numeric has them before the point, always. */
static bool
decimal_skip(struct pgconn_reader *reader)
{
    pgconn_reader_take(reader, '-');
    if (!digits_skip(reader)) return false;
    return !pgconn_reader_take(reader, '.') || digits_skip(reader);
}

static bool
exponent_skip(struct pgconn_reader *reader)
{
    if (!pgconn_reader_take(reader, 'e')) return true;
    if (!pgconn_reader_take(reader, '-')) pgconn_reader_take(reader, '+');
    return digits_skip(reader);
}

/* Ruby's strtod heeds no locale; it needs a NUL byte behind the number. */
static bool
float_parse(struct pgconn_input input, double *number)
{
    struct pgconn_reader reader = {input.data, input.data + input.length};
    char text[FLOAT_TEXT_MAX + 1];

    if (input.length > FLOAT_TEXT_MAX) return false;
    if (!decimal_skip(&reader) || !exponent_skip(&reader)) return false;
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
    if (input_is(input, "NaN")) return DBL2NUM(NAN);
    if (input_is(input, "Infinity")) return DBL2NUM(INFINITY);
    if (input_is(input, "-Infinity")) return DBL2NUM(-INFINITY);
    pgconn_codec_raise_malformed(codec, input);
}

static bool
numeric_is_special(struct pgconn_input input)
{
    return input_is(input, "NaN") || input_is(input, "Infinity") || input_is(input, "-Infinity");
}

/* Kernel#BigDecimal takes more than PostgreSQL writes (blanks, underscores), so look first. */
static VALUE
numeric_decode(const struct pgconn_codec *codec, struct pgconn_input input)
{
    struct pgconn_reader reader = {input.data, input.data + input.length};
    bool plain = decimal_skip(&reader) && pgconn_reader_at_end(&reader);
    VALUE text;

    if (!plain && !numeric_is_special(input)) pgconn_codec_raise_malformed(codec, input);
    text = rb_str_new(input.data, input.length);
    return rb_funcallv(rb_mKernel, id_big_decimal, 1, &text);
}

const struct pgconn_codec pgconn_codec_numbers[] = {
    {.oid = 16,                   .name = "bool", .decode_text = bool_decode},
    {.oid = 20, .name = "int8", .decode_text = int8_decode},
    {.oid = 21,                   .name = "int2", .decode_text = int2_decode},
    {.oid = 23, .name = "int4", .decode_text = int4_decode},
    {.oid = 26,                   .name = "oid", .decode_text = oid_decode},
    {.oid = 700, .name = "float4", .decode_text = float_decode},
    {.oid = 701,                   .name = "float8", .decode_text = float_decode},
    {.oid = 1700, .name = "numeric", .decode_text = numeric_decode},
    {.oid = 0                  },
};

void
pgconn_codec_numbers_init(void)
{
    rb_require("bigdecimal");
    id_big_decimal = rb_intern("BigDecimal");
}
