#include "codec.h"

#define UUID_BYTES 16
#define UUID_DIGITS 36 /* a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 */

static VALUE
uuid_decode_text(const struct pgconn_codec *codec, struct pgconn_input input)
{
    (void)codec;
    return rb_enc_str_new(input.data, input.length, rb_enc_from_index(input.encoding_index));
}

/* Where in the canonical form the two digits of each byte are, between the hyphens. */
static const unsigned char digit_positions[UUID_BYTES] = {0,  2,  4,  6,  9,  11, 14, 16,
                                                          19, 21, 24, 26, 28, 30, 32, 34};
static const unsigned char hyphen_positions[] = {8, 13, 18, 23};

static VALUE
uuid_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    static const char digits[] = "0123456789abcdef";
    char text[] = "........-....-....-....-............";
    VALUE string;

    if (input.length != UUID_BYTES) pgconn_codec_raise_malformed(codec, input);
    for (int i = 0; i < UUID_BYTES; i++) {
        unsigned char byte = (unsigned char)input.data[i];

        text[digit_positions[i]] = digits[byte >> 4];
        text[digit_positions[i] + 1] = digits[byte & 15];
    }
    string = rb_enc_str_new(text, UUID_DIGITS, rb_enc_from_index(input.encoding_index));
    ENC_CODERANGE_SET(string, ENC_CODERANGE_7BIT);
    return string;
}

/* 0 to 15, or -1. */
static int
digit_value(char digit)
{
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

static bool
uuid_parse(const char *text, char bytes[UUID_BYTES])
{
    for (size_t i = 0; i < sizeof(hyphen_positions); i++) {
        if (text[hyphen_positions[i]] != '-') return false;
    }
    for (int i = 0; i < UUID_BYTES; i++) {
        int high = digit_value(text[digit_positions[i]]);
        int low = digit_value(text[digit_positions[i] + 1]);

        if (high < 0 || low < 0) return false;
        bytes[i] = (char)(unsigned char)(high << 4 | low);
    }
    return true;
}

/* The server reads other forms, too (in braces, without hyphens): those go as text. */
static bool
uuid_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    char bytes[UUID_BYTES];

    (void)codec;
    if (!RB_TYPE_P(value, T_STRING) || RSTRING_LEN(value) != UUID_DIGITS) return false;
    if (!rb_enc_asciicompat(rb_enc_get(value))) return false;
    if (!uuid_parse(RSTRING_PTR(value), bytes)) return false;
    pgconn_buffer_append(output->bytes, bytes, UUID_BYTES);
    return true;
}

const struct pgconn_codec pgconn_codec_uuid[] = {
    {.oid = 2950,
     .name = "uuid",
     .decode_text = uuid_decode_text,
     .decode_binary = uuid_decode_binary,
     .encode_binary = uuid_encode},
    {.oid = 0},
};
