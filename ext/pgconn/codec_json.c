#include "codec.h"
#include "encoding.h"
#include "error.h"
#include "json_text.h"

/* More is refused, both ways. */
#define NESTING_MAX 1000

/* So many levels take little of the stack: their JSON is read and written on the caller's. */
#define NESTING_SHALLOW 100

/* The first byte of jsonb's binary form, ahead of its text. */
#define JSONB_VERSION 1

/* Characters of what the json library says about a value. */
#define ERROR_TEXT_MAX 100

/* A function of the json library, which takes an argument and options. */
struct json_function {
    VALUE receiver;
    ID name;
    VALUE options[2]; /* for shallow and for deep nesting */
};

struct json_call {
    const struct json_function *function;
    const struct pgconn_codec *codec;
    VALUE argument;
    const struct pgconn_input *input;   /* where JSON is read, else NULL */
    const struct pgconn_output *output; /* where it is written, else NULL */
    bool deep;
};

/* Filled once, when the extension loads. */
static struct json_function parsing, generating;

static VALUE rb_eJSONError, rb_eNestingError;
static VALUE class_of_sets, large_stack;
static ID id_call, id_to_a;

NORETURN(static void nesting_raise(const struct json_call *call));

static void
nesting_raise(const struct json_call *call)
{
    if (call->output) {
        pgconn_error_raise(rb_ePgconnDataError, "parameter $%d is nested deeper than %d levels",
                           call->output->number, NESTING_MAX);
    }
    pgconn_error_raise(rb_ePgconnDataError,
                       "can't read %s %" PRIsVALUE ": it is nested deeper than %d levels",
                       call->codec->name, pgconn_codec_sight(*call->input), NESTING_MAX);
}

/* The library's text, which may have a whole Hash in it, as far as a message wants it. */
static VALUE
error_text(VALUE error)
{
    VALUE text = rb_str_substr(rb_obj_as_string(error), 0, ERROR_TEXT_MAX);

    return rb_enc_str_asciionly_p(text) ? text : rb_str_dump(text);
}

NORETURN(static void call_raise(const struct json_call *call, VALUE error));

static void
call_raise(const struct json_call *call, VALUE error)
{
    if (call->input) pgconn_codec_raise_malformed(call->codec, *call->input);
    pgconn_error_raise(rb_ePgconnDataError, "parameter $%d can't be written as JSON: %" PRIsVALUE,
                       call->output->number, error_text(error));
}

/* Some versions of the library let one level more through when they read. */
static bool
call_is_too_deep(const struct json_call *call)
{
    struct pgconn_reader reader;

    if (call->output) return false;
    reader.at = RSTRING_PTR(call->argument);
    reader.end = RSTRING_END(call->argument);
    return pgconn_json_text_depth(reader) > NESTING_MAX;
}

static VALUE
call_run(VALUE pointer)
{
    const struct json_call *call = (const struct json_call *)pointer;
    const struct json_function *function = call->function;
    VALUE arguments[2] = {call->argument, function->options[call->deep]};

    if (!call->deep) return rb_funcallv(function->receiver, function->name, 2, arguments);
    return rb_funcall(large_stack, id_call, 4, function->receiver, ID2SYM(function->name),
                      arguments[0], arguments[1]);
}

/* Qundef for what may only be nested too deeply for a shallow call. */
static VALUE
call_failed(VALUE pointer, VALUE error)
{
    const struct json_call *call = (const struct json_call *)pointer;

    if (!RTEST(rb_obj_is_kind_of(error, rb_eNestingError))) call_raise(call, error);
    if (call->deep) nesting_raise(call);
    return Qundef;
}

/* Exceptions that aren't the library's come from the values' own methods, and are left alone. */
static VALUE
call_protected(struct json_call *call)
{
    return rb_rescue2(call_run, (VALUE)call, call_failed, (VALUE)call, rb_eJSONError,
                      rb_eEncodingError, (VALUE)0);
}

/* What is too deep for the caller's stack, which may be a Fiber's, gets another try elsewhere. */
static VALUE
json_call(struct json_call *call)
{
    VALUE result = call_protected(call);

    if (result != Qundef) return result;
    if (call_is_too_deep(call)) nesting_raise(call);
    call->deep = true;
    return call_protected(call);
}

static VALUE
source_transcode(VALUE source)
{
    return rb_str_encode(source, rb_enc_from_encoding(rb_utf8_encoding()), 0, Qnil);
}

static VALUE
source_failed(VALUE source, VALUE error)
{
    (void)source;
    (void)error;
    return Qnil;
}

/* In UTF-8; nil for what isn't valid in the client's encoding. */
static VALUE
source_new(struct pgconn_input input)
{
    VALUE source;

    if (input.encoding_index == rb_utf8_encindex() ||
        input.encoding_index == rb_ascii8bit_encindex()) {
        source = rb_utf8_str_new(input.data, input.length);
        return rb_enc_str_coderange(source) == ENC_CODERANGE_BROKEN ? Qnil : source;
    }
    source = rb_enc_str_new(input.data, input.length, rb_enc_from_index(input.encoding_index));
    return rb_rescue2(source_transcode, source, source_failed, source, rb_eEncodingError, (VALUE)0);
}

/* In UTF-8, frozen (else the library would copy it); nil for what isn't valid. */
static VALUE
source_find(struct pgconn_input input)
{
    VALUE source = source_new(input);
    struct pgconn_reader reader;

    if (NIL_P(source)) return Qnil;
    reader.at = RSTRING_PTR(source);
    reader.end = RSTRING_END(source);
    return pgconn_json_text_is_paired(reader) ? rb_obj_freeze(source) : Qnil;
}

static VALUE
json_decode(const struct pgconn_codec *codec, struct pgconn_input input)
{
    struct json_call call = {&parsing, codec, source_find(input), &input, NULL, false};

    if (NIL_P(call.argument)) pgconn_codec_raise_malformed(codec, input);
    return json_call(&call);
}

static VALUE
jsonb_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    if (input.length < 1 || *input.data != JSONB_VERSION) {
        pgconn_codec_raise_malformed(codec, input);
    }
    input.data++;
    input.length--;
    return json_decode(codec, input);
}

/* A String is JSON text already, and the text of numbers, true and false is JSON. */
static bool
value_is_structure(VALUE *value)
{
    if (RB_TYPE_P(*value, T_HASH) || RB_TYPE_P(*value, T_ARRAY)) return true;
    if (!RTEST(rb_obj_is_kind_of(*value, class_of_sets))) return false;
    *value = rb_funcallv(*value, id_to_a, 0, 0);
    return true;
}

static bool
json_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    struct json_call call = {&generating, codec, value, NULL, output, false};
    char what[32];
    VALUE text;

    if (!value_is_structure(&call.argument)) return false;
    snprintf(what, sizeof(what), "parameter $%d", output->number);
    text = pgconn_encoding_export(json_call(&call), output->encoding_index, what);
    pgconn_buffer_append(output->bytes, RSTRING_PTR(text), (size_t)RSTRING_LEN(text));
    RB_GC_GUARD(text);
    return true;
}

static bool
jsonb_encode_binary(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    pgconn_buffer_append_byte(output->bytes, JSONB_VERSION);
    return json_encode(codec, value, output);
}

const struct pgconn_codec pgconn_codec_json[] = {
    {.oid = 114,
     .name = "json",
     .takes_arrays = true,
     .decode_text = json_decode,
     .decode_binary = json_decode,
     .encode_binary = json_encode,
     .encode_text = json_encode},
    {.oid = 3802,
     .name = "jsonb",
     .takes_arrays = true,
     .decode_text = json_decode,
     .decode_binary = jsonb_decode_binary,
     .encode_binary = jsonb_encode_binary,
     .encode_text = json_encode},
    {.oid = 0},
};

/* The server takes json in which a key occurs twice, and means the last. */
static VALUE
options_new(int nesting, bool reading)
{
    VALUE options = rb_hash_new();

    rb_hash_aset(options, ID2SYM(rb_intern("max_nesting")), INT2FIX(nesting));
    if (reading) rb_hash_aset(options, ID2SYM(rb_intern("allow_duplicate_key")), Qtrue);
    rb_gc_register_mark_object(options);
    return rb_obj_freeze(options);
}

static void
function_init(struct json_function *function, VALUE receiver, const char *name)
{
    rb_gc_register_mark_object(receiver);
    function->receiver = receiver;
    function->name = rb_intern(name);
    function->options[false] = options_new(NESTING_SHALLOW, function == &parsing);
    function->options[true] = options_new(NESTING_MAX, function == &parsing);
}

/* Parser.parse, of json 2.10 and later, is the quicker one; from 3 on JSON.parse wants keywords. */
static VALUE
parser_find(VALUE json)
{
    VALUE parser = rb_const_get(json, rb_intern("Parser"));

    return rb_respond_to(parser, rb_intern("parse")) ? parser : json;
}

static VALUE
class_find(VALUE scope, const char *name)
{
    VALUE found = rb_const_get(scope, rb_intern(name));

    rb_gc_register_mark_object(found);
    return found;
}

void
pgconn_codec_json_init(void)
{
    VALUE json;

    rb_require("json");
    rb_require("set");
    json = class_find(rb_cObject, "JSON");
    rb_eJSONError = class_find(json, "JSONError");
    rb_eNestingError = class_find(json, "NestingError");
    class_of_sets = class_find(rb_cObject, "Set");
    large_stack = class_find(rb_mPgconn, "LargeStack");
    id_call = rb_intern("call");
    id_to_a = rb_intern("to_a");
    function_init(&parsing, parser_find(json), "parse");
    function_init(&generating, json, "generate");
}
