/*
 * A flight that was begun: it is on its way while its owner does something else, and its answer is
 * taken when the owner comes to that, or by nobody where the owner is collected first. What is
 * wrong with it is told then; but what it does to the transaction it does at once.
 */
#ifndef PGCONN_BEGUN_H
#define PGCONN_BEGUN_H

#include "answer.h"

/* Part of its owner; zeroed at first. */
struct pgconn_begun {
    struct pgconn_session *session;
    struct pgconn_flight *flight; /* NULL: none was begun, or it went with its connection */
};

/*
 * Whether this caller may begin a flight now. Not where it couldn't wait for it, nor while it
 * gathers a pipeline, which goes first; nor where the server would refuse whatever it is.
 */
bool pgconn_begun_is_possible(const struct pgconn_session *session);

/* Begins it, and keeps it. Raises NoMemoryError only. */
void pgconn_begun_keep(struct pgconn_begun *begun, struct pgconn_session *session,
                       struct pgconn_flight *flight);

/*
 * Gives the flight, or NULL, to who runs it at once (see pgconn_driver_run), which is a wait only.
 * Raises, and keeps it, where this caller can't wait, or what goes ahead of it in a pipeline fails.
 */
struct pgconn_flight *pgconn_begun_take(struct pgconn_begun *begun);

/* Nobody takes its answer. Fine where there is none, and while garbage is collected. */
void pgconn_begun_drop(struct pgconn_begun *begun);

#endif
