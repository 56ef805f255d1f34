/*
 * The ends of transactions and blocks, and changes of the session's modes, at the moment when it is
 * their turn: only then it is known whether a transaction is open.
 */
#ifndef PGCONN_BOUNDARY_H
#define PGCONN_BOUNDARY_H

#include "session.h"

/* Makes a flight, without a statement yet. Raises NoMemoryError. */
struct pgconn_flight *pgconn_boundary_flight(const struct pgconn_session *session,
                                             enum pgconn_boundary boundary,
                                             struct pgconn_hold *hold);

/* Makes a flight one; hold is the block that it opens or ends, or NULL. */
void pgconn_boundary_mark(struct pgconn_flight *flight, enum pgconn_boundary boundary,
                          struct pgconn_hold *hold);

/*
 * Queues the ends of blocks that nobody can leave any more, and ends the transfer that waits where
 * its caller can't come back in time. Raises what interrupts raise.
 */
void pgconn_boundary_end_forsaken(struct pgconn_session *session);

/* True where it is done without a word to the server. */
bool pgconn_boundary_pass(struct pgconn_session *session, struct pgconn_flight *flight);

/*
 * Gives the flight that is about to be sent what begins or ends transactions. Raises NoMemoryError.
 */
void pgconn_boundary_prepare(struct pgconn_session *session, struct pgconn_flight *flight);

#endif
