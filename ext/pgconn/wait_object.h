/*
 * Pgconn::Wait: a wait whose loop is Ruby code, in steps. An object serves one wait after the
 * other.
 */
#ifndef PGCONN_WAIT_OBJECT_H
#define PGCONN_WAIT_OBJECT_H

#include "wait.h"
#include "watch.h"

#include <unistd.h>

struct pgconn_wait {
    struct pgconn_watch watch;
    pid_t process; /* a forked child would change what its parent watches */
    VALUE watch_io;
    VALUE plain_io;                       /* the last that was made for what is watched, or nil */
    VALUE io;                             /* which of the two is to be waited for; or nil */
    const struct pgconn_stepper *stepper; /* of the wait that is under way; NULL: none is */
    enum pgconn_wait_way way;
    pgconn_time deadline;
    bool ended;
    enum pgconn_wait_end end;
    VALUE outer; /* the wait in which this one began, or nil: schedulers may use connections, too */
};

/* Raises SystemCallError when out of descriptors. */
VALUE pgconn_wait_object_new(void);

struct pgconn_wait *pgconn_wait_object_get(VALUE self);

/* Between these two a wait is under way. The second raises nothing. */
void pgconn_wait_object_begin(VALUE self, const struct pgconn_stepper *stepper,
                              pgconn_time deadline);
void pgconn_wait_object_end(VALUE self);

/*
 * Makes a step: gives the events to wait for on its io before the next, or 0: that was the last.
 * Raises SystemCallError where that can't be waited for.
 */
int pgconn_wait_object_step(VALUE self);

#endif
