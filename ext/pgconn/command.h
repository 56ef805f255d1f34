/*
 * One command of a flight: what the server is asked to do, and its answer. No Ruby values.
 */
#ifndef PGCONN_COMMAND_H
#define PGCONN_COMMAND_H

#include "many.h"
#include "prepared.h"

/* What a command asks the server to do. */
enum pgconn_command_kind {
    PGCONN_COMMAND_QUERY,           /* Parse (without a name), Bind, Describe and Execute */
    PGCONN_COMMAND_EXECUTE,         /* Bind, Describe and Execute, of a statement with a name */
    PGCONN_COMMAND_PREPARE,         /* Parse; an empty name is none */
    PGCONN_COMMAND_DESCRIBE,        /* Describe, of a statement */
    PGCONN_COMMAND_DESCRIBE_PORTAL, /* Describe, of the portal with the name that stands for sql */
    PGCONN_COMMAND_STATEMENTS,      /* any number of statements: see simple_query.h */
};

struct pgconn_command {
    struct pgconn_command *next;
    enum pgconn_command_kind kind;
    bool within; /* the flight's own memory */
    char *sql;   /* in the client encoding; of QUERY, PREPARE and STATEMENTS */
    char name[PGCONN_PREPARED_NAME_MAX];
    const void *cursor;               /* that executes it: only compared; or NULL */
    struct pgconn_prepared *prepared; /* the statement that it is about, retained; or NULL */
    bool relies;                      /* on what was learned of its statement */
    bool lasts;                       /* it may have committed a part of what it did */
    struct pgconn_params params;      /* of PREPARE: only the number and the types */
    struct pgconn_many *many;         /* of an EXECUTE of many rows of values, its own; or NULL */
    int result_format;                /* 0 text, 1 binary */
    PGresult *result;
};

/*
 * A command with a copy of the SQL, which may be NULL; in the memory of spare unless that is in use
 * or NULL. NULL when out of memory.
 */
struct pgconn_command *pgconn_command_new(struct pgconn_command *spare,
                                          enum pgconn_command_kind kind, const char *sql);
/* Whether it gives its statement the name that it is under way to get. */
bool pgconn_command_names(const struct pgconn_command *command);

void pgconn_command_free(struct pgconn_command *command);

/*
 * Hands it to libpq, which is in pipeline mode, and frees its parameters; false if that fails. Of
 * many executions it takes as many as the socket does: then it is to be called again.
 */
bool pgconn_command_send(PGconn *pg, struct pgconn_command *command);

/* Whether libpq has all of it. */
bool pgconn_command_is_sent(const struct pgconn_command *command);

/* Keeps a result, or clears it; false when out of memory. */
bool pgconn_command_keep(struct pgconn_command *command, PGresult *result);

/* Takes the result out; the caller clears it. NULL: there is none. */
PGresult *pgconn_command_take_result(struct pgconn_command *command);

#endif
