#include "error.h"

VALUE rb_ePgconnInterfaceError, rb_ePgconnDataError, rb_ePgconnOperationalError;
VALUE rb_ePgconnProgrammingError, rb_ePgconnInternalError;
VALUE rb_ePgconnQueryCanceledError, rb_ePgconnInFailedSqlTransaction;
VALUE rb_ePgconnPipelineAborted;

static VALUE error_factory;

static VALUE
keyword(const char *name)
{
    return ID2SYM(rb_intern(name));
}

static VALUE
message_new(const char *format, va_list arguments)
{
    rb_encoding *utf8 = rb_utf8_encoding();
    VALUE message = rb_enc_vsprintf(utf8, format, arguments);

    /* A value printed into it may have brought its own encoding. */
    return rb_str_conv_enc(message, rb_enc_get(message), utf8);
}

void
pgconn_error_raise(VALUE klass, const char *format, ...)
{
    va_list arguments;
    VALUE message;

    va_start(arguments, format);
    message = message_new(format, arguments);
    va_end(arguments);
    rb_exc_raise(rb_class_new_instance(1, &message, klass));
}

/* The keywords of Pgconn::Error that tell where the error happened. */
static VALUE
context_from_source(const struct pgconn_error_source *source)
{
    VALUE context = rb_hash_new();

    rb_hash_aset(context, keyword("query"), RTEST(source->query) ? source->query : Qnil);
    rb_hash_aset(context, keyword("cursor"), RTEST(source->cursor) ? source->cursor : Qnil);
    if (source->outcome) {
        rb_hash_aset(context, keyword("outcome"), keyword(source->outcome));
    }
    if (source->retryable) rb_hash_aset(context, keyword("retryable"), Qtrue);
    return context;
}

VALUE
pgconn_error_new_about(const struct pgconn_error_source *source, VALUE klass, const char *format,
                       ...)
{
    VALUE arguments[2];
    va_list rest;

    va_start(rest, format);
    arguments[0] = message_new(format, rest);
    va_end(rest);
    arguments[1] = context_from_source(source);
    return rb_class_new_instance_kw(2, arguments, klass, RB_PASS_KEYWORDS);
}

static void
text_add(VALUE context, const char *name, const char *text, int encoding_index)
{
    if (text) rb_hash_aset(context, keyword(name), pgconn_fields_text(text, encoding_index));
}

static VALUE
error_build(const struct pgconn_error_source *source, const char *libpq_text, bool ended)
{
    VALUE context = context_from_source(source);
    struct pgconn_fields said;
    VALUE arguments[2];

    if (source->said) said = *source->said;
    else pgconn_fields_read(&said, source->result);
    arguments[0] = pgconn_fields_hash(&said, source->encoding_index);
    arguments[1] = context;
    if (source->position != 0) {
        rb_hash_aset(arguments[0], keyword("statement_position"),
                     source->position > 0 ? LONG2NUM(source->position) : Qnil);
    }
    text_add(context, "pgerror", said.whole, source->encoding_index);
    text_add(context, "libpq_text", libpq_text, source->encoding_index);
    text_add(context, "remark", source->remark, rb_utf8_encindex());
    rb_hash_aset(context, keyword("ended"), ended ? Qtrue : Qfalse);
    return rb_funcallv_kw(error_factory, rb_intern("build"), 2, arguments, RB_PASS_KEYWORDS);
}

VALUE
pgconn_error_from_result(const struct pgconn_error_source *source)
{
    return error_build(source, NULL, source->connection_ended);
}

VALUE
pgconn_error_lost(const char *libpq_text, const struct pgconn_error_source *last_words)
{
    const struct pgconn_error_source silence = {
        .encoding_index = rb_utf8_encindex(),
        .query = Qnil,
        .cursor = Qnil,
    };

    return error_build(last_words ? last_words : &silence, libpq_text, true);
}

VALUE
pgconn_error_with_cause(VALUE error, VALUE cause)
{
    return rb_funcall(error_factory, rb_intern("with_cause"), 2, error, cause);
}

static VALUE
class_find(VALUE module, const char *name)
{
    VALUE found = rb_const_get(module, rb_intern(name));

    rb_gc_register_mark_object(found);
    return found;
}

void
Init_pgconn_error(void)
{
    rb_ePgconnInterfaceError = class_find(rb_mPgconn, "InterfaceError");
    rb_ePgconnDataError = class_find(rb_mPgconn, "DataError");
    rb_ePgconnOperationalError = class_find(rb_mPgconn, "OperationalError");
    rb_ePgconnProgrammingError = class_find(rb_mPgconn, "ProgrammingError");
    rb_ePgconnInternalError = class_find(rb_mPgconn, "InternalError");
    rb_ePgconnPipelineAborted = class_find(rb_mPgconn, "PipelineAborted");
    rb_ePgconnQueryCanceledError = class_find(rb_mPgconn, "QueryCanceledError");
    rb_ePgconnInFailedSqlTransaction = class_find(class_find(rb_mPgconn, "Errors"),
                                                  "InFailedSqlTransaction");
    error_factory = class_find(rb_mPgconn, "ErrorFactory");
}
