/*
 * Every decoder, and the way back: an input is a type's OID (16 bits, the lowest first), a byte of
 * options and the bytes of a value. What the decoder gives must be a value or DataError, and what
 * its encoder makes of the value must be decoded to the same.
 */
#include "embedded_ruby.h"
#include "encode.h"
#include "owned_codec.h"

#define HEADER_LENGTH 3
#define OPTION_BINARY 1
#define OPTION_ENCODING_SHIFT 1

#define CODECS_MAX 1024

static const struct pgconn_codec *codecs[CODECS_MAX] = {&pgconn_codec_unknown};
static size_t codec_count = 1;

/* Client encodings, with those among them in which ASCII may be the end of a character. */
static const char *const encodings[] = {"UTF-8",       "US-ASCII", "ASCII-8BIT", "ISO-8859-1",
                                        "Windows-31J", "EUC-JP",   "GB18030",    "Big5"};

static const char *const data_error[] = {"DataError", NULL};

struct sample {
    const struct pgconn_codec *codec;
    pgconn_decode_function decode;
    struct pgconn_input input;
    VALUE value;
};

/* What encoders write to. */
static struct pgconn_buffer encoded;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
codec_gather(const struct pgconn_codec *codec, void *unused)
{
    (void)unused;
    if (codec_count < CODECS_MAX) codecs[codec_count++] = codec;
}

/* Those of the types that a user might have registered. */
static VALUE
registered_gather(VALUE unused)
{
    VALUE registered;

    rb_require("registered_types");
    registered = rb_funcall(rb_path2class("RegisteredTypes"), rb_intern("codecs"), 0);
    for (long i = 0; i < RARRAY_LEN(registered); i++) {
        codec_gather(pgconn_owned_codec_get(rb_ary_entry(registered, i)), NULL);
    }
    return unused;
}

/* The type with the OID, or in place of one without a codec any other. */
static const struct pgconn_codec *
codec_choose(Oid oid)
{
    for (size_t i = 0; i < codec_count; i++) {
        if (codecs[i]->oid == oid) return codecs[i];
    }
    return codecs[oid % codec_count];
}

/* Whether the name of the type, or of what it contains, begins so. */
static bool
codec_concerns(const struct pgconn_codec *codec, const char *name)
{
    while (codec->element) codec = codec->element;
    return strncmp(codec->name, name, strlen(name)) == 0;
}

static struct sample
sample_of(const uint8_t *data, size_t size)
{
    const struct pgconn_codec *codec = codec_choose((Oid)(data[0] | data[1] << 8));
    const char *encoding = encodings[(data[2] >> OPTION_ENCODING_SHIFT) % 8];
    int encoding_index = rb_enc_find_index(encoding);
    bool binary = (data[2] & OPTION_BINARY) && pgconn_codec_reads_binary(codec, encoding_index);

    return (struct sample){
        .codec = codec,
        .decode = binary ? codec->decode_binary : codec->decode_text,
        .input = {.length = (int)(size - HEADER_LENGTH), .encoding_index = encoding_index},
    };
}

static VALUE
sample_decode(VALUE argument)
{
    const struct sample *sample = (const struct sample *)argument;

    return sample->decode(sample->codec, sample->input);
}

static VALUE
value_inspect(VALUE value)
{
    return rb_inspect(value);
}

/* Decodes from memory of its own, so that AddressSanitizer sees who reads on. */
static bool
sample_read(struct sample *sample, const void *bytes, const char *const *expected)
{
    char *copy = malloc((size_t)sample->input.length);
    VALUE inspected;
    bool read;

    if (sample->input.length > 0) memcpy(copy, bytes, (size_t)sample->input.length);
    sample->input.data = copy;
    read = fuzz_ruby_call(sample_decode, (VALUE)sample, &sample->value, expected);
    free(copy);
    sample->input.data = NULL;
    if (!read) return false;
    if (NIL_P(sample->value) && !codec_concerns(sample->codec, "json")) {
        fuzz_ruby_fail("%s (%u) gives nil", sample->codec->name, sample->codec->oid);
    }
    return fuzz_ruby_call(value_inspect, sample->value, &inspected, NULL);
}

/* Gives the format of what is in the buffer then, or nil where there is no way back. */
static VALUE
sample_encode(VALUE argument)
{
    const struct sample *sample = (const struct sample *)argument;
    struct pgconn_output output = {&encoded, sample->input.encoding_index, sample->codec->oid, 1};
    VALUE value = sample->value;
    const struct pgconn_text_form *form = pgconn_encode_resolve(&value, &output.type, false, 1);

    switch (pgconn_encode_resolved(sample->codec, value, form, &output)) {
    case PGCONN_FORM_TEXT:
        return Qfalse;
    case PGCONN_FORM_BINARY:
        return pgconn_codec_reads_binary(sample->codec, output.encoding_index) ? Qtrue : Qnil;
    default:
        return Qnil;
    }
}

/* What an Array or one of Pgconn's values consists of; of other values nothing. */
static VALUE
value_parts(VALUE value)
{
    VALUE parts = rb_obj_instance_variables(value);

    if (RB_TYPE_P(value, T_ARRAY)) return value;
    for (long i = 0; i < RARRAY_LEN(parts); i++) {
        rb_ary_store(parts, i, rb_ivar_get(value, SYM2ID(rb_ary_entry(parts, i))));
    }
    return parts;
}

/* NaN isn't itself, but looks so. */
static bool
values_agree(VALUE one, VALUE other)
{
    VALUE parts = value_parts(one), others = value_parts(other);

    if (rb_eql(one, other)) return true;
    if (rb_obj_class(one) != rb_obj_class(other)) return false;
    if (RARRAY_LEN(parts) == 0) return rb_eql(rb_inspect(one), rb_inspect(other));
    if (RARRAY_LEN(parts) != RARRAY_LEN(others)) return false;
    for (long i = 0; i < RARRAY_LEN(parts); i++) {
        if (!values_agree(rb_ary_entry(parts, i), rb_ary_entry(others, i))) return false;
    }
    return true;
}

/*
 * A String, and what else is in an array of json, is JSON text when it is sent. The texts of the
 * others may have what the server never writes, more digits than count or capitals, which then
 * doesn't come back.
 */
static bool
sample_returns(const struct sample *sample)
{
    const struct pgconn_codec *codec = sample->codec;
    bool structure = RB_TYPE_P(sample->value, T_ARRAY) || RB_TYPE_P(sample->value, T_HASH);

    if (codec_concerns(codec, "json")) return structure && !codec->element;
    return sample->decode != codec->decode_text ||
           !(codec_concerns(codec, "float4") || codec_concerns(codec, "uuid"));
}

/* What is sent as text may be none that the server writes: a timestamp with a zone behind it. */
static void
sample_check_return(const struct sample *sample)
{
    struct sample back = *sample;
    VALUE binary;

    encoded.length = 0;
    if (!sample_returns(sample)) return;
    if (!fuzz_ruby_call(sample_encode, (VALUE)sample, &binary, data_error) || NIL_P(binary)) return;
    if (encoded.failed) fuzz_ruby_fail("the encoder of %s runs out of memory", sample->codec->name);
    back.decode = RTEST(binary) ? sample->codec->decode_binary : sample->codec->decode_text;
    back.input.length = (int)encoded.length;
    if (!sample_read(&back, encoded.data, RTEST(binary) ? NULL : data_error)) return;
    if (values_agree(sample->value, back.value)) return;
    fuzz_ruby_fail("%s (%u): %+" PRIsVALUE " comes back as %+" PRIsVALUE, sample->codec->name,
                   sample->codec->oid, sample->value, back.value);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    VALUE unused;

    fuzz_ruby_start(argc, argv);
    pgconn_codec_each(codec_gather, NULL);
    fuzz_ruby_call(registered_gather, Qnil, &unused, NULL);
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sample sample;

    if (size < HEADER_LENGTH) return 0;
    sample = sample_of(data, size);
    fuzz_ruby_collect();
    if (sample_read(&sample, data + HEADER_LENGTH, data_error)) sample_check_return(&sample);
    RB_GC_GUARD(sample.value);
    return 0;
}
