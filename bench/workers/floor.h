/*
 * The floor: what a driver over libpq can hardly go below. It has each statement executed with
 * binary results, reads the bytes of each cell and makes nothing of them (floor_query.c); it writes
 * what is ready to be sent, and drops what comes (floor_bulk.c). worker.rb says what the commands
 * and answers are (floor.c); SHAPE means nothing here, there is one caller and nothing beside it,
 * and no digest, for there are no values. What goes wrong ends it.
 */
#ifndef FLOOR_H
#define FLOOR_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#define MAX_VALUES 4096 /* of the parameters of all executions */

struct statement {
    char *line; /* the command, to which the others point */
    const char *name;
    const char *sql;
    const char *written, *reset; /* SQL, or empty */
    const struct action *action;
    bool prepared;
    int batch;   /* executions that go together, in a pipeline */
    int checked; /* executions, at least */
    int nparams; /* of one execution */
    int nvalues; /* of all, one execution's after the other's */
    const char *values[MAX_VALUES];
    PGresult *rows;   /* to be written by executions of a statement; or NULL */
    char *text;       /* the same for COPY; or NULL */
    size_t text_size; /* bytes */
};

/* What a statement's executions came to. */
struct total {
    long queries, rows;
    int columns;
    unsigned long bytes; /* their sum: without a use the compiler would not read them */
};

/* What can be done with a statement. */
struct action {
    const char *name;
    void (*prepare)(struct statement *statement, PGconn *conn, const char *values);
    void (*execute)(const struct statement *statement, PGconn *conn, struct total *total);
};

/* Those that there are, the last without a name. */
extern const struct action query_actions[], bulk_actions[];

void fail(const char *message);

/* Executes SQL, whose result must have that status. */
PGresult *statement_run(PGconn *conn, const char *sql, ExecStatusType status);

/* Waits for it, if need be. */
PGresult *next_result(PGconn *conn);

/* Adds the rows of a result, and reads their bytes. */
void result_read(const PGresult *result, struct total *total);

/* Has the server parse a statement that is executed by its name. */
void statement_prepare(struct statement *statement, PGconn *conn, const char *values);

/* The result of a Sync. */
void sync_read(PGconn *conn);

#endif
