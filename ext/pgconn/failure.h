/*
 * What has failed a transaction: the error that some statement was answered with, which nobody may
 * have waited for. It is kept for who is told later that the transaction had failed.
 */
#ifndef PGCONN_FAILURE_H
#define PGCONN_FAILURE_H

#include "fields.h"

struct pgconn_failure {
    struct pgconn_failure *next;
    struct pgconn_failure **place; /* what points to it in the list; NULL: it is in none any more */
    int references;
    VALUE error; /* the exception that was made of it, which the list's owner marks; or nil */
    bool canceled;
    int encoding_index;          /* of the texts in the fields */
    struct pgconn_fields fields; /* in its own memory */
};

/* Those of one session. All of it runs with the GVL held; nothing raises. */
struct pgconn_failures {
    struct pgconn_failure *first;   /* of all that somebody refers to */
    struct pgconn_failure *current; /* of the transaction that is open; or NULL */
};

/* Makes the error, in place of the last one, what has failed the transaction that is open. */
void pgconn_failures_enter(struct pgconn_failures *failures, const PGresult *error,
                           int encoding_index);

/* It isn't failed any more, or has gone. */
void pgconn_failures_forget(struct pgconn_failures *failures);

/* For the garbage collector: none of it moves. */
void pgconn_failures_mark(const struct pgconn_failures *failures);

/* Their owner goes. Those that others refer to live on without their exceptions. */
void pgconn_failures_clear(struct pgconn_failures *failures);

/* Both are fine with NULL. */
struct pgconn_failure *pgconn_failure_retain(struct pgconn_failure *failure);
void pgconn_failure_release(struct pgconn_failure *failure);

#endif
