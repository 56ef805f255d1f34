/*
 * The fields of an error or notice message, as libpq gives them and as Ruby gets them: by the
 * keywords of Pgconn::Diagnostics.
 */
#ifndef PGCONN_FIELDS_H
#define PGCONN_FIELDS_H

#include "pgconn.h"

#define PGCONN_FIELD_COUNT 18

struct pgconn_fields {
    const char *texts[PGCONN_FIELD_COUNT]; /* NULL: the message has no such field */
    const char *whole;                     /* libpq's own text of it all */
};

/* The result's fields, whose texts stay the result's. It may be NULL: then there are none. */
void pgconn_fields_read(struct pgconn_fields *fields, const PGresult *result);

/* The bytes that a copy of the texts takes; and such a copy, which lasts as long as the bytes. */
size_t pgconn_fields_size(const struct pgconn_fields *fields);
void pgconn_fields_copy(struct pgconn_fields *copy, const struct pgconn_fields *fields,
                        char *bytes);

/* The fields that there are, as a Hash of frozen Strings and, for positions, Integers. */
VALUE pgconn_fields_hash(const struct pgconn_fields *fields, int encoding_index);

/*
 * A text of the server's or libpq's as a frozen String. What a session says before its client
 * encoding is set up may be in another one: the text is kept as it came and gets the first of
 * that encoding (an index below 0: unknown), UTF-8 and ASCII-8BIT that it is valid in.
 */
VALUE pgconn_fields_text(const char *text, int encoding_index);

#endif
