#include "copy.h"

#include "encode.h"
#include "error.h"

/* PGCOPY\n\377\r\n\0, no flags, and no header extension. */
static const char signature[19] = "PGCOPY\n\377\r\n";

/* The text form of such a type is its binary form, too. */
static bool
codec_is_text(const struct pgconn_codec *codec)
{
    return codec->decode_binary && codec->decode_binary == codec->decode_text;
}

bool
pgconn_copy_encode_is_binary(const struct pgconn_plan *plan)
{
    for (int i = 0; i < plan->count; i++) {
        if (!plan->codecs[i]->encode_binary && !codec_is_text(plan->codecs[i])) return false;
    }
    return true;
}

void
pgconn_copy_encode_start(const struct pgconn_copy_rows *rows, struct pgconn_buffer *bytes)
{
    if (rows->format != PGCONN_COPY_BINARY) return;
    pgconn_buffer_append(bytes, signature, sizeof(signature));
}

void
pgconn_copy_encode_end(const struct pgconn_copy_rows *rows, struct pgconn_buffer *bytes)
{
    if (rows->format == PGCONN_COPY_BINARY) pgconn_buffer_append_int16(bytes, -1);
}

static struct pgconn_output
rows_output(const struct pgconn_copy_rows *rows, struct pgconn_buffer *bytes, int column)
{
    struct pgconn_output output = {bytes, rows->encoding_index, rows->plan->types[column],
                                   column + 1};

    return output;
}

/* False where the value has no binary form. */
static bool
value_append_binary(const struct pgconn_copy_rows *rows, VALUE value, struct pgconn_buffer *bytes,
                    int column)
{
    const struct pgconn_codec *codec = rows->plan->codecs[column];
    struct pgconn_output output = rows_output(rows, bytes, column);
    size_t start = bytes->length;
    const struct pgconn_text_form *form;
    enum pgconn_form given;
    Oid ignored = 0;

    pgconn_buffer_append_int32(bytes, -1);
    form = pgconn_encode_resolve(&value, &ignored, rows->any, column + 1);
    given = pgconn_encode_resolved(codec, value, form, &output);
    RB_GC_GUARD(value);
    if (given == PGCONN_FORM_NULL || bytes->failed) return true;
    if (given == PGCONN_FORM_TEXT && !codec_is_text(codec)) return false;
    pgconn_buffer_put_int32(bytes->data + start, (int32_t)(bytes->length - start - 4));
    return true;
}

/* How many bytes the character has that begins here. */
static size_t
character_length(const char *at, const char *end, rb_encoding *encoding)
{
    return (unsigned char)*at < 128 ? 1 : (size_t)rb_enc_mbclen(at, end, encoding);
}

/* What COPY's text format has instead of a byte, behind a backslash; or 0. */
static char
text_escape(char byte)
{
    switch (byte) {
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '\\':
        return '\\';
    default:
        return '\0';
    }
}

/* A second byte of a character that looks like a backslash, as in SJIS, isn't one. */
static void
text_append(const struct pgconn_buffer *value, struct pgconn_buffer *bytes, rb_encoding *encoding)
{
    const char *at = value->data, *end = at + value->length, *run = at;
    char escape;

    while (at < end) {
        escape = text_escape(*at);
        if (!escape) {
            at += character_length(at, end, encoding);
            continue;
        }
        pgconn_buffer_append(bytes, run, (size_t)(at - run));
        pgconn_buffer_append_byte(bytes, '\\');
        pgconn_buffer_append_byte(bytes, escape);
        run = ++at;
    }
    pgconn_buffer_append(bytes, run, (size_t)(end - run));
}

/* In quotes, so that it is no NULL and no end of data. */
static void
csv_append(const struct pgconn_buffer *value, struct pgconn_buffer *bytes)
{
    pgconn_buffer_append_byte(bytes, '"');
    for (size_t i = 0; i < value->length; i++) {
        if (value->data[i] == '"') pgconn_buffer_append_byte(bytes, '"');
        pgconn_buffer_append_byte(bytes, value->data[i]);
    }
    pgconn_buffer_append_byte(bytes, '"');
}

static void
value_append_text(struct pgconn_copy_rows *rows, VALUE value, struct pgconn_buffer *bytes,
                  int column)
{
    struct pgconn_output output = rows_output(rows, &rows->scratch, column);
    bool csv = rows->format == PGCONN_COPY_CSV, given;
    const struct pgconn_text_form *form;
    Oid ignored = 0;

    rows->scratch.length = 0;
    form = pgconn_encode_resolve(&value, &ignored, rows->any, column + 1);
    given = pgconn_encode_resolved_text(rows->plan->codecs[column], value, form, &output);
    RB_GC_GUARD(value);
    if (column > 0) pgconn_buffer_append_byte(bytes, csv ? ',' : '\t');
    if (rows->scratch.failed) pgconn_buffer_fail(bytes, rows->scratch.too_large);
    if (!given && !csv) pgconn_buffer_append(bytes, "\\N", 2);
    if (!given) return;
    if (csv) csv_append(&rows->scratch, bytes);
    else text_append(&rows->scratch, bytes, rb_enc_from_index(rows->encoding_index));
}

/* The values' own methods may change the Array while it is walked. */
int
pgconn_copy_encode_row(struct pgconn_copy_rows *rows, VALUE row, struct pgconn_buffer *bytes,
                       int *column)
{
    bool binary = rows->format == PGCONN_COPY_BINARY;

    if (binary) pgconn_buffer_append_int16(bytes, (int16_t)rows->plan->count);
    for (*column = 0; *column < rows->plan->count; ++*column) {
        VALUE value = *column < RARRAY_LEN(row) ? RARRAY_AREF(row, *column) : Qnil;

        if (!binary) value_append_text(rows, value, bytes, *column);
        else if (!value_append_binary(rows, value, bytes, *column)) return *column;
    }
    if (!binary) pgconn_buffer_append_byte(bytes, '\n');
    return -1;
}
