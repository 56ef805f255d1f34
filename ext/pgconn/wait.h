/*
 * The only place that blocks, and the only one that decides how. Whatever talks to a server is a
 * stepper: its step does what can be done now and says what it waits for; pgconn_wait_drive waits
 * between the steps. In a thread it does so with the GVL released from the first step to the last.
 * In all other ways steps are made with the GVL, and what waits between them is Ruby code.
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
    PGCONN_STEP_WANT_CONNECT, /* to write, and nothing else: so it is while connecting */
    PGCONN_STEP_WANT_HANG_UP, /* by the other end; what it has sent doesn't count */
    PGCONN_STEP_FAILED,
};

/* What is driven. Both functions may run without the GVL: no Ruby value may be touched there. */
struct pgconn_stepper {
    enum pgconn_step (*step)(void *subject);
    int (*descriptor)(void *subject); /* asked after each step: connecting changes it */
    void *subject;
    VALUE connection; /* that is waited for; 0: none */
};

enum pgconn_wait_end {
    PGCONN_WAIT_DONE,
    PGCONN_WAIT_FAILED,
    PGCONN_WAIT_TIMED_OUT,
    PGCONN_WAIT_WOKEN,       /* somebody called pgconn_wait_wake */
    PGCONN_WAIT_INTERRUPTED, /* put things in order, then pgconn_wait_check_ints() */
};

/*
 * To be called after each INTERRUPTED, with no other Ruby code in between: raises what has ended
 * the wait, if that was meant to raise.
 */
void pgconn_wait_check_ints(void);

enum pgconn_wait_way {
    PGCONN_WAIT_NATIVE,
    PGCONN_WAIT_SCHEDULER, /* a Fiber scheduler's io_wait, in a non-blocking fiber */
    PGCONN_WAIT_CALLBACK,  /* the user's wait callback, which polls the connection */
    PGCONN_WAIT_YIELDING,  /* in the operation of an async connection: by leaving its fiber */
};

/*
 * How the calling fiber waits for a connection, or (0) for something else. Who doesn't wait
 * natively is, as seen by others, never in the middle of a step. (wait_way.c, as those below)
 */
enum pgconn_wait_way pgconn_wait_way(VALUE connection);

/* The user's wait callback, or nil. (wait_callback.c) */
VALUE pgconn_wait_callback(void);

/*
 * Makes the calling fiber an operation of the connection, as long as it lasts; and whether it is
 * one.
 */
void pgconn_wait_enter_operation(VALUE connection);
bool pgconn_wait_is_in_operation(VALUE connection);

/* A point in time: nanoseconds of the monotonic clock. */
typedef int64_t pgconn_time;
#define PGCONN_NEVER INT64_MAX

pgconn_time pgconn_wait_now(void);

/* To some milliseconds, in much less time; not to be compared with the exact one. */
pgconn_time pgconn_wait_now_roughly(void);

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

/*
 * Whether the calling fiber is in the middle of a wait for the connection: it is called by the Ruby
 * code of that wait, and must not begin another. (wait_ruby.c)
 */
bool pgconn_wait_is_under_way(VALUE connection);

/* That for all ways that aren't native. (wait_ruby.c, as those below) */
enum pgconn_wait_end pgconn_wait_drive_ruby(const struct pgconn_stepper *stepper,
                                            pgconn_time deadline, struct pgconn_wakeup **doorbell);

/*
 * For the Ruby code that waits for a connection in the calling fiber: makes a step. An Integer,
 * what to wait for then on pgconn_wait_io's IO, 0 at the end; nil: no wait is under way.
 */
VALUE pgconn_wait_poll(VALUE connection);
VALUE pgconn_wait_io(VALUE connection);

/*
 * Waits for one thing (WANT_...) on one descriptor; connection as a stepper has it. Never raises.
 * The second has a doorbell, as pgconn_wait_drive_rung.
 */
enum pgconn_wait_end pgconn_wait_descriptor(int descriptor, enum pgconn_step wanted,
                                            pgconn_time deadline, VALUE connection);
enum pgconn_wait_end pgconn_wait_descriptor_rung(int descriptor, enum pgconn_step wanted,
                                                 pgconn_time deadline, VALUE connection,
                                                 struct pgconn_wakeup **doorbell);

/* Where a caller sleeps whose flight is in somebody else's hands; on that caller's stack. */
struct pgconn_sleeper {
    VALUE connection; /* as a stepper has it */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct pgconn_wakeup *bell; /* of a fiber; NULL: it sleeps in the condition, or not at all */
    bool woken;
    bool interrupted;
};

void pgconn_wait_sleeper_init(struct pgconn_sleeper *sleeper, VALUE connection);
void pgconn_wait_sleeper_destroy(struct pgconn_sleeper *sleeper);

/* Sleeps until woken; a wake that came before it counts. Never raises. (wait_sleep.c) */
enum pgconn_wait_end pgconn_wait_sleep(struct pgconn_sleeper *sleeper, pgconn_time deadline);

/* From any thread, with or without the GVL. */
void pgconn_wait_wake(struct pgconn_sleeper *sleeper);

#endif
