#include "codec.h"
#include "encode.h"

#include <ruby/ractor.h>

/* What numeric can hold: so many digits before the point, and behind it. */
#define NUMERIC_SCALE_MAX 16383

/* The binary form has four decimal digits in each of its own. */
#define BASE 10000
#define BASE_DIGITS 4

#define SIGN_POSITIVE 0x0000
#define SIGN_NEGATIVE 0x4000
#define SIGN_NAN 0xc000
#define SIGN_INFINITY 0xd000
#define SIGN_NEGATIVE_INFINITY 0xf000

/* Most numbers have no longer text. */
#define TEXT_ROOM 128

static ID id_interpret_loosely;
static VALUE rb_cBigDecimal;

/* The String by which BigDecimal gets its text; each Ractor has its own, for all its numbers. */
static rb_ractor_local_key_t text_key;

static VALUE
text_get(void)
{
    VALUE text = rb_ractor_local_storage_value(text_key);

    if (!NIL_P(text)) return text;
    text = rb_str_buf_new(TEXT_ROOM);
    rb_ractor_local_storage_value_set(text_key, text);
    return text;
}

/*
 * The text is known to be a plain decimal or the name of a special value, which needs none of the
 * checks that Kernel#BigDecimal makes.
 */
static VALUE
decimal_new(VALUE text)
{
    return rb_funcallv(rb_cBigDecimal, id_interpret_loosely, 1, &text);
}

static VALUE
decimal_from(const char *text, size_t length)
{
    VALUE string;

    if (length > TEXT_ROOM) return decimal_new(rb_str_new(text, (long)length));
    string = text_get();
    memcpy(RSTRING_PTR(string), text, length);
    rb_str_set_len(string, (long)length);
    return decimal_new(string);
}

static VALUE
numeric_decode(const struct pgconn_codec *codec, struct pgconn_input input)
{
    struct pgconn_reader reader = {input.data, input.data + input.length};
    bool plain = pgconn_reader_take_decimal(&reader) && pgconn_reader_at_end(&reader);

    if (!plain && !pgconn_input_is(input, "NaN") && !pgconn_input_is(input, "Infinity") &&
        !pgconn_input_is(input, "-Infinity")) {
        pgconn_codec_raise_malformed(codec, input);
    }
    return decimal_from(input.data, (size_t)input.length);
}

/* The head of the binary form, and where its digits are. */
struct numeric {
    int count;  /* of digits to the base of 10000 */
    int weight; /* of the first of them */
    int sign;
    const char *digits;
};

static int
digit_at(const struct numeric *numeric, int index)
{
    return (uint16_t)pgconn_int16_at(numeric->digits + 2 * index);
}

static bool
numeric_read(struct pgconn_input input, struct numeric *numeric)
{
    if (input.length < 8) return false;
    numeric->count = (uint16_t)pgconn_int16_at(input.data);
    numeric->weight = pgconn_int16_at(input.data + 2);
    numeric->sign = (uint16_t)pgconn_int16_at(input.data + 4);
    numeric->digits = input.data + 8;
    if (input.length != 8 + 2 * numeric->count) return false;
    for (int i = 0; i < numeric->count; i++) {
        if (digit_at(numeric, i) >= BASE) return false;
    }
    return true;
}

static char *
digit_write(char *at, int digit)
{
    for (int i = BASE_DIGITS - 1; i >= 0; i--, digit /= 10) at[i] = (char)('0' + digit % 10);
    return at + BASE_DIGITS;
}

/* From the digit of the weight from to that of the weight to; those that aren't stored are zero. */
static char *
digits_write(char *at, const struct numeric *numeric, int from, int to)
{
    for (int weight = from; weight >= to; weight--) {
        int index = numeric->weight - weight;

        at = digit_write(at, index >= 0 && index < numeric->count ? digit_at(numeric, index) : 0);
    }
    return at;
}

/* How many bytes numeric_write needs at most. */
static size_t
numeric_room(const struct numeric *numeric)
{
    int before = numeric->weight >= 0 ? numeric->weight + 1 : 1;
    int behind = numeric->count - numeric->weight - 1;

    return (size_t)(before + (behind > 0 ? behind : 0)) * BASE_DIGITS + 2;
}

static size_t
numeric_write(char *text, const struct numeric *numeric)
{
    int last = numeric->weight - numeric->count + 1;
    char *at = text;

    if (numeric->sign == SIGN_NEGATIVE) *at++ = '-';
    at = digits_write(at, numeric, numeric->weight > 0 ? numeric->weight : 0, 0);
    if (last < 0) {
        *at++ = '.';
        at = digits_write(at, numeric, -1, last);
    }
    return (size_t)(at - text);
}

static VALUE
numeric_decode_finite(const struct numeric *numeric)
{
    size_t room = numeric_room(numeric);
    VALUE text = room <= TEXT_ROOM ? text_get() : rb_str_buf_new((long)room);

    rb_str_set_len(text, (long)numeric_write(RSTRING_PTR(text), numeric));
    return decimal_new(text);
}

static VALUE
numeric_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    struct numeric numeric;

    if (!numeric_read(input, &numeric)) pgconn_codec_raise_malformed(codec, input);
    switch (numeric.sign) {
    case SIGN_POSITIVE:
    case SIGN_NEGATIVE:
        return numeric_decode_finite(&numeric);
    case SIGN_NAN:
        return decimal_from("NaN", 3);
    case SIGN_INFINITY:
        return decimal_from("Infinity", 8);
    case SIGN_NEGATIVE_INFINITY:
        return decimal_from("-Infinity", 9);
    default:
        pgconn_codec_raise_malformed(codec, input);
    }
}

/* A decimal text taken apart: -12.5e3 has the digits 125, one of them behind the point, and 3. */
struct decimal {
    bool negative;
    const char *whole, *fraction; /* the digits before and behind the point */
    int whole_count, fraction_count;
    int exponent;
};

static bool
decimal_parse(const char *text, size_t length, struct decimal *decimal)
{
    struct pgconn_reader reader = {text, text + length};

    decimal->negative = pgconn_reader_take(&reader, '-');
    decimal->whole = reader.at;
    decimal->whole_count = (int)pgconn_reader_take_run(&reader);
    if (decimal->whole_count == 0) return false;
    decimal->fraction = reader.at;
    if (pgconn_reader_take(&reader, '.')) decimal->fraction = reader.at;
    decimal->fraction_count = (int)pgconn_reader_take_run(&reader);
    if (pgconn_reader_take(&reader, 'e')) {
        bool negative = pgconn_reader_take(&reader, '-');
        int64_t exponent;

        if (!negative) pgconn_reader_take(&reader, '+');
        if (!pgconn_reader_take_digits(&reader, 1, 4, &exponent)) return false;
        decimal->exponent = (int)(negative ? -exponent : exponent);
    }
    return pgconn_reader_at_end(&reader);
}

/*
 * The digit that stands so many places before the point (behind it: negative), with the exponent.
 */
static int
decimal_digit(const struct decimal *decimal, int place)
{
    int index = decimal->whole_count - 1 - (place - decimal->exponent);

    if (index < 0 || index >= decimal->whole_count + decimal->fraction_count) return 0;
    if (index < decimal->whole_count) return decimal->whole[index] - '0';
    return decimal->fraction[index - decimal->whole_count] - '0';
}

static int
base_digit(const struct decimal *decimal, int weight)
{
    int digit = 0;

    for (int i = BASE_DIGITS - 1; i >= 0; i--) {
        digit = digit * 10 + decimal_digit(decimal, weight * BASE_DIGITS + i);
    }
    return digit;
}

/* Rounded down, also below zero. */
static int
weight_of_place(int place)
{
    return (place < 0 ? place - (BASE_DIGITS - 1) : place) / BASE_DIGITS;
}

static void
head_append(struct pgconn_buffer *bytes, int count, int weight, int sign, int scale)
{
    pgconn_buffer_append_int16(bytes, (int16_t)count);
    pgconn_buffer_append_int16(bytes, (int16_t)weight);
    pgconn_buffer_append_int16(bytes, (int16_t)sign);
    pgconn_buffer_append_int16(bytes, (int16_t)scale);
}

/* What the server's numeric_in makes of the same text; false for a scale that it would cut off. */
static bool
decimal_append(struct pgconn_buffer *bytes, const struct decimal *decimal)
{
    int first = weight_of_place(decimal->whole_count - 1 + decimal->exponent);
    int last = weight_of_place(decimal->exponent - decimal->fraction_count);
    int scale = decimal->fraction_count - decimal->exponent;

    if (scale > NUMERIC_SCALE_MAX) return false;
    while (first >= last && base_digit(decimal, first) == 0) first--;
    while (last < first && base_digit(decimal, last) == 0) last++;
    if (first < last) {
        head_append(bytes, 0, 0, SIGN_POSITIVE, scale > 0 ? scale : 0);
        return true;
    }
    head_append(bytes, first - last + 1, first, decimal->negative ? SIGN_NEGATIVE : SIGN_POSITIVE,
                scale > 0 ? scale : 0);
    for (int weight = first; weight >= last; weight--) {
        pgconn_buffer_append_int16(bytes, (int16_t)base_digit(decimal, weight));
    }
    return true;
}

static bool
special_append(struct pgconn_buffer *bytes, const char *text, size_t length)
{
    struct pgconn_input input = {.data = text, .length = (int)length};
    int sign;

    if (pgconn_input_is(input, "NaN")) sign = SIGN_NAN;
    else if (pgconn_input_is(input, "Infinity")) sign = SIGN_INFINITY;
    else if (pgconn_input_is(input, "-Infinity")) sign = SIGN_NEGATIVE_INFINITY;
    else return false;
    head_append(bytes, 0, 0, sign, 0);
    return true;
}

/* Puts the binary form in the place of the text that begins at start and is the last there is. */
static bool
text_convert(struct pgconn_buffer *bytes, size_t start)
{
    size_t length = bytes->length - start;
    struct decimal decimal = {.exponent = 0};
    char *text = bytes->data + start;
    VALUE buffer;
    char *copy;
    bool converted;

    if (bytes->failed) return true; /* the caller will see it */
    copy = ALLOCV_N(char, buffer, length);
    memcpy(copy, text, length);
    bytes->length = start;
    if (decimal_parse(copy, length, &decimal)) converted = decimal_append(bytes, &decimal);
    else converted = special_append(bytes, copy, length);
    ALLOCV_END(buffer);
    return converted;
}

static bool
value_is_number(VALUE value)
{
    return RB_INTEGER_TYPE_P(value) || RB_FLOAT_TYPE_P(value) || RB_TYPE_P(value, T_RATIONAL) ||
           RTEST(rb_obj_is_kind_of(value, rb_cBigDecimal));
}

/* By way of the text, so that both forms are the same number with the same scale. */
static bool
numeric_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    size_t start = output->bytes->length;

    (void)codec;
    if (!value_is_number(value)) return false;
    pgconn_text_form_like(value)->write(value, output);
    return text_convert(output->bytes, start);
}

const struct pgconn_codec pgconn_codec_numeric[] = {
    {.oid = 1700,
     .name = "numeric",
     .decode_text = numeric_decode,
     .decode_binary = numeric_decode_binary,
     .encode_binary = numeric_encode},
    {.oid = 0},
};

void
pgconn_codec_numeric_init(void)
{
    rb_require("bigdecimal");
    text_key = rb_ractor_local_storage_value_newkey();
    id_interpret_loosely = rb_intern("interpret_loosely");
    rb_cBigDecimal = rb_const_get(rb_cObject, rb_intern("BigDecimal"));
    rb_gc_register_mark_object(rb_cBigDecimal);
}
