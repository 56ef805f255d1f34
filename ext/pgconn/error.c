#include "error.h"

VALUE rb_ePgconnInterfaceError, rb_ePgconnDataError, rb_ePgconnOperationalError;
VALUE rb_ePgconnProgrammingError, rb_ePgconnInternalError;
VALUE rb_ePgconnQueryCanceledError, rb_ePgconnInFailedSqlTransaction;

static VALUE error_factory;

/* The fields of a message, by the keywords of Pgconn::Diagnostics. */
static const struct error_field {
    int code;
    const char *keyword;
} error_fields[] = {
    {PG_DIAG_SEVERITY,              "severity"          },
    {PG_DIAG_SEVERITY_NONLOCALIZED, "severity"          }, /* the later one wins */
    {PG_DIAG_SQLSTATE,              "sqlstate"          },
    {PG_DIAG_MESSAGE_PRIMARY,       "message_primary"   },
    {PG_DIAG_MESSAGE_DETAIL,        "message_detail"    },
    {PG_DIAG_MESSAGE_HINT,          "message_hint"      },
    {PG_DIAG_STATEMENT_POSITION,    "statement_position"},
    {PG_DIAG_INTERNAL_POSITION,     "internal_position" },
    {PG_DIAG_INTERNAL_QUERY,        "internal_query"    },
    {PG_DIAG_CONTEXT,               "context"           },
    {PG_DIAG_SCHEMA_NAME,           "schema_name"       },
    {PG_DIAG_TABLE_NAME,            "table_name"        },
    {PG_DIAG_COLUMN_NAME,           "column_name"       },
    {PG_DIAG_DATATYPE_NAME,         "datatype_name"     },
    {PG_DIAG_CONSTRAINT_NAME,       "constraint_name"   },
    {PG_DIAG_SOURCE_FILE,           "source_file"       },
    {PG_DIAG_SOURCE_LINE,           "source_line"       },
    {PG_DIAG_SOURCE_FUNCTION,       "source_function"   },
};

#define ERROR_FIELDS (sizeof(error_fields) / sizeof(error_fields[0]))

static VALUE
keyword(const char *name)
{
    return ID2SYM(rb_intern(name));
}

/*
 * What a session says before its client encoding is set up may be in another one; a text is kept
 * as it came and gets the first encoding that it is valid in.
 */
static void
text_settle_encoding(VALUE text)
{
    if (rb_enc_str_coderange(text) == ENC_CODERANGE_BROKEN) {
        rb_enc_associate_index(text, rb_utf8_encindex());
    }
    if (rb_enc_str_coderange(text) == ENC_CODERANGE_BROKEN) {
        rb_enc_associate_index(text, rb_ascii8bit_encindex());
    }
}

static VALUE
text_new(const char *text, int encoding_index)
{
    int first_index = encoding_index < 0 ? rb_utf8_encindex() : encoding_index;
    VALUE string = rb_enc_str_new_cstr(text, rb_enc_from_index(first_index));

    text_settle_encoding(string);
    return string;
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

static void
fields_add(VALUE fields, const char *name, const char *text, int encoding_index)
{
    if (text) {
        rb_hash_aset(fields, keyword(name), text_new(text, encoding_index));
    }
}

static VALUE
fields_from_result(const PGresult *result, int encoding_index)
{
    VALUE fields = rb_hash_new();

    for (size_t i = 0; i < ERROR_FIELDS; i++) {
        fields_add(fields, error_fields[i].keyword,
                   PQresultErrorField(result, error_fields[i].code), encoding_index);
    }
    return fields;
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

static VALUE
error_build(const struct pgconn_error_source *source, const char *libpq_text, bool ended)
{
    VALUE context = context_from_source(source);
    VALUE fields = fields_from_result(source->result, source->encoding_index);
    VALUE arguments[2] = {fields, context};

    if (source->position > 0) {
        rb_hash_aset(fields, keyword("statement_position"), LONG2NUM(source->position));
    }
    fields_add(context, "pgerror", PQresultErrorMessage(source->result), source->encoding_index);
    fields_add(context, "libpq_text", libpq_text, source->encoding_index);
    fields_add(context, "remark", source->remark, rb_utf8_encindex());
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
    rb_ePgconnQueryCanceledError = class_find(rb_mPgconn, "QueryCanceledError");
    rb_ePgconnInFailedSqlTransaction = class_find(class_find(rb_mPgconn, "Errors"),
                                                  "InFailedSqlTransaction");
    error_factory = class_find(rb_mPgconn, "ErrorFactory");
}
