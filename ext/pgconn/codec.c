#include "codec.h"

#include "container.h"
#include "error.h"
#include "moment.h"

#define SIGHT_MAX 40

/* A power of two, several times as large as there are types with a codec. */
#define CODEC_SLOTS 512

/* Open addressing; filled once, when the extension loads, and only read from then on. */
static const struct pgconn_codec *codec_slots[CODEC_SLOTS];

/* The slot of a type, or the empty one where it would be. */
static const struct pgconn_codec **
codec_slot(Oid oid)
{
    size_t i = oid % CODEC_SLOTS;

    while (codec_slots[i] && codec_slots[i]->oid != oid) i = (i + 1) % CODEC_SLOTS;
    return &codec_slots[i];
}

const struct pgconn_codec *
pgconn_codec_find(Oid oid)
{
    const struct pgconn_codec *codec = *codec_slot(oid);

    return codec ? codec : &pgconn_codec_unknown;
}

void
pgconn_codec_add(const struct pgconn_codec *codec)
{
    *codec_slot(codec->oid) = codec;
}

void
pgconn_codec_each(void (*visit)(const struct pgconn_codec *codec, void *argument), void *argument)
{
    for (size_t i = 0; i < CODEC_SLOTS; i++) {
        if (codec_slots[i]) visit(codec_slots[i], argument);
    }
}

static void
codecs_add(const struct pgconn_codec *codecs)
{
    for (; codecs->oid; codecs++) pgconn_codec_add(codecs);
}

bool
pgconn_codec_reads_binary(const struct pgconn_codec *codec, int encoding_index)
{
    for (; codec; codec = codec->element) {
        if (!codec->decode_binary) return false;
        if (codec->reads_binary && !codec->reads_binary(codec, encoding_index)) return false;
    }
    return true;
}

VALUE
pgconn_codec_sight(struct pgconn_input input)
{
    int shown = input.length < SIGHT_MAX ? input.length : SIGHT_MAX;
    VALUE sight = rb_str_dump(rb_str_new(input.data, shown));

    if (shown < input.length) rb_str_catf(sight, "... (%d bytes)", input.length);
    return sight;
}

void
pgconn_codec_raise_malformed(const struct pgconn_codec *codec, struct pgconn_input input)
{
    pgconn_error_raise(rb_ePgconnDataError, "malformed %s: %" PRIsVALUE, codec->name,
                       pgconn_codec_sight(input));
}

static VALUE
unreadable_decode(const struct pgconn_codec *codec, struct pgconn_input input)
{
    (void)codec;
    pgconn_error_raise(rb_ePgconnDataError,
                       "can't read %" PRIsVALUE ": it came in binary, and its type is read as text",
                       pgconn_codec_sight(input));
}

const struct pgconn_codec pgconn_codec_unreadable = {
    .name = "unreadable",
    .decode_text = unreadable_decode,
    .decode_binary = unreadable_decode,
};

void
pgconn_codec_raise_range(const struct pgconn_codec *codec, const struct pgconn_output *output)
{
    pgconn_error_raise(rb_ePgconnDataError, "parameter $%d is out of the range of %s",
                       output->number, codec->name);
}

/* The function for a format, or NULL: the type has none for it. */
static pgconn_decode_function
decoder_of(const struct pgconn_codec *codec, VALUE format)
{
    if (format == Qundef || format == ID2SYM(rb_intern("text"))) return codec->decode_text;
    if (format == ID2SYM(rb_intern("binary"))) return codec->decode_binary;
    rb_raise(rb_eArgError, "format: must be :text or :binary, not %+" PRIsVALUE, format);
}

struct decoding {
    const struct pgconn_codec *codec;
    pgconn_decode_function decode;
    struct pgconn_input input;
    char *copy;
};

static VALUE
decoding_run(VALUE argument)
{
    struct decoding *decoding = (struct decoding *)argument;

    return decoding->decode(decoding->codec, decoding->input);
}

static VALUE
decoding_free(VALUE argument)
{
    xfree(((struct decoding *)argument)->copy);
    return Qnil;
}

static VALUE
bytes_decode(const struct pgconn_codec *codec, pgconn_decode_function decode, VALUE bytes)
{
    struct pgconn_input input = {NULL, (int)RSTRING_LEN(bytes), rb_enc_get_index(bytes)};
    char *copy = ALLOC_N(char, input.length);
    struct decoding decoding = {codec, decode, input, copy};

    memcpy(copy, RSTRING_PTR(bytes), (size_t)input.length);
    decoding.input.data = copy;
    return rb_ensure(decoding_run, (VALUE)&decoding, decoding_free, (VALUE)&decoding);
}

VALUE
pgconn_codec_decode(const struct pgconn_codec *codec, VALUE bytes, VALUE format)
{
    pgconn_decode_function decode = decoder_of(codec, format);

    StringValue(bytes);
    if (RSTRING_LEN(bytes) > INT_MAX) rb_raise(rb_eArgError, "more than %d bytes", INT_MAX);
    if (!decode || (decode == codec->decode_binary &&
                    !pgconn_codec_reads_binary(codec, rb_enc_get_index(bytes)))) {
        rb_raise(rb_eArgError, "%s isn't read in this format", codec->name);
    }
    return bytes_decode(codec, decode, bytes);
}

/*
 * Decodes a value as it comes from the server, without one: for Pgconn::Inet, specs and fuzzers.
 *
 * @overload decode(oid, bytes, format: :text)
 *   @param oid [Integer] the type's OID
 *   @param bytes [String] in the encoding that text values are to have
 *   @param format [Symbol] :text or :binary
 *   @return [Object] the value
 *   @raise [Pgconn::DataError] if the bytes aren't a value of the type
 *   @raise [ArgumentError] for a type that isn't read in the format
 * @api private
 */
static VALUE
codec_s_decode(int argc, VALUE *argv, VALUE self)
{
    ID format_keyword = rb_intern("format");
    VALUE oid, bytes, keywords, format;

    (void)self;
    rb_scan_args(argc, argv, "2:", &oid, &bytes, &keywords);
    rb_get_kwargs(keywords, &format_keyword, 0, 1, &format);
    return pgconn_codec_decode(pgconn_codec_find(NUM2UINT(oid)), bytes, format);
}

/* One value that is encoded for specs. */
struct encoding_run {
    const struct pgconn_codec *codec;
    VALUE value;
    struct pgconn_buffer bytes;
    struct pgconn_output output;
};

/* [format, bytes] where the function takes the value, else nil. */
static VALUE
encoding_try(struct encoding_run *run, pgconn_encode_function encode, const char *format)
{
    run->bytes.length = 0;
    if (!encode || !encode(run->codec, run->value, &run->output)) return Qnil;
    if (run->bytes.failed) rb_memerror();
    return rb_assoc_new(ID2SYM(rb_intern(format)),
                        rb_str_new(run->bytes.data, (long)run->bytes.length));
}

static VALUE
encoding_run_start(VALUE argument)
{
    struct encoding_run *run = (struct encoding_run *)argument;
    VALUE encoded = encoding_try(run, run->codec->encode_binary, "binary");

    return NIL_P(encoded) ? encoding_try(run, run->codec->encode_text, "text") : encoded;
}

static VALUE
encoding_run_end(VALUE argument)
{
    pgconn_buffer_free(&((struct encoding_run *)argument)->bytes);
    return Qnil;
}

/*
 * Encodes a value by what a type has for it, and as parameter $1, without a server: for specs.
 *
 * @overload encode(oid, value, encoding)
 *   @param oid [Integer] the type's OID
 *   @param value [Object]
 *   @param encoding [Encoding, String] the client encoding
 *   @return [Array(Symbol, String), nil] :binary or :text and the bytes; nil where the value is
 *     sent in the text form of its class
 *   @raise [Pgconn::DataError] if the type can't hold the value
 * @api private
 */
static VALUE
codec_s_encode(VALUE self, VALUE oid, VALUE value, VALUE encoding)
{
    struct encoding_run run = {.codec = pgconn_codec_find(NUM2UINT(oid)), .value = value};

    (void)self;
    run.output.bytes = &run.bytes;
    run.output.encoding_index = rb_to_encoding_index(encoding);
    run.output.type = run.codec->oid;
    run.output.number = 1;
    if (run.output.encoding_index < 0) rb_raise(rb_eArgError, "no such encoding");
    return rb_ensure(encoding_run_start, (VALUE)&run, encoding_run_end, (VALUE)&run);
}

static void
name_store(const struct pgconn_codec *codec, void *names)
{
    rb_hash_aset(*(VALUE *)names, UINT2NUM(codec->oid), rb_str_new_cstr(codec->name));
}

/*
 * The types that have a codec of their own: for specs and fuzzers.
 *
 * @overload types
 *   @return [Hash{Integer => String}] OID and name of each
 * @api private
 */
static VALUE
codec_s_types(VALUE self)
{
    VALUE names = rb_hash_new();

    (void)self;
    pgconn_codec_each(name_store, &names);
    return names;
}

/*
 * Document-module: Pgconn::Codec
 *
 * Values of the server's types as Ruby's.
 * @api private
 */
void
Init_pgconn_codec(void)
{
    VALUE rb_mPgconnCodec = rb_define_module_under(rb_mPgconn, "Codec");

    codecs_add(pgconn_codec_numbers);
    codecs_add(pgconn_codec_floats);
    codecs_add(pgconn_codec_numeric);
    codecs_add(pgconn_codec_texts);
    codecs_add(pgconn_codec_uuid);
    codecs_add(pgconn_codec_datetimes);
    codecs_add(pgconn_codec_times);
    codecs_add(pgconn_codec_json);
    codecs_add(pgconn_codec_network);
    pgconn_containers_add();
    pgconn_codec_numeric_init();
    pgconn_codec_texts_init();
    pgconn_moment_init();
    pgconn_codec_datetimes_init();
    pgconn_codec_times_init();
    pgconn_codec_json_init();
    pgconn_codec_network_init();
    pgconn_codec_ranges_init();
    rb_define_singleton_method(rb_mPgconnCodec, "decode", codec_s_decode, -1);
    rb_define_singleton_method(rb_mPgconnCodec, "encode", codec_s_encode, 3);
    rb_define_singleton_method(rb_mPgconnCodec, "types", codec_s_types, 0);
}
