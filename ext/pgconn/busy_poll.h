/*
 * A look at the socket before a thread sleeps. Where client and server run on two cores, to wake
 * the one that sleeps takes longer than most queries; where they share one, the look only holds the
 * server up. So each connection compares the time its answers take in either way, and uses the
 * shorter one.
 *
 * The GVL is held meanwhile: to take it back from a thread that computes can take 100 ms. That is
 * bounded, by the time of the look and by one step of the stepper before and after it.
 */
#ifndef PGCONN_BUSY_POLL_H
#define PGCONN_BUSY_POLL_H

#include "wait.h"

/* What one connection has learned; zeroed at first. */
struct pgconn_busy_poll {
    bool off;
    unsigned waits;
    pgconn_time polled; /* the usual time to an answer after such a look */
    pgconn_time slept;  /* and without one */
};

/* Like pgconn_wait_drive_rung, for a stepper whose step takes little time. */
enum pgconn_wait_end pgconn_busy_poll_drive(struct pgconn_busy_poll *busy_poll,
                                            const struct pgconn_stepper *stepper,
                                            pgconn_time deadline, struct pgconn_wakeup **doorbell);

#endif
