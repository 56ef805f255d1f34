/*
 * What a session sends for itself, without a caller: flights that go ahead of a caller's, in the
 * same round trip. Outside of transactions only.
 */
#ifndef PGCONN_ERRAND_H
#define PGCONN_ERRAND_H

#include "session.h"

/*
 * Ends the transaction that a refused statement has begun, ahead of all that waits; false when out
 * of memory.
 */
bool pgconn_errand_roll_back(struct pgconn_session *session);

/* Queues and admits what there is to be sent, if anything. Raises NoMemoryError. */
void pgconn_errand_send(struct pgconn_session *session);

/* After the answer to a flight: such a one, or a caller's. */
void pgconn_errand_settle(struct pgconn_session *session, const struct pgconn_flight *flight);

#endif
