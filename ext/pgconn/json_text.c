#include "json_text.h"

#define ESCAPE_LENGTH 6 /* \ud83d */

enum surrogate { NO_SURROGATE, HIGH_SURROGATE, LOW_SURROGATE };

/* What the escape stands for that begins with the backslash which comes next. */
static enum surrogate
escape_surrogate(const struct pgconn_reader *reader)
{
    const char *at = reader->at;

    if (pgconn_reader_left(reader) < ESCAPE_LENGTH) return NO_SURROGATE;
    if (at[1] != 'u' || (at[2] != 'd' && at[2] != 'D')) return NO_SURROGATE;
    if (memchr("89abAB", at[3], 6)) return HIGH_SURROGATE;
    return memchr("cdefCDEF", at[3], 8) ? LOW_SURROGATE : NO_SURROGATE;
}

/* Goes on to the next backslash; false where there is none with something behind it. */
static bool
escape_find(struct pgconn_reader *reader)
{
    const char *found = memchr(reader->at, '\\', pgconn_reader_left(reader));

    if (!found || reader->end - found < 2) return false;
    reader->at = found;
    return true;
}

bool
pgconn_json_text_is_paired(struct pgconn_reader reader)
{
    while (escape_find(&reader)) {
        switch (escape_surrogate(&reader)) {
        case LOW_SURROGATE:
            return false;
        case HIGH_SURROGATE:
            reader.at += ESCAPE_LENGTH;
            if (!pgconn_reader_sees(&reader, '\\')) return false;
            if (escape_surrogate(&reader) != LOW_SURROGATE) return false;
            reader.at += ESCAPE_LENGTH;
            break;
        case NO_SURROGATE:
            reader.at += 2;
        }
    }
    return true;
}

/* Goes behind the quotation mark that ends a string. */
static void
string_skip(struct pgconn_reader *reader)
{
    while (!pgconn_reader_at_end(reader)) {
        char byte = *reader->at++;

        if (byte == '"') return;
        if (byte == '\\' && !pgconn_reader_at_end(reader)) reader->at++;
    }
}

int
pgconn_json_text_depth(struct pgconn_reader reader)
{
    int depth = 0, deepest = 0;

    while (!pgconn_reader_at_end(&reader)) {
        char byte = *reader.at++;

        if (byte == '"') string_skip(&reader);
        else if (byte == '[' || byte == '{') depth++;
        else if (byte == ']' || byte == '}') depth--;
        if (depth > deepest) deepest = depth;
    }
    return deepest;
}
