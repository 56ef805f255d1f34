/*
 * Ruby arguments to what libpq's PQsendQueryParams takes, all of it in C memory, so that libpq can
 * read it while Ruby runs on.
 */
#ifndef PGCONN_PARAMS_H
#define PGCONN_PARAMS_H

#include "codec.h"

#define PGCONN_PARAMS_MAX 65535

/*
 * The server ends the session for a message of 0x3fffffff bytes. What goes with the SQL or with the
 * values in theirs (names, types, lengths and formats) takes less than the difference.
 */
#define PGCONN_PARAMS_BYTES_MAX (0x3ffffffe - 0x80000)

struct pgconn_params {
    int count;
    Oid *types;          /* 0: the server decides */
    const char **values; /* NULL: SQL NULL; values end with a NUL byte, which isn't counted */
    int *lengths;
    int *formats; /* 0 text, 1 binary */
    struct pgconn_buffer bytes;
};

/*
 * Encodes an Array of values. Raises DataError, ProgrammingError (too many) or what the values'
 * own methods raise; params, zeroed before, then holds what was allocated so far and must be freed
 * all the same.
 */
void pgconn_params_encode(struct pgconn_params *params, VALUE values, int encoding_index);

/* Frees what params holds and zeroes it; fine on a zeroed one. Doesn't need the GVL. */
void pgconn_params_free(struct pgconn_params *params);

/*
 * The user's SQL and arguments made ready for the server: `:name` becomes `$n` where arguments is
 * a Hash (Symbol or String keys), and the numbers of parameters are compared. arguments is nil, an
 * Array or a Hash. *values gets the Array for pgconn_params_encode. Gives the SQL to send, UTF-8 or
 * as it was. Raises ProgrammingError that names missing and unused names, or both numbers; also for
 * a NUL byte in the SQL. (params_names.c)
 */
VALUE pgconn_params_bind_names(VALUE sql, VALUE arguments, bool standard_strings, VALUE *values);

/*
 * Where a 1-based character position in the rewritten SQL lies in the user's own text; the position
 * itself where nothing was rewritten. (params_names.c)
 */
long pgconn_params_user_position(VALUE sql, VALUE arguments, bool standard_strings, long position);

#endif
