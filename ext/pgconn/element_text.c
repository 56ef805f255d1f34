#include "element_text.h"

void
pgconn_element_text_start(struct pgconn_element_text *text, struct pgconn_input input,
                          char *scratch, const char *stops, bool quotes_double)
{
    rb_encoding *encoding = rb_enc_from_index(input.encoding_index);

    text->reader.at = input.data;
    text->reader.end = input.data + input.length;
    text->scratch = scratch;
    text->stops = stops;
    text->quotes_double = quotes_double;
    text->encoding = encoding;
    text->steps_by_byte = rb_enc_mbmaxlen(encoding) == 1 || encoding == rb_utf8_encoding();
}

/* The length of the character that comes next; one byte at least, and never beyond the end. */
static size_t
character_length(const struct pgconn_element_text *text)
{
    const struct pgconn_reader *reader = &text->reader;

    if (text->steps_by_byte || (unsigned char)*reader->at < 0x80) return 1;
    return (size_t)rb_enc_mbclen(reader->at, reader->end, text->encoding);
}

/* Behind the opening quote: unescapes up to the closing one. */
static bool
quoted_take(struct pgconn_element_text *text, struct pgconn_input *element)
{
    struct pgconn_reader *reader = &text->reader;
    char *to = text->scratch;

    while (!pgconn_reader_at_end(reader)) {
        size_t width;

        if (pgconn_reader_take(reader, '"')) {
            if (!text->quotes_double || !pgconn_reader_sees(reader, '"')) {
                element->data = text->scratch;
                element->length = (int)(to - text->scratch);
                return true;
            }
        }
        else if (pgconn_reader_take(reader, '\\') && pgconn_reader_at_end(reader)) {
            return false;
        }
        width = character_length(text);
        memcpy(to, reader->at, width);
        to += width;
        reader->at += width;
    }
    return false;
}

static bool
plain_take(struct pgconn_element_text *text, struct pgconn_input *element)
{
    struct pgconn_reader *reader = &text->reader;

    element->data = reader->at;
    while (!pgconn_reader_at_end(reader) && !strchr(text->stops, *reader->at)) {
        if (*reader->at == '"' || *reader->at == '\\') return false;
        reader->at += character_length(text);
    }
    element->length = (int)(reader->at - element->data);
    return true;
}

bool
pgconn_element_text_take(struct pgconn_element_text *text, struct pgconn_input *element,
                         bool *quoted)
{
    *quoted = pgconn_reader_take(&text->reader, '"');
    return *quoted ? quoted_take(text, element) : plain_take(text, element);
}
