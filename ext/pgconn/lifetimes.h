/*
 * How long what the server keeps for callers lives, as the answers to flights tell.
 */
#ifndef PGCONN_LIFETIMES_H
#define PGCONN_LIFETIMES_H

#include "session.h"

/* Whether the server has to be asked first if what the flight uses is still there. */
bool pgconn_lifetimes_doubt(const struct pgconn_flight *flight);

/*
 * After the answer to a flight: while the blocks are still those in which it was sent, and when
 * they have followed it.
 */
void pgconn_lifetimes_settle_blocks(struct pgconn_session *session,
                                    const struct pgconn_flight *flight);
void pgconn_lifetimes_settle(struct pgconn_session *session, const struct pgconn_flight *flight);

#endif
