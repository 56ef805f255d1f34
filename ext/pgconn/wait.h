/*
 * The only place that blocks. Whatever talks to a server is a stepper: its step does what can be
 * done now and says what it waits for; pgconn_wait_drive waits between the steps, with the GVL
 * released from the first step to the last.
 */
#ifndef PGCONN_WAIT_H
#define PGCONN_WAIT_H

#include "pgconn.h"
#include "wakeup.h"

#include <pthread.h>

enum pgconn_step {
    PGCONN_STEP_DONE,
    PGCONN_STEP_WANT_READ,
    PGCONN_STEP_WANT_WRITE,   /* and to read: who waits to write always reads too */
    PGCONN_STEP_WANT_HANG_UP, /* by the other end; what it has sent doesn't count */
    PGCONN_STEP_FAILED,
};

/* What is driven. Both functions run without the GVL: no Ruby value may be touched there. */
struct pgconn_stepper {
    enum pgconn_step (*step)(void *subject);
    int (*descriptor)(void *subject); /* asked after each step: connecting changes it */
    void *subject;
};

enum pgconn_wait_end {
    PGCONN_WAIT_DONE,
    PGCONN_WAIT_FAILED,
    PGCONN_WAIT_TIMED_OUT,
    PGCONN_WAIT_WOKEN,       /* somebody called pgconn_wait_wake */
    PGCONN_WAIT_INTERRUPTED, /* put things in order, then rb_thread_check_ints() */
};

/* A point in time: nanoseconds of the monotonic clock. */
typedef int64_t pgconn_time;
#define PGCONN_NEVER INT64_MAX

pgconn_time pgconn_wait_now(void);

/* now + seconds, PGCONN_NEVER where the sum is out of range. */
pgconn_time pgconn_wait_after(double seconds);

/*
 * A Ruby Numeric of seconds as a double, raising ArgumentError unless it is positive, TypeError
 * otherwise.
 */
double pgconn_wait_seconds(VALUE seconds, const char *name);

/*
 * Steps until the stepper is done or has failed, or until something else ends the wait. Never
 * raises.
 */
enum pgconn_wait_end pgconn_wait_drive(const struct pgconn_stepper *stepper, pgconn_time deadline);

/*
 * The same. *doorbell is while it lasts what ends it as INTERRUPTED when somebody rings it, with
 * the GVL held. Where the process has no descriptors left it stays NULL, and the wait ends every
 * now and then as TIMED_OUT, before the deadline.
 */
enum pgconn_wait_end pgconn_wait_drive_rung(const struct pgconn_stepper *stepper,
                                            pgconn_time deadline, struct pgconn_wakeup **doorbell);

/* Waits for one thing (WANT_...) on one descriptor. Never raises. */
enum pgconn_wait_end pgconn_wait_descriptor(int descriptor, enum pgconn_step wanted,
                                            pgconn_time deadline);

/* Where a thread sleeps whose flight is in somebody else's hands. Lives on that thread's stack. */
struct pgconn_sleeper {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool woken;
    bool interrupted;
};

void pgconn_wait_sleeper_init(struct pgconn_sleeper *sleeper);
void pgconn_wait_sleeper_destroy(struct pgconn_sleeper *sleeper);

/* Sleeps until woken; a wake that came before it counts. Never raises. */
enum pgconn_wait_end pgconn_wait_sleep(struct pgconn_sleeper *sleeper, pgconn_time deadline);
void pgconn_wait_wake(struct pgconn_sleeper *sleeper);

#endif
