/*
 * From the lists of messages to the user's queue and handlers: the one way, for commands and for
 * those who wait for messages.
 */
#ifndef PGCONN_DELIVERY_H
#define PGCONN_DELIVERY_H

#include "session.h"

/* Sorts what has arrived into the session's inbox. Runs no Ruby code; raises NoMemoryError only. */
void pgconn_delivery_collect(struct pgconn_session *session);

/*
 * The same, and calls the handlers, unless that is being done already: then the messages are left
 * to who does it. Gives the first notification that a handler got, or nil. Raises what handlers and
 * interrupts raise; what was not delivered then is the next caller's.
 */
VALUE pgconn_delivery_run(struct pgconn_session *session);

/* Whether this caller is calling a handler, and so no other handler is called for what it does. */
bool pgconn_delivery_is_under_way(const struct pgconn_session *session);

#endif
