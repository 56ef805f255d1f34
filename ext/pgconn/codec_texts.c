#include "text_form.h"

/* Whether the bytes are valid in the encoding is found out by who asks: scanning all isn't free. */
static VALUE
text_decode(const struct pgconn_codec *codec, struct pgconn_input input)
{
    VALUE string = rb_str_new(input.data, input.length);

    (void)codec;
    if (input.encoding_index < ENCODING_INLINE_MAX) {
        RB_ENCODING_SET_INLINED(string, input.encoding_index);
    }
    else {
        rb_enc_associate_index(string, input.encoding_index);
    }
    return string;
}

/* Text is the same bytes in both formats. Other values have a text form of their own. */
static bool
text_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    (void)codec;
    if (RB_SYMBOL_P(value)) value = rb_sym2str(value);
    if (!RB_TYPE_P(value, T_STRING)) return false;
    pgconn_text_form_write_string(value, output);
    return true;
}

/* A nibble by its digit, plus one: the rest is zero, and no digit. */
static const unsigned char hex_digits[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

static bool
hex_unescape(const char *hex, char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned char high = hex_digits[(unsigned char)hex[2 * i]];
        unsigned char low = hex_digits[(unsigned char)hex[2 * i + 1]];

        if (!high || !low) return false;
        bytes[i] = (char)((high - 1) << 4 | (low - 1));
    }
    return true;
}

static VALUE
bytea_decode_hex(const struct pgconn_codec *codec, struct pgconn_input input)
{
    long count = (input.length - 2) / 2;
    VALUE string = rb_str_new(NULL, count);

    if (input.length % 2 != 0 ||
        !hex_unescape(input.data + 2, RSTRING_PTR(string), (size_t)count)) {
        pgconn_codec_raise_malformed(codec, input);
    }
    return string;
}

static bool
is_octal(char byte)
{
    return byte >= '0' && byte <= '7';
}

/* Reads the three digits of \ooo, up to 377. */
static bool
octal_take(struct pgconn_reader *reader, char *byte)
{
    const char *at = reader->at;

    if (reader->end - at < 3 || at[0] > '3') return false;
    if (!is_octal(at[0]) || !is_octal(at[1]) || !is_octal(at[2])) return false;
    *byte = (char)((at[0] - '0') << 6 | (at[1] - '0') << 3 | (at[2] - '0'));
    reader->at += 3;
    return true;
}

/* The escape format has printable ASCII, \\ for a backslash and \ooo for the rest. */
static bool
escaped_take(struct pgconn_reader *reader, char *byte)
{
    *byte = *reader->at++;
    if (*byte != '\\') return *byte >= ' ' && *byte <= '~';
    return pgconn_reader_take(reader, '\\') || octal_take(reader, byte);
}

static VALUE
bytea_decode_escape(const struct pgconn_codec *codec, struct pgconn_input input)
{
    struct pgconn_reader reader = {input.data, input.data + input.length};
    VALUE string = rb_str_new(NULL, input.length);
    char *at = RSTRING_PTR(string);

    while (!pgconn_reader_at_end(&reader)) {
        if (!escaped_take(&reader, at++)) pgconn_codec_raise_malformed(codec, input);
    }
    return rb_str_resize(string, at - RSTRING_PTR(string));
}

/* The server's setting bytea_output chooses the format; in the escape format no \x can occur. */
static VALUE
bytea_decode(const struct pgconn_codec *codec, struct pgconn_input input)
{
    if (input.length >= 2 && input.data[0] == '\\' && input.data[1] == 'x') {
        return bytea_decode_hex(codec, input);
    }
    return bytea_decode_escape(codec, input);
}

static VALUE
bytea_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    (void)codec;
    return rb_str_new(input.data, input.length);
}

/* Raw bytes are told by their encoding; any other String is what the server reads as text. */
static bool
value_is_bytes(VALUE value)
{
    return RB_TYPE_P(value, T_STRING) && rb_enc_get_index(value) == rb_ascii8bit_encindex();
}

static bool
bytea_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    (void)codec;
    if (!value_is_bytes(value)) return false;
    pgconn_buffer_append(output->bytes, RSTRING_PTR(value), (size_t)RSTRING_LEN(value));
    return true;
}

/* Within an array that has to go as text. */
static bool
bytea_encode_text(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    static const char digits[] = "0123456789abcdef";
    long i;

    (void)codec;
    if (!value_is_bytes(value)) return false;
    pgconn_buffer_append(output->bytes, "\\x", 2);
    for (i = 0; i < RSTRING_LEN(value); i++) {
        unsigned char byte = (unsigned char)RSTRING_PTR(value)[i];

        pgconn_buffer_append_byte(output->bytes, digits[byte >> 4]);
        pgconn_buffer_append_byte(output->bytes, digits[byte & 15]);
    }
    return true;
}

/* The Strings of the ASCII characters, in UTF-8, which all columns of the type "char" share. */
static VALUE char_strings[128];

static VALUE
char_new(const struct pgconn_codec *codec, struct pgconn_input input)
{
    if (input.length == 1 && (unsigned char)*input.data < 128 &&
        input.encoding_index == rb_utf8_encindex()) {
        return char_strings[(unsigned char)*input.data];
    }
    return rb_obj_freeze(text_decode(codec, input));
}

/* PostgreSQL 16 and later write a byte that isn't ASCII as \ooo, earlier ones as itself. */
static VALUE
char_decode(const struct pgconn_codec *codec, struct pgconn_input input)
{
    struct pgconn_reader reader = {input.data, input.data + input.length};
    char byte;

    if (input.length == 4 && pgconn_reader_take(&reader, '\\') && octal_take(&reader, &byte)) {
        input.data = &byte;
        input.length = 1;
    }
    return char_new(codec, input);
}

/* The zero byte has an empty text. */
static VALUE
char_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    if (input.length != 1) pgconn_codec_raise_malformed(codec, input);
    if (*input.data == '\0') input.length = 0;
    return char_new(codec, input);
}

#define TEXT_CODEC(type_oid, type_name)                                 \
    {                                                                   \
        .oid = type_oid, .name = type_name, .decode_text = text_decode, \
        .decode_binary = text_decode, .encode_binary = text_encode      \
    }

const struct pgconn_codec pgconn_codec_texts[] = {
    {.oid = 17,
     .name = "bytea",
     .decode_text = bytea_decode,
     .decode_binary = bytea_decode_binary,
     .encode_binary = bytea_encode,
     .encode_text = bytea_encode_text},
    {.oid = 18,
     .name = "\"char\"",
     .decode_text = char_decode,
     .decode_binary = char_decode_binary},
    TEXT_CODEC(19, "name"),
    TEXT_CODEC(25, "text"),
    TEXT_CODEC(1042, "bpchar"),
    TEXT_CODEC(1043, "varchar"),
    {.oid = 0},
};

const struct pgconn_codec pgconn_codec_unknown = {
    .name = "unknown",
    .decode_text = text_decode,
};

void
pgconn_codec_texts_init(void)
{
    for (int i = 0; i < 128; i++) {
        char byte = (char)i;
        VALUE string = rb_utf8_str_new(&byte, 1);

        char_strings[i] = rb_obj_freeze(string);
        rb_gc_register_mark_object(string);
    }
}
