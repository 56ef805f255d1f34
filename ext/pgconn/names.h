/*
 * The names that a session's server knows: which statements have one, and which names nobody uses
 * any more and are to be closed.
 */
#ifndef PGCONN_NAMES_H
#define PGCONN_NAMES_H

#include "flight.h"

struct pgconn_names {
    unsigned long epoch; /* grows when the server drops all names */
    unsigned *closing;   /* the numbers of those to be closed, the oldest first */
    int closing_count;
    int closing_capacity;
};

/* Whether the server knows the statement by its name. */
bool pgconn_names_know(const struct pgconn_names *names, const struct pgconn_prepared *prepared);

/* Nobody has a use for the statement any more: its name, if it has one, will be closed. */
void pgconn_names_drop(struct pgconn_names *names, struct pgconn_prepared *prepared);

/* Takes over what the answer to a flight says of statements. */
void pgconn_names_settle(struct pgconn_names *names, struct pgconn_flight *flight);

/* Takes the names that a flight of DEALLOCATEs has closed off the list. */
void pgconn_names_settle_closing(struct pgconn_names *names, const struct pgconn_flight *flight);

#endif
