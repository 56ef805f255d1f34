#include "busy_poll.h"

#include <poll.h>
#include <sched.h>

/*
 * No look lasts longer; nanoseconds. The first answer of a server whose core has fallen asleep, as
 * it does while another thread has the GVL for 100 ms, takes half of that. One that takes four
 * looks is slow.
 */
#define LOOK_MAX 500000
#define SLOW (4 * LOOK_MAX)

/* At first both ways are tried in turn; later the other one with each so-manieth wait. */
#define WAITS_IN_TURN 16
#define WAITS_BETWEEN_TRIALS 64

/* It has to save an eighth of the time, for it costs the processor more. */
static bool
look_pays(const struct pgconn_busy_poll *busy_poll)
{
    return busy_poll->polled < busy_poll->slept - busy_poll->slept / 8;
}

static bool
is_trial(const struct pgconn_busy_poll *busy_poll)
{
    return busy_poll->waits % WAITS_BETWEEN_TRIALS == 0;
}

static bool
look_is_due(struct pgconn_busy_poll *busy_poll)
{
    if (++busy_poll->waits <= WAITS_IN_TURN) return busy_poll->waits % 2 == 0;
    return look_pays(busy_poll) != is_trial(busy_poll);
}

/* Trials are rare, so each of them counts for more. How slow a slow answer was tells nothing. */
static void
learn(const struct pgconn_busy_poll *busy_poll, pgconn_time *usual, pgconn_time time)
{
    if (time > SLOW) time = SLOW;
    if (*usual == 0) *usual = time;
    *usual += (time - *usual) / (is_trial(busy_poll) ? 2 : 8);
}

/* Whether there is something to be read before the look ends. */
static bool
look(const struct pgconn_stepper *stepper, pgconn_time end)
{
    struct pollfd socket = {.fd = stepper->descriptor(stepper->subject), .events = POLLIN};

    do {
        if (poll(&socket, 1, 0) > 0) return true;
        sched_yield(); /* to a server on the same core */
    } while (pgconn_wait_now() < end);
    return false;
}

/* DONE or FAILED where the answer was there in time. */
static enum pgconn_step
step_and_look(const struct pgconn_stepper *stepper, pgconn_time end)
{
    enum pgconn_step step = stepper->step(stepper->subject);

    if (step != PGCONN_STEP_WANT_READ || !look(stepper, end)) return step;
    return stepper->step(stepper->subject);
}

static enum pgconn_wait_end
drive_with_look(const struct pgconn_stepper *stepper, pgconn_time begin, pgconn_time deadline,
                struct pgconn_wakeup **doorbell)
{
    pgconn_time end = begin + LOOK_MAX < deadline ? begin + LOOK_MAX : deadline;

    switch (step_and_look(stepper, end)) {
    case PGCONN_STEP_DONE:
        return PGCONN_WAIT_DONE;
    case PGCONN_STEP_FAILED:
        return PGCONN_WAIT_FAILED;
    default:
        return pgconn_wait_drive_rung(stepper, deadline, doorbell);
    }
}

enum pgconn_wait_end
pgconn_busy_poll_drive(struct pgconn_busy_poll *busy_poll, const struct pgconn_stepper *stepper,
                       pgconn_time deadline, struct pgconn_wakeup **doorbell)
{
    pgconn_time begin;
    enum pgconn_wait_end end;

    if (busy_poll->off) return pgconn_wait_drive_rung(stepper, deadline, doorbell);
    begin = pgconn_wait_now();
    if (look_is_due(busy_poll)) {
        end = drive_with_look(stepper, begin, deadline, doorbell);
        learn(busy_poll, &busy_poll->polled, pgconn_wait_now() - begin);
    }
    else {
        end = pgconn_wait_drive_rung(stepper, deadline, doorbell);
        learn(busy_poll, &busy_poll->slept, pgconn_wait_now() - begin);
    }
    return end;
}
