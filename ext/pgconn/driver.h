/*
 * The one loop that takes a flight from the queue's end to its answer. Whoever waits drives the
 * queue for all; the others sleep until their flight is answered or it is their turn to drive.
 */
#ifndef PGCONN_DRIVER_H
#define PGCONN_DRIVER_H

#include "session.h"

/*
 * Connects the session, which is new, to one address. nil, or libpq's text on why not (a String),
 * or :timed_out. Raises what interrupts raise; the session is then as before.
 * (driver_connect.c)
 */
VALUE pgconn_driver_connect(struct pgconn_session *session, VALUE parameters, pgconn_time deadline);

enum pgconn_run_end {
    PGCONN_RUN_ANSWERED,
    PGCONN_RUN_PAUSED,    /* its transfer needs the caller, who comes back by resume, or drops it */
    PGCONN_RUN_LOST,      /* the connection was lost or closed first */
    PGCONN_RUN_OUTDATED,  /* the session has changed since it was made: make it again; never sent */
    PGCONN_RUN_FORBIDDEN, /* by the session's state, as flight->forbidden says; never sent */
    PGCONN_RUN_NOT_SENT,  /* the deadline came first; it was never sent */
    PGCONN_RUN_CANCELED,  /* its cursor's cancel came first; it was never sent */
    PGCONN_RUN_BEHIND,    /* the deadline came first; it was sent behind another caller's */
    PGCONN_RUN_UNKNOWN,   /* the deadline came first, and no answer to the cancel request either */
};

/* Whether the flight is the caller's again; else the queue has it, which frees it. */
static inline bool
pgconn_run_gives_back(enum pgconn_run_end end)
{
    return end != PGCONN_RUN_BEHIND && end != PGCONN_RUN_UNKNOWN;
}

/*
 * Queues the flight, unless it was begun, and waits for its answer until the deadline. Then the
 * statement is cancelled, and waited for as long as cancel_timeout, after which the connection
 * counts as lost; one behind another caller's is cancelled when its turn comes, and not waited for.
 * The flight is given back as pgconn_run_gives_back says; where an interrupt raises it is
 * abandoned, the server asked to cancel it, unless it runs on, and the queue frees it. A flight
 * that leaves a block is never taken back or cancelled: it is left to the queue.
 */
enum pgconn_run_end pgconn_driver_run(struct pgconn_session *session, struct pgconn_flight *flight,
                                      pgconn_time deadline);

/* Goes on with a flight that was paused, in a session that is open, in the same way. */
enum pgconn_run_end pgconn_driver_resume(struct pgconn_session *session,
                                         struct pgconn_flight *flight, pgconn_time deadline);

/* Ends a flight that was paused without waiting; it is the queue's, or freed. (driver_send.c) */
void pgconn_driver_drop(struct pgconn_session *session, struct pgconn_flight *flight);

/*
 * The same where its owner is collected, and its session may be gone already: who drives next ends
 * what is left in the middle. (driver_send.c)
 */
void pgconn_driver_forsake(struct pgconn_flight *flight);

/*
 * Queues a flight that nobody waits for, in a session that is open, and sends what can be sent at
 * once. The queue frees it. (driver_send.c)
 */
void pgconn_driver_post(struct pgconn_session *session, struct pgconn_flight *flight);

/*
 * Queues a flight whose answer is taken later, in a session that is open, and sends what can be
 * sent at once. It stays the caller's, who runs it or lets it run on. See begun.h for who has an
 * owner that may be collected. (driver_send.c)
 */
void pgconn_driver_begin(struct pgconn_session *session, struct pgconn_flight *flight);

/* Nobody takes its answer any more; nothing is cancelled, for what it does counts. (driver_send.c)
 */
void pgconn_driver_let_run_on(struct pgconn_session *session, struct pgconn_flight *flight);

/*
 * Without a caller: sends what can be sent at once, and reads what has come, also unasked. The
 * session may be lost then. (driver_send.c)
 */
void pgconn_driver_take_in(struct pgconn_session *session);

/*
 * Cancels the flight at the head, whoever sent it, or with a cursor only that one's, wherever it
 * is: one that wasn't sent yet leaves the queue. Waits for the request's end until the deadline.
 * message gets libpq's text if the request couldn't be delivered, else it is empty.
 * (driver_cancel.c)
 */
void pgconn_driver_cancel(struct pgconn_session *session, const void *cursor, pgconn_time deadline,
                          char *message, size_t size);

#endif
