/*
 * The values for many executions of one statement, and the answers to them as one. No Ruby values;
 * nothing here waits.
 */
#ifndef PGCONN_MANY_H
#define PGCONN_MANY_H

#include "params.h"

struct pgconn_many {
    long count, sent, answered; /* executions */
    long failed;                /* whose answer is the error that ends them all; -1: none */
    long long affected;         /* rows, by all of them */
    struct pgconn_buffer bytes; /* of each value a length (-1: NULL), a format, and what it holds */
    size_t next;                /* in there: where those of the next to be sent begin */
    struct pgconn_params row;   /* of the execution that is just being added, or sent */
};

struct pgconn_many *pgconn_many_new(void);
void pgconn_many_free(struct pgconn_many *many);

/* Adds many->row, and zeroes it. False when out of memory, or where they come to over 2 GB. */
bool pgconn_many_add(struct pgconn_many *many);

/*
 * Hands libpq, which is in pipeline mode, executions of the statement with that name as long as the
 * socket takes them. False if that fails; many->sent says how many it has.
 */
bool pgconn_many_send(struct pgconn_many *many, PGconn *pg, const char *name, int result_format);

/*
 * Takes the answer to an execution, which it owns from now on, into the one that stands for all:
 * rows are put together, of other answers the last is kept, or the error. False when out of memory.
 */
bool pgconn_many_take(struct pgconn_many *many, PGresult **all, PGresult *result);

#endif
