/*
 * Ruby arguments to what libpq's PQsendQueryParams takes, all of it in C memory, so that libpq can
 * read it while Ruby runs on.
 */
#ifndef PGCONN_PARAMS_H
#define PGCONN_PARAMS_H

#include "types.h"

#define PGCONN_PARAMS_MAX 65535

/*
 * The server ends the session for a message of 0x3fffffff bytes. What goes with the SQL or with the
 * values in theirs (names, types, lengths and formats) takes less than the difference.
 */
#define PGCONN_PARAMS_BYTES_MAX (0x3ffffffe - 0x80000)

/* Room for a few small parameters, without which each statement would ask for memory twice more. */
#define PGCONN_PARAMS_FEW 4
#define PGCONN_PARAMS_FEW_BYTES 128

struct pgconn_params {
    int count;
    Oid *types;          /* 0: the server decides */
    const char **values; /* NULL: SQL NULL; values end with a NUL byte, which isn't counted */
    int *lengths;
    int *formats; /* 0 text, 1 binary */
    struct pgconn_buffer bytes;
    struct {
        const char *values[PGCONN_PARAMS_FEW];
        Oid types[PGCONN_PARAMS_FEW];
        int lengths[PGCONN_PARAMS_FEW];
        int formats[PGCONN_PARAMS_FEW];
        char bytes[PGCONN_PARAMS_FEW_BYTES];
    } few;
};

/* A parameter of a statement that the server has described. */
struct pgconn_parameter {
    Oid type;
    const struct pgconn_codec *codec;
};

/* What a user has given for $1, $2... */
struct pgconn_arguments {
    VALUE values; /* Array of what Typed and to_pg lead to */
    VALUE types;  /* Array of the OIDs that the user has fixed, 0 for the others; nil: none is */
    bool depends; /* how a value is written depends on the type of its parameter */
};

/*
 * Works out what the values are, for the types of a registry (as in pgconn_types_find). Raises
 * DataError, ProgrammingError (too many) or what the values' own methods raise.
 */
struct pgconn_arguments pgconn_params_resolve(VALUE values, VALUE registry);

/*
 * Encodes arguments for the parameters they go to; NULL where those aren't known: then registry
 * (as in pgconn_types_find) has those of fixed types. Raises DataError; params, zeroed
 * before, then holds what was allocated so far and must be freed all the same.
 */
void pgconn_params_encode(struct pgconn_params *params, const struct pgconn_arguments *arguments,
                          const struct pgconn_parameter *known, VALUE registry, int encoding_index);

/* Room for that many values in zeroed params. Raises NoMemoryError. */
void pgconn_params_allocate(struct pgconn_params *params, int count);

/* Only the types, 0 where the server decides, as Parse takes them. The same holds for raising. */
void pgconn_params_set_types(struct pgconn_params *params, VALUE types,
                             const struct pgconn_parameter *known, int count);

/* Frees what params holds and empties it; fine on a zeroed one. Doesn't need the GVL. */
void pgconn_params_free(struct pgconn_params *params);

/* SQL made ready for the server. */
struct pgconn_sql {
    VALUE text; /* with `$n` for each `:name`; UTF-8, or as it was */
    VALUE
    names; /* frozen Array of the names in the order of their numbers, Strings in UTF-8; or nil */
    int highest;  /* the highest $n, where there are no names */
    bool embeds;  /* it holds statements that may have parameters of their own */
    bool several; /* it is more than one statement, or can't be told from that */
    bool may_end; /* one of several may end the transaction that is open */
};

/*
 * Reads a user's SQL. by_name: `:name` is a parameter. Raises ProgrammingError for a NUL byte and
 * for `$n` beside names. (params_names.c)
 */
struct pgconn_sql pgconn_params_parse(VALUE sql, bool by_name, bool standard_strings);

/*
 * The values of the SQL's parameters as an Array: arguments is nil or an Array, or a Hash (Symbol
 * or String keys) where the SQL was parsed by name. Raises ProgrammingError that names missing and
 * unused names, or both numbers. (params_names.c)
 */
VALUE pgconn_params_values(const struct pgconn_sql *sql, VALUE arguments);

/* Called by Init_pgconn_params. */
void pgconn_params_names_init(void);

/*
 * Where a 1-based character position in the rewritten SQL lies in the user's own text; the position
 * itself where nothing was rewritten. (params_names.c)
 */
long pgconn_params_user_position(VALUE sql, VALUE arguments, bool standard_strings, long position);

#endif
