/*
 * Waiting for a notification. Who waits is no driver and holds up nobody: it reads only while
 * nothing is under way; while something is, it sleeps until the driver has read for all.
 */
#ifndef PGCONN_NOTIFY_WAIT_H
#define PGCONN_NOTIFY_WAIT_H

#include "delivery.h"

/*
 * Takes the oldest notification out of the queue, or waits for one until the deadline: a
 * Pgconn::Notify, or nil. Where handlers are called for it, that is the first that they got.
 * Raises ProgrammingError where it could wait for ever, ConnectionLost or InterfaceError when the
 * connection ends, and what interrupts and handlers raise. The caller keeps the connection alive.
 */
VALUE pgconn_notify_wait(struct pgconn_session *session, pgconn_time deadline);

#endif
