/*
 * The steps of a connect: PQconnectStartParams and then PQconnectPoll, to one address.
 */
#ifndef PGCONN_CONNECTING_H
#define PGCONN_CONNECTING_H

#include "conninfo.h"
#include "message.h"
#include "wait.h"

struct pgconn_connecting {
    struct pgconn_conninfo conninfo;
    struct pgconn_messages *messages;
    PGconn *pg;              /* made by the first step; whoever drives takes or finishes it */
    enum pgconn_step wanted; /* what the last step said */
};

/* Empty; raises NoMemoryError. */
struct pgconn_connecting *pgconn_connecting_new(struct pgconn_messages *messages);

/* Copies a Hash of Strings. Raises NoMemoryError; what was copied must be freed all the same. */
void pgconn_connecting_prepare(struct pgconn_connecting *connecting, VALUE parameters);

/* With the copies; finishes the PGconn if it is still there. NULL: does nothing. */
void pgconn_connecting_free(struct pgconn_connecting *connecting);

/*
 * A pgconn_stepper's functions. FAILED: PQerrorMessage(connecting->pg) says why (pg NULL: no
 * memory).
 */
enum pgconn_step pgconn_connecting_step(void *connecting);
int pgconn_connecting_descriptor(void *connecting);

#endif
