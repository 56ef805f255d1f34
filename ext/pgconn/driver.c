#include "driver_run.h"

#include "boundary.h"

/* Seconds after which who waits for a block looks whether there is still somebody to leave it. */
#define FORSAKEN_LOOK 0.5

/* Bytes that are copied within microseconds. */
#define SMALL_FLIGHT 16384

static bool
run_waits(const struct pgconn_run *run)
{
    return run->flight && run->flight->state < PGCONN_FLIGHT_ANSWERED &&
           run->session->queue.paused != run->flight;
}

/*
 * Who has waited longest, but for the flight that is skipped; NULL: nobody. Threads come before
 * fibers, for the thread of a fiber may be busy with other things.
 */
static struct pgconn_sleeper *
session_sleeper(const struct pgconn_session *session, const struct pgconn_flight *skipped,
                bool barred)
{
    struct pgconn_sleeper *fiber = NULL;
    struct pgconn_flight *flight;

    for (flight = session->queue.head; flight; flight = flight->next) {
        if (!flight->sleeper || flight == skipped) continue;
        if (!barred && pgconn_session_bars(session, flight)) continue;
        if (!flight->sleeper->bell) return flight->sleeper;
        if (!fiber) fiber = flight->sleeper;
    }
    return fiber;
}

/*
 * One that is barred only if nobody else is there. Those who wait for messages look at what this
 * one has read.
 */
void
pgconn_run_wake_next(const struct pgconn_session *session, const struct pgconn_flight *skipped)
{
    struct pgconn_sleeper *sleeper;

    pgconn_session_ring(session);
    if (session->driver) return;
    sleeper = session_sleeper(session, skipped, false);
    if (!sleeper && pgconn_session_has_work(session)) {
        sleeper = session_sleeper(session, skipped, true);
    }
    if (sleeper) pgconn_wait_wake(sleeper);
}

/* Its flight has met an end that the steps know nothing of. */
static bool
driver_waits_in_vain(const struct pgconn_run *driver)
{
    return driver->flight && driver->flight->state >= PGCONN_FLIGHT_ANSWERED &&
           !driver->flight->complete;
}

/* Without the GVL who drives can do neither. */
void
pgconn_run_advance(struct pgconn_session *session)
{
    bool news;

    if (!session->driver) return;
    pgconn_session_launch(session);
    news = pgconn_queue_push(&session->queue);
    if (news || driver_waits_in_vain(session->driver)) pgconn_session_ring_driver(session);
}

/*
 * How long this caller may wait for what holds everybody up: what other callers have left of
 * cancel_timeout, however short their own deadlines were. *begin, which is 0 before, gets the time
 * where that matters.
 */
static pgconn_time
run_patience(const struct pgconn_run *run, pgconn_time *begin)
{
    struct pgconn_session *session = run->session;
    pgconn_time after;

    session->queue.held_up = pgconn_session_is_held_up(session);
    if (!session->queue.held_up) return session->patience = PGCONN_NEVER;
    *begin = pgconn_wait_now();
    after = pgconn_wait_after(session->cancel_timeout);
    if (session->patience == PGCONN_NEVER) session->patience = after - *begin;
    return after == PGCONN_NEVER ? PGCONN_NEVER : *begin + session->patience;
}

/* After a drive that began then: still held up, and no patience left. */
static bool
run_is_out_of_patience(const struct pgconn_run *run, pgconn_time begin)
{
    struct pgconn_session *session = run->session;

    if (!pgconn_session_is_held_up(session) || session->patience == PGCONN_NEVER) return false;
    session->patience -= pgconn_wait_now() - begin;
    return session->patience <= 0;
}

/* Nobody else's flight waits, and none of the driver's own is under way. */
static bool
run_is_alone(const struct pgconn_run *run)
{
    const struct pgconn_queue *queue = &run->session->queue;

    return queue->reading && queue->head == run->flight && queue->tail == run->flight &&
           !run->flight->transfer;
}

/* Until the request that is under way has ended, or another caller has taken over. */
static enum pgconn_wait_end
run_rest(struct pgconn_run *run, pgconn_time until)
{
    struct pgconn_session *session = run->session;
    enum pgconn_wait_end end;

    session->queue.rests = true;
    end = pgconn_cancel_wait(&session->cancel, until, pgconn_session_connection(session),
                             &run->doorbell);
    if (session->driver == run) session->queue.rests = false;
    return end;
}

/* For a driver that may be replaced between two steps. */
static enum pgconn_step
run_step(void *subject)
{
    const struct pgconn_run *run = subject;

    if (run->session->driver != run) return PGCONN_STEP_DONE;
    return pgconn_queue_step(&run->session->queue);
}

static int
run_descriptor(void *subject)
{
    return pgconn_queue_descriptor(&((const struct pgconn_run *)subject)->session->queue);
}

static enum pgconn_wait_end
run_wait(struct pgconn_run *run, pgconn_time until)
{
    struct pgconn_session *session = run->session;
    struct pgconn_stepper stepper = {run_step, run_descriptor, run,
                                     pgconn_session_connection(session)};

    if (!run_waits(run)) return PGCONN_WAIT_DONE;
    if (pgconn_session_must_rest(session)) return run_rest(run, until);
    if (!session->queue.reading) return PGCONN_WAIT_DONE;
    if (!run->replaceable && run_is_alone(run) && run->flight->size <= SMALL_FLIGHT) {
        return pgconn_busy_poll_drive(&session->busy_poll, &stepper, until, &run->doorbell);
    }
    return pgconn_wait_drive_rung(&stepper, until, &run->doorbell);
}

static enum pgconn_wait_way
run_way(const struct pgconn_run *run)
{
    return pgconn_wait_way(pgconn_session_connection(run->session));
}

/*
 * Makes this caller the driver, in place of one that is between two steps and will see that. A
 * fiber's loop may be busy, or wait for this very caller, while the answer lies in the socket.
 */
static void
run_begin_to_drive(struct pgconn_run *run)
{
    struct pgconn_session *session = run->session;
    struct pgconn_run *before = session->driver;

    session->driver = run;
    session->doorbell = &run->doorbell;
    session->queue.awaited = run->flight;
    session->queue.rests = false;
    run->replaceable = run_way(run) != PGCONN_WAIT_NATIVE;
    if (!before) return;
    before->replaced = true;
    if (before->doorbell) pgconn_wakeup_ring(before->doorbell);
}

static void
session_end_driving(struct pgconn_session *session)
{
    session->queue.awaited = NULL;
    session->doorbell = NULL;
    session->driver = NULL;
}

/* What had been answered before the connection was lost counts all the same. */
static enum pgconn_wait_end
run_drive(struct pgconn_run *run)
{
    struct pgconn_session *session = run->session;
    pgconn_time begin = 0, patience;
    enum pgconn_wait_end end;

    pgconn_session_launch(session);
    run_begin_to_drive(run);
    patience = run_patience(run, &begin);
    pgconn_queue_enter(&session->queue);
    end = run_wait(run, patience < run->deadline ? patience : run->deadline);
    pgconn_queue_leave(&session->queue);
    if (session->driver != run) return end; /* what follows is left to who has taken over */
    pgconn_queue_dismiss(&session->queue);
    pgconn_session_land(session);
    session_end_driving(session);
    if (end == PGCONN_WAIT_FAILED) pgconn_session_lose(session, NULL);
    if (run_is_out_of_patience(run, begin)) {
        pgconn_session_lose(session, "no answer to a cancel request within cancel_timeout");
    }
    pgconn_session_leave(session);
    pgconn_run_wake_next(session, run->flight);
    return end;
}

static enum pgconn_wait_end
run_sleep(struct pgconn_run *run)
{
    pgconn_time until = run->deadline;
    enum pgconn_wait_end end;

    if (!run->sleeps) {
        pgconn_wait_sleeper_init(&run->sleeper, pgconn_session_connection(run->session));
    }
    run->sleeps = true;
    if (!pgconn_queue_set_sleeper(&run->session->queue, run->flight, &run->sleeper)) {
        return PGCONN_WAIT_WOKEN;
    }
    if (run->session->line.top || run->session->queue.paused) {
        until = pgconn_wait_after(FORSAKEN_LOOK);
    }
    end = pgconn_wait_sleep(&run->sleeper, until < run->deadline ? until : run->deadline);
    pgconn_boundary_end_forsaken(run->session);
    return end;
}

/*
 * Whether to take over: not from a fiber of the same loop, whose turn comes as soon as this one's,
 * nor back from who took over from this caller.
 */
static bool
run_may_replace(const struct pgconn_run *run, const struct pgconn_run *driver)
{
    if (!driver->replaceable || run->replaced) return false;
    return driver->thread != run->thread || run_way(run) == PGCONN_WAIT_NATIVE;
}

/* Somebody drives already, or all that waits is barred, and so is this. */
static bool
run_must_sleep(const struct pgconn_run *run)
{
    const struct pgconn_run *driver = run->session->driver;

    if (driver && !run_may_replace(run, driver)) return true;
    return !pgconn_session_has_work(run->session);
}

static void
run_heed_deadline(struct pgconn_run *run)
{
    if (run_waits(run) && run->deadline <= pgconn_wait_now()) pgconn_run_expire(run);
}

/*
 * A flight that is resumed may have come to its deadline while its caller was busy, and data that
 * is always there must not put that off.
 */
static VALUE
run_body(VALUE arg)
{
    struct pgconn_run *run = (struct pgconn_run *)arg;
    enum pgconn_wait_end end;

    if (run->flight->state == PGCONN_FLIGHT_UNDER_WAY) run_heed_deadline(run);
    pgconn_boundary_end_forsaken(run->session);
    pgconn_run_advance(run->session);
    while (run_waits(run)) {
        end = run_must_sleep(run) ? run_sleep(run) : run_drive(run);
        if (end == PGCONN_WAIT_INTERRUPTED) pgconn_wait_check_ints();
        pgconn_run_advance(run->session);
        run_heed_deadline(run);
    }
    run->returned = true;
    return Qnil;
}

static VALUE
run_leave(VALUE arg)
{
    struct pgconn_run *run = (struct pgconn_run *)arg;

    if (!run->returned && run->flight) pgconn_run_give_up(run);
    if (run->flight) pgconn_queue_set_sleeper(&run->session->queue, run->flight, NULL);
    if (run->sleeps) pgconn_wait_sleeper_destroy(&run->sleeper);
    pgconn_run_wake_next(run->session, run->flight);
    return Qnil;
}

/* The flight is in the queue. */
static enum pgconn_run_end
flight_run(struct pgconn_session *session, struct pgconn_flight *flight, pgconn_time deadline)
{
    struct pgconn_run run = {.session = session,
                             .flight = flight,
                             .deadline = deadline,
                             .thread = rb_thread_current(),
                             .end = PGCONN_RUN_ANSWERED};

    rb_ensure(run_body, (VALUE)&run, run_leave, (VALUE)&run);
    if (run.end != PGCONN_RUN_ANSWERED) return run.end;
    if (flight->state == PGCONN_FLIGHT_LOST) return PGCONN_RUN_LOST;
    if (session->queue.paused == flight) return PGCONN_RUN_PAUSED;
    if (flight->forbidden) return PGCONN_RUN_FORBIDDEN;
    if (flight->state != PGCONN_FLIGHT_WITHDRAWN) return PGCONN_RUN_ANSWERED;
    return flight->canceled ? PGCONN_RUN_CANCELED : PGCONN_RUN_OUTDATED;
}

/* A child has forked it: who would read the answer there would take it from the parent. */
static enum pgconn_run_end
flight_recover(struct pgconn_session *session, struct pgconn_flight *flight)
{
    if (flight->state < PGCONN_FLIGHT_ANSWERED) pgconn_queue_remove(&session->queue, flight);
    return PGCONN_RUN_LOST;
}

enum pgconn_run_end
pgconn_driver_run(struct pgconn_session *session, struct pgconn_flight *flight,
                  pgconn_time deadline)
{
    if (flight->begun) {
        if (pgconn_session_inherited(session)) return flight_recover(session, flight);
        return flight_run(session, flight, deadline);
    }
    /* User code that ran since the caller looked may have closed it, or forked. */
    if (session->life != PGCONN_SESSION_OPEN || pgconn_session_inherited(session)) {
        return PGCONN_RUN_LOST;
    }
    if (session->line.top && !flight->caller) flight->caller = pgconn_caller_current();
    pgconn_queue_append(&session->queue, flight);
    return flight_run(session, flight, deadline);
}

enum pgconn_run_end
pgconn_driver_resume(struct pgconn_session *session, struct pgconn_flight *flight,
                     pgconn_time deadline)
{
    pgconn_flight_unlink(flight);
    pgconn_queue_resume(&session->queue, flight);
    return flight_run(session, flight, deadline);
}
