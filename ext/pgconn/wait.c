#include "wait.h"

#include "error.h"

#include <poll.h>
#include <ruby/thread.h>
#include <time.h>

#define NANOSECONDS 1000000000LL

/* How long to wait at a time for what somebody would ring for, had there been a doorbell. */
#define SECONDS_WITHOUT_DOORBELL 0.1

pgconn_time
pgconn_wait_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NANOSECONDS + now.tv_nsec;
}

pgconn_time
pgconn_wait_now_roughly(void)
{
#ifdef CLOCK_MONOTONIC_COARSE
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec * NANOSECONDS + now.tv_nsec;
#else
    return pgconn_wait_now();
#endif
}

pgconn_time
pgconn_wait_after(double seconds)
{
    /* 2^62 ns are 146 years; a deadline further away is none. */
    if (seconds >= (double)(1LL << 62) / NANOSECONDS) return PGCONN_NEVER;
    return pgconn_wait_now() + (pgconn_time)(seconds * NANOSECONDS);
}

double
pgconn_wait_seconds(VALUE seconds, const char *name)
{
    double value;

    if (!RTEST(rb_obj_is_kind_of(seconds, rb_cNumeric))) {
        rb_raise(rb_eTypeError, "%s must be a number of seconds, not %" PRIsVALUE, name,
                 rb_obj_class(seconds));
    }
    value = NUM2DBL(seconds);
    if (!(value > 0)) {
        rb_raise(rb_eArgError, "%s must be a positive number of seconds, not %" PRIsVALUE, name,
                 rb_inspect(seconds));
    }
    return value;
}

/* Rounded up, so that a wait never ends just before its deadline and spins. */
static int
deadline_milliseconds(pgconn_time deadline)
{
    pgconn_time left;

    if (deadline == PGCONN_NEVER) return -1;
    left = deadline - pgconn_wait_now();
    if (left <= 0) return 0;
    left = (left + 999999) / 1000000;
    return left > INT_MAX ? INT_MAX : (int)left;
}

struct drive {
    const struct pgconn_stepper *stepper;
    pgconn_time deadline;
    struct pgconn_wakeup *wakeup; /* rung when Ruby wants the thread; NULL: none left */
    enum pgconn_wait_end end;
};

static bool
drive_is_native(const struct drive *drive)
{
    return pgconn_wait_way(drive->stepper->connection) == PGCONN_WAIT_NATIVE;
}

static short
events_for(enum pgconn_step wanted)
{
    switch (wanted) {
    case PGCONN_STEP_WANT_HANG_UP:
        return 0;
    case PGCONN_STEP_WANT_WRITE:
        return POLLIN | POLLOUT;
    case PGCONN_STEP_WANT_CONNECT:
        return POLLOUT;
    default:
        return POLLIN;
    }
}

/* One wait between two steps: true when the next step may be made. */
static bool
drive_wait(struct drive *drive, enum pgconn_step wanted)
{
    const struct pgconn_stepper *stepper = drive->stepper;
    struct pollfd descriptors[2] = {
        {.fd = stepper->descriptor(stepper->subject),      .events = events_for(wanted)},
        {.fd = drive->wakeup ? drive->wakeup->reader : -1, .events = POLLIN            },
    };
    int ready = poll(descriptors, 2, deadline_milliseconds(drive->deadline));

    if (ready == 0) {
        drive->end = PGCONN_WAIT_TIMED_OUT;
        return pgconn_wait_now() < drive->deadline; /* poll waits 24 days at most */
    }
    /* Rung, also where the socket is never idle; or EINTR by some signal: Ruby will look. */
    drive->end = PGCONN_WAIT_INTERRUPTED;
    return ready > 0 && !descriptors[1].revents;
}

static void *
drive_without_gvl(void *arg)
{
    struct drive *drive = arg;
    enum pgconn_step wanted;

    do {
        wanted = drive->stepper->step(drive->stepper->subject);
        if (wanted == PGCONN_STEP_DONE || wanted == PGCONN_STEP_FAILED) {
            drive->end = wanted == PGCONN_STEP_DONE ? PGCONN_WAIT_DONE : PGCONN_WAIT_FAILED;
            return NULL;
        }
    } while (drive_wait(drive, wanted));
    return NULL;
}

/* May be called by a signal handler. */
static void
drive_interrupt(void *wakeup)
{
    pgconn_wakeup_ring(wakeup);
}

/* Lets go of the GVL until the end. */
static enum pgconn_wait_end
drive_run(struct drive *drive, struct pgconn_wakeup **doorbell)
{
    /* Without descriptors to spare, a signal ends the poll; it may come between two of them. */
    if (!drive->wakeup) {
        rb_thread_call_without_gvl2(drive_without_gvl, drive, RUBY_UBF_IO, NULL);
        return drive->end;
    }
    *doorbell = drive->wakeup;
    /* Async-safe: else a program of one thread has its timer thread armed for each wait. */
    rb_nogvl(drive_without_gvl, drive, drive_interrupt, drive->wakeup,
             RB_NOGVL_INTR_FAIL | RB_NOGVL_UBF_ASYNC_SAFE);
    *doorbell = NULL;
    pgconn_wakeup_give_back(drive->wakeup);
    return drive->end;
}

enum pgconn_wait_end
pgconn_wait_drive(const struct pgconn_stepper *stepper, pgconn_time deadline)
{
    /* Stays so when Ruby has an interrupt pending already and doesn't let the region begin. */
    struct drive drive = {.stepper = stepper, .deadline = deadline, .end = PGCONN_WAIT_INTERRUPTED};
    struct pgconn_wakeup *unheard;

    if (!drive_is_native(&drive)) return pgconn_wait_drive_ruby(stepper, deadline, &unheard);
    drive.wakeup = pgconn_wakeup_take();
    return drive_run(&drive, &unheard);
}

enum pgconn_wait_end
pgconn_wait_drive_rung(const struct pgconn_stepper *stepper, pgconn_time deadline,
                       struct pgconn_wakeup **doorbell)
{
    struct drive drive = {.stepper = stepper, .deadline = deadline, .end = PGCONN_WAIT_INTERRUPTED};
    pgconn_time soon;

    if (!drive_is_native(&drive)) return pgconn_wait_drive_ruby(stepper, deadline, doorbell);
    drive.wakeup = pgconn_wakeup_take();
    if (!drive.wakeup) {
        soon = pgconn_wait_after(SECONDS_WITHOUT_DOORBELL);
        if (soon < deadline) drive.deadline = soon;
    }
    return drive_run(&drive, doorbell);
}

struct single {
    int descriptor;
    enum pgconn_step wanted;
    bool waited;
};

static enum pgconn_step
single_step(void *subject)
{
    struct single *single = subject;

    if (single->waited) return PGCONN_STEP_DONE;
    single->waited = true;
    return single->wanted;
}

static int
single_descriptor(void *subject)
{
    return ((struct single *)subject)->descriptor;
}

enum pgconn_wait_end
pgconn_wait_descriptor(int descriptor, enum pgconn_step wanted, pgconn_time deadline,
                       VALUE connection)
{
    struct single single = {.descriptor = descriptor, .wanted = wanted};
    struct pgconn_stepper stepper = {single_step, single_descriptor, &single, connection};

    return pgconn_wait_drive(&stepper, deadline);
}

enum pgconn_wait_end
pgconn_wait_descriptor_rung(int descriptor, enum pgconn_step wanted, pgconn_time deadline,
                            VALUE connection, struct pgconn_wakeup **doorbell)
{
    struct single single = {.descriptor = descriptor, .wanted = wanted};
    struct pgconn_stepper stepper = {single_step, single_descriptor, &single, connection};

    return pgconn_wait_drive_rung(&stepper, deadline, doorbell);
}
