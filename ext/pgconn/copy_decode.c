#include "copy.h"

#include "error.h"

/* The signature, flags, and the length of an extension. */
#define HEADER_SIZE 19

bool
pgconn_copy_decode_is_binary(const struct pgconn_plan *plan, int encoding_index)
{
    for (int i = 0; i < plan->count; i++) {
        if (!pgconn_codec_reads_binary(plan->codecs[i], encoding_index)) return false;
    }
    return true;
}

bool
pgconn_copy_decode_start(const struct pgconn_copy_rows *rows, struct pgconn_reader *reader)
{
    size_t size = HEADER_SIZE;

    if (rows->format != PGCONN_COPY_BINARY) return true;
    if (pgconn_reader_left(reader) < size) return false;
    size += (size_t)(uint32_t)pgconn_int32_at(reader->at + HEADER_SIZE - 4);
    if (pgconn_reader_left(reader) < size) return false;
    reader->at += size;
    return true;
}

RBIMPL_ATTR_NORETURN()
static void
row_raise_malformed(const struct pgconn_copy_rows *rows)
{
    pgconn_error_raise(rb_ePgconnDataError,
                       "what the server sent isn't a row of the %d columns that it described",
                       rows->plan->count);
}

/* Whether all of the row's values have come. */
static bool
binary_row_is_whole(const struct pgconn_copy_rows *rows, struct pgconn_reader reader)
{
    int32_t length;

    for (int i = 0; i < rows->plan->count; i++) {
        if (!pgconn_reader_take_int32(&reader, &length)) return false;
        if (length < -1) row_raise_malformed(rows);
        if (length < 0) continue;
        if ((size_t)length > pgconn_reader_left(&reader)) return false;
        reader.at += length;
    }
    return true;
}

static enum pgconn_copy_piece
binary_row_decode(struct pgconn_copy_rows *rows, struct pgconn_reader *reader, VALUE *values)
{
    struct pgconn_reader row = *reader;
    struct pgconn_input input = {.encoding_index = rows->encoding_index};
    int count;

    if (pgconn_reader_left(&row) < 2) return PGCONN_COPY_PARTIAL;
    count = pgconn_int16_at(row.at);
    row.at += 2;
    if (count == -1) return PGCONN_COPY_END;
    if (count != rows->plan->count) row_raise_malformed(rows);
    if (!binary_row_is_whole(rows, row)) return PGCONN_COPY_PARTIAL;
    *reader = row;
    for (int i = 0; i < count; i++) {
        const struct pgconn_codec *codec = rows->plan->codecs[i];

        pgconn_input_take(&input, reader);
        values[i] = input.data ? codec->decode_binary(codec, input) : Qnil;
    }
    return PGCONN_COPY_ROW;
}

/* The server writes only these; a byte that is escaped otherwise stands for itself. */
static char
text_unescape(char byte)
{
    switch (byte) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'v':
        return '\v';
    default:
        return byte;
    }
}

/*
 * The field's own bytes, or, where there are backslashes, those in the scratch buffer. In no
 * client encoding that the server escapes for does a character's second byte look like one.
 */
static struct pgconn_input
text_field(struct pgconn_copy_rows *rows, const char *start, const char *end)
{
    struct pgconn_input input = {start, (int)(end - start), rows->encoding_index};
    rb_encoding *encoding = rb_enc_from_index(rows->encoding_index);
    struct pgconn_buffer *scratch = &rows->scratch;

    if (end - start == 2 && memcmp(start, "\\N", 2) == 0) input.data = NULL;
    if (!input.data || !memchr(start, '\\', (size_t)(end - start))) return input;
    scratch->length = 0;
    while (start < end) {
        int length = (unsigned char)*start < 128 ? 1 : rb_enc_mbclen(start, end, encoding);

        if (*start == '\\' && start + 1 < end) {
            pgconn_buffer_append_byte(scratch, text_unescape(start[1]));
            start += 2;
            continue;
        }
        pgconn_buffer_append(scratch, start, (size_t)length);
        start += length;
    }
    if (scratch->failed) rb_memerror();
    input.data = scratch->data;
    input.length = (int)scratch->length;
    return input;
}

static enum pgconn_copy_piece
text_row_decode(struct pgconn_copy_rows *rows, struct pgconn_reader *reader, VALUE *values)
{
    const char *at = reader->at, *line, *end;

    if (pgconn_reader_at_end(reader)) return PGCONN_COPY_PARTIAL;
    line = memchr(at, '\n', pgconn_reader_left(reader));
    if (!line) return PGCONN_COPY_PARTIAL;
    for (int i = 0; i < rows->plan->count; i++) {
        const struct pgconn_codec *codec = rows->plan->codecs[i];
        struct pgconn_input input;

        if (at > line) row_raise_malformed(rows);
        end = memchr(at, '\t', (size_t)(line - at));
        if (!end) end = line;
        input = text_field(rows, at, end);
        values[i] = input.data ? codec->decode_text(codec, input) : Qnil;
        at = end + 1;
    }
    if (at <= line && rows->plan->count > 0) row_raise_malformed(rows);
    reader->at = line + 1;
    return PGCONN_COPY_ROW;
}

enum pgconn_copy_piece
pgconn_copy_decode_row(struct pgconn_copy_rows *rows, struct pgconn_reader *reader, VALUE *values)
{
    if (rows->format == PGCONN_COPY_BINARY) return binary_row_decode(rows, reader, values);
    return text_row_decode(rows, reader, values);
}
