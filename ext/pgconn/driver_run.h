/*
 * One caller's wait for one flight: what the files of the driver share.
 */
#ifndef PGCONN_DRIVER_RUN_H
#define PGCONN_DRIVER_RUN_H

#include "driver.h"

/* On its caller's stack. */
struct pgconn_run {
    struct pgconn_session *session;
    struct pgconn_flight *flight;
    pgconn_time deadline;
    VALUE thread;                   /* the caller's */
    struct pgconn_wakeup *doorbell; /* while it drives: what ends its wait; NULL: none */
    bool replaceable;               /* while it drives: its waits are Ruby code */
    bool replaced;                  /* another has taken over once */
    bool returned;
    bool sleeps; /* the sleeper has been made; flight->sleeper points to it */
    enum pgconn_run_end end;
    struct pgconn_sleeper sleeper;
};

/* Takes over what was answered, and sends what may be sent, while somebody else drives. */
void pgconn_run_advance(struct pgconn_session *session);

/* Lets another caller but that of a flight go on with the driving, if nobody has yet. */
void pgconn_run_wake_next(const struct pgconn_session *session,
                          const struct pgconn_flight *skipped);

/* Its deadline has passed: see the outcomes in pgconn_driver_run's contract. (driver_expire.c) */
void pgconn_run_expire(struct pgconn_run *run);

/* An interrupt raises: nobody is left to take the answer. (driver_expire.c) */
void pgconn_run_give_up(struct pgconn_run *run);

#endif
