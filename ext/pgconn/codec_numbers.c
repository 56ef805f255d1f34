#include "codec.h"

/* As many decimal digits as fit into 64 bits, whatever they are. */
#define INTEGER_DIGITS_MAX 19

static VALUE
bool_decode(const struct pgconn_codec *codec, struct pgconn_input input)
{
    if (input.length == 1 && *input.data == 't') return Qtrue;
    if (input.length == 1 && *input.data == 'f') return Qfalse;
    pgconn_codec_raise_malformed(codec, input);
}

static VALUE
bool_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    if (input.length == 1 && *input.data == 1) return Qtrue;
    if (input.length == 1 && *input.data == 0) return Qfalse;
    pgconn_codec_raise_malformed(codec, input);
}

static bool
bool_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    (void)codec;
    if (value != Qtrue && value != Qfalse) return false;
    pgconn_buffer_append_byte(output->bytes, value == Qtrue);
    return true;
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

static void
length_check(const struct pgconn_codec *codec, struct pgconn_input input, int length)
{
    if (input.length != length) pgconn_codec_raise_malformed(codec, input);
}

static VALUE
int2_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    length_check(codec, input, 2);
    return INT2FIX(pgconn_int16_at(input.data));
}

static VALUE
int4_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    length_check(codec, input, 4);
    return INT2NUM(pgconn_int32_at(input.data));
}

static VALUE
int8_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    length_check(codec, input, 8);
    return LL2NUM(pgconn_int64_at(input.data));
}

static VALUE
oid_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    length_check(codec, input, 4);
    return UINT2NUM((uint32_t)pgconn_int32_at(input.data));
}

/* Whether the Integer fits into 64 bits: then it goes to *number. */
static bool
integer_fits(VALUE value, int64_t *number)
{
    int sign;

    if (FIXNUM_P(value)) {
        *number = FIX2LONG(value);
        return true;
    }
    sign = rb_integer_pack(value, number, 1, sizeof(*number), 0,
                           INTEGER_PACK_NATIVE_BYTE_ORDER | INTEGER_PACK_2COMP);
    /* One that doesn't fit has another sign once it is cut off, or the sign 2 or -2. */
    return sign == (*number > 0) - (*number < 0);
}

/* Of an Integer from -maximum - 1 to maximum; others are out of the type's range. */
static int64_t
integer_get(const struct pgconn_codec *codec, VALUE value, int64_t maximum,
            const struct pgconn_output *output)
{
    int64_t number = 0;

    if (!integer_fits(value, &number) || number > maximum || number < -maximum - 1) {
        pgconn_codec_raise_range(codec, output);
    }
    return number;
}

static bool
int2_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    if (!RB_INTEGER_TYPE_P(value)) return false;
    pgconn_buffer_append_int16(output->bytes,
                               (int16_t)integer_get(codec, value, INT16_MAX, output));
    return true;
}

static bool
int4_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    if (!RB_INTEGER_TYPE_P(value)) return false;
    pgconn_buffer_append_int32(output->bytes,
                               (int32_t)integer_get(codec, value, INT32_MAX, output));
    return true;
}

static bool
int8_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    if (!RB_INTEGER_TYPE_P(value)) return false;
    pgconn_buffer_append_int64(output->bytes, integer_get(codec, value, INT64_MAX, output));
    return true;
}

/* The server reads a negative number as text, as the OID so many below 2^32. */
static bool
oid_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    int64_t number;

    if (!RB_INTEGER_TYPE_P(value)) return false;
    number = integer_get(codec, value, UINT32_MAX, output);
    if (number < 0) return false;
    pgconn_buffer_append_int32(output->bytes, (int32_t)(uint32_t)number);
    return true;
}

const struct pgconn_codec pgconn_codec_numbers[] = {
    {.oid = 16,
     .name = "bool",
     .decode_text = bool_decode,
     .decode_binary = bool_decode_binary,
     .encode_binary = bool_encode},
    {.oid = 20,
     .name = "int8",
     .decode_text = int8_decode,
     .decode_binary = int8_decode_binary,
     .encode_binary = int8_encode},
    {.oid = 21,
     .name = "int2",
     .decode_text = int2_decode,
     .decode_binary = int2_decode_binary,
     .encode_binary = int2_encode},
    {.oid = 23,
     .name = "int4",
     .decode_text = int4_decode,
     .decode_binary = int4_decode_binary,
     .encode_binary = int4_encode},
    {.oid = 26,
     .name = "oid",
     .decode_text = oid_decode,
     .decode_binary = oid_decode_binary,
     .encode_binary = oid_encode},
    {.oid = 0},
};
