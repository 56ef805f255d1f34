#include "element_text.h"
#include "encode.h"
#include "error.h"
#include "owned_codec.h"

/* The bytes of a key or a value behind their length; nil for NULL, which only values can be. */
static bool
string_take(struct pgconn_reader *reader, int encoding_index, bool may_be_null, VALUE *value)
{
    const struct pgconn_codec *text = pgconn_codec_find(PGCONN_TEXT_OID);
    struct pgconn_input input = {.encoding_index = encoding_index};

    *value = Qnil;
    if (!pgconn_input_take(&input, reader)) return false;
    if (!input.data) return may_be_null;
    *value = text->decode_binary(text, input);
    return true;
}

/* The number of pairs, then each. */
static bool
pairs_take(struct pgconn_reader *reader, int encoding_index, VALUE hash)
{
    int32_t count;
    VALUE key, value;

    if (!pgconn_reader_take_int32(reader, &count) || count < 0) return false;
    for (; count > 0; count--) {
        if (!string_take(reader, encoding_index, false, &key)) return false;
        if (!string_take(reader, encoding_index, true, &value)) return false;
        rb_hash_aset(hash, key, value);
    }
    return pgconn_reader_at_end(reader);
}

static VALUE
hstore_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    struct pgconn_reader reader = pgconn_input_reader(input);
    VALUE hash = rb_hash_new();

    if (!pairs_take(&reader, input.encoding_index, hash)) {
        pgconn_codec_raise_malformed(codec, input);
    }
    return hash;
}

/* A key or a value; only values can be NULL, which has no quotes. */
static bool
string_read(struct pgconn_element_text *text, int encoding_index, bool may_be_null, VALUE *value)
{
    const struct pgconn_codec *codec = pgconn_codec_find(PGCONN_TEXT_OID);
    struct pgconn_input input = {.encoding_index = encoding_index};
    bool quoted;

    *value = Qnil;
    if (!pgconn_element_text_take(text, &input, &quoted)) return false;
    if (!quoted) return may_be_null && pgconn_input_is(input, "NULL");
    *value = codec->decode_text(codec, input);
    return true;
}

static bool
pair_read(struct pgconn_element_text *text, int encoding_index, VALUE hash)
{
    struct pgconn_reader *reader = &text->reader;
    VALUE key, value;

    if (!string_read(text, encoding_index, false, &key)) return false;
    if (!pgconn_reader_take(reader, '=') || !pgconn_reader_take(reader, '>')) return false;
    if (!string_read(text, encoding_index, true, &value)) return false;
    rb_hash_aset(hash, key, value);
    return true;
}

/* "key"=>"value", "another"=>NULL */
static bool
pairs_read(struct pgconn_element_text *text, int encoding_index, VALUE hash)
{
    struct pgconn_reader *reader = &text->reader;

    if (pgconn_reader_at_end(reader)) return true;
    while (pair_read(text, encoding_index, hash)) {
        if (pgconn_reader_at_end(reader)) return true;
        if (!pgconn_reader_take(reader, ',') || !pgconn_reader_take(reader, ' ')) return false;
    }
    return false;
}

static VALUE
hstore_decode_text(const struct pgconn_codec *codec, struct pgconn_input input)
{
    struct pgconn_element_text text;
    VALUE buffer, hash = rb_hash_new();
    char *scratch = ALLOCV_N(char, buffer, (size_t)input.length + 1);

    pgconn_element_text_start(&text, input, scratch, ",", false);
    if (!pairs_read(&text, input.encoding_index, hash)) pgconn_codec_raise_malformed(codec, input);
    ALLOCV_END(buffer);
    return hash;
}

/*
 * In binary, the server puts the length that a string has in its own encoding ahead of what it has
 * converted to the client's (hstore_send; what it gets, it reads right). So the two must agree.
 */
static bool
hstore_reads_binary(const struct pgconn_codec *codec, int encoding_index)
{
    (void)codec;
    return encoding_index == rb_utf8_encindex();
}

/* One Hash on its way to the server. */
struct hash_run {
    const struct pgconn_codec *codec;
    VALUE hash;
    struct pgconn_output *output;
    size_t start;
    bool encoded;
};

NORETURN(static void key_raise(const struct hash_run *run, VALUE key, const char *what));

static void
key_raise(const struct hash_run *run, VALUE key, const char *what)
{
    pgconn_error_raise(rb_ePgconnDataError,
                       "can't encode parameter $%d as %s: the key %+" PRIsVALUE " %s",
                       run->output->number, run->codec->name, key, what);
}

/* Of a Symbol and a String of the same letters the server would drop one. */
static void
key_check(const struct hash_run *run, VALUE key)
{
    if (RB_TYPE_P(key, T_STRING)) return;
    if (!RB_SYMBOL_P(key)) key_raise(run, key, "is neither a String nor a Symbol");
    if (rb_hash_lookup2(run->hash, rb_sym2str(key), Qundef) != Qundef) {
        key_raise(run, key, "is there as a String, too");
    }
}

static int
pair_encode(VALUE key, VALUE value, VALUE argument)
{
    struct hash_run *run = (struct hash_run *)argument;
    const struct pgconn_codec *text = pgconn_codec_find(PGCONN_TEXT_OID);

    key_check(run, key);
    run->encoded = pgconn_encode_element(text, key, run->output) &&
                   pgconn_encode_element(text, value, run->output);
    return run->encoded ? ST_CONTINUE : ST_STOP;
}

/* Values other than Strings have their text form, which only the other form has. */
static bool
hstore_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    struct hash_run run = {codec, value, output, 0, true};

    if (!RB_TYPE_P(value, T_HASH)) return false;
    pgconn_buffer_append_int32(output->bytes, (int32_t)RHASH_SIZE(value));
    rb_hash_foreach(value, pair_encode, (VALUE)&run);
    return run.encoded;
}

static int
pair_encode_text(VALUE key, VALUE value, VALUE argument)
{
    struct hash_run *run = (struct hash_run *)argument;
    const struct pgconn_codec *text = pgconn_codec_find(PGCONN_TEXT_OID);
    struct pgconn_buffer *bytes = run->output->bytes;

    key_check(run, key);
    if (bytes->length > run->start) pgconn_buffer_append(bytes, ", ", 2);
    pgconn_encode_element_quoted(text, key, run->output);
    pgconn_buffer_append(bytes, "=>", 2);
    if (!pgconn_encode_element_quoted(text, value, run->output)) {
        pgconn_buffer_append(bytes, "NULL", 4);
    }
    return ST_CONTINUE;
}

static bool
hstore_encode_text(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    struct hash_run run = {codec, value, output, output->bytes->length, true};

    if (!RB_TYPE_P(value, T_HASH)) return false;
    rb_hash_foreach(value, pair_encode_text, (VALUE)&run);
    return true;
}

void
pgconn_codec_hstore_fill(struct pgconn_codec *codec, bool server_has_utf8)
{
    codec->decode_text = hstore_decode_text;
    codec->decode_binary = server_has_utf8 ? hstore_decode_binary : NULL;
    codec->reads_binary = hstore_reads_binary;
    codec->encode_binary = hstore_encode;
    codec->encode_text = hstore_encode_text;
}
