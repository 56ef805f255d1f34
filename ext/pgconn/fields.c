#include "fields.h"

#include <stdlib.h>
#include <string.h>

/* In the order in which they are read: of two with one keyword the later one counts. */
static const struct field {
    int code;
    const char *keyword;
    bool is_position;
} field_table[PGCONN_FIELD_COUNT] = {
    {PG_DIAG_SEVERITY,              "severity",           false},
    {PG_DIAG_SEVERITY_NONLOCALIZED, "severity",           false},
    {PG_DIAG_SQLSTATE,              "sqlstate",           false},
    {PG_DIAG_MESSAGE_PRIMARY,       "message_primary",    false},
    {PG_DIAG_MESSAGE_DETAIL,        "message_detail",     false},
    {PG_DIAG_MESSAGE_HINT,          "message_hint",       false},
    {PG_DIAG_STATEMENT_POSITION,    "statement_position", true },
    {PG_DIAG_INTERNAL_POSITION,     "internal_position",  true },
    {PG_DIAG_INTERNAL_QUERY,        "internal_query",     false},
    {PG_DIAG_CONTEXT,               "context",            false},
    {PG_DIAG_SCHEMA_NAME,           "schema_name",        false},
    {PG_DIAG_TABLE_NAME,            "table_name",         false},
    {PG_DIAG_COLUMN_NAME,           "column_name",        false},
    {PG_DIAG_DATATYPE_NAME,         "datatype_name",      false},
    {PG_DIAG_CONSTRAINT_NAME,       "constraint_name",    false},
    {PG_DIAG_SOURCE_FILE,           "source_file",        false},
    {PG_DIAG_SOURCE_LINE,           "source_line",        false},
    {PG_DIAG_SOURCE_FUNCTION,       "source_function",    false},
};

void
pgconn_fields_read(struct pgconn_fields *fields, const PGresult *result)
{
    for (int i = 0; i < PGCONN_FIELD_COUNT; i++) {
        fields->texts[i] = PQresultErrorField(result, field_table[i].code);
    }
    fields->whole = PQresultErrorMessage(result);
}

static size_t
text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

size_t
pgconn_fields_size(const struct pgconn_fields *fields)
{
    size_t size = text_size(fields->whole);

    for (int i = 0; i < PGCONN_FIELD_COUNT; i++) size += text_size(fields->texts[i]);
    return size;
}

/* Copies a text to *bytes, which goes on behind it. */
static const char *
text_copy(const char *text, char **bytes)
{
    char *copy = *bytes;

    if (!text) return NULL;
    *bytes += text_size(text);
    return memcpy(copy, text, text_size(text));
}

void
pgconn_fields_copy(struct pgconn_fields *copy, const struct pgconn_fields *fields, char *bytes)
{
    for (int i = 0; i < PGCONN_FIELD_COUNT; i++) {
        copy->texts[i] = text_copy(fields->texts[i], &bytes);
    }
    copy->whole = text_copy(fields->whole, &bytes);
}

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

VALUE
pgconn_fields_text(const char *text, int encoding_index)
{
    int first_index = encoding_index < 0 ? rb_utf8_encindex() : encoding_index;
    VALUE string = rb_enc_str_new_cstr(text, rb_enc_from_index(first_index));

    text_settle_encoding(string);
    return rb_str_freeze(string);
}

VALUE
pgconn_fields_hash(const struct pgconn_fields *fields, int encoding_index)
{
    VALUE hash = rb_hash_new();

    for (int i = 0; i < PGCONN_FIELD_COUNT; i++) {
        const struct field *field = &field_table[i];
        const char *text = fields->texts[i];

        if (!text) continue;
        rb_hash_aset(hash, ID2SYM(rb_intern(field->keyword)),
                     field->is_position ? LONG2NUM(strtol(text, NULL, 10))
                                        : pgconn_fields_text(text, encoding_index));
    }
    return hash;
}
