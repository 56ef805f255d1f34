/*
 * PostgreSQL's client encodings as Ruby's, and Ruby strings as bytes in a client encoding.
 */
#ifndef PGCONN_ENCODING_H
#define PGCONN_ENCODING_H

#include "pgconn.h"

/*
 * The index of the Ruby encoding for libpq's encoding number (PQclientEncoding), -1 where Ruby
 * has none. SQL_ASCII is ASCII-8BIT. Does not raise.
 */
int pgconn_encoding_index(int pg_encoding);

/*
 * libpq's encoding number for PostgreSQL's name of one, as the server reads names ("utf-8"), or for
 * a Ruby Encoding. Raises ArgumentError where there is none or Ruby has none like it, TypeError.
 */
int pgconn_encoding_get(VALUE name_or_encoding);

/* Whether the string is bytes of the client encoding already, as below. */
bool pgconn_encoding_fits(VALUE string, int encoding_index);

/*
 * The string as bytes of the client encoding: itself where it is so already (or ASCII only, or
 * ASCII-8BIT, or the client encoding is ASCII-8BIT), else a transcoded copy. Raises DataError for
 * broken strings, for characters that the client encoding lacks; `what` names the thing
 * in the message ("SQL", "parameter $3").
 */
VALUE pgconn_encoding_export(VALUE string, int encoding_index, const char *what);

#endif
