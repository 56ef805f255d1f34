#include "notify_wait.h"

#include "answer.h"

struct notify_wait {
    struct pgconn_session *session;
    pgconn_time deadline;
    struct pgconn_waiter waiter;
    int descriptor; /* -1: somebody else reads from the socket */
};

/*
 * Whatever came is for the inbox. An answer that is awaited is left to who drives: that one would
 * wait in vain for what was read here.
 */
static enum pgconn_step
wait_listen(struct notify_wait *wait)
{
    struct pgconn_session *session = wait->session;
    bool read;

    wait->descriptor = -1;
    if (session->queue.reading) return PGCONN_STEP_WANT_READ;
    wait->descriptor = PQsocket(session->pg);
    read = pgconn_queue_listen(&session->queue);
    if (session->messages.incoming.first) return PGCONN_STEP_DONE;
    return read ? PGCONN_STEP_WANT_READ : PGCONN_STEP_FAILED;
}

static enum pgconn_step
wait_step(void *subject)
{
    struct notify_wait *wait = subject;
    enum pgconn_step step;

    pgconn_session_lock(wait->session);
    step = wait_listen(wait);
    pgconn_session_unlock(wait->session);
    return step;
}

static int
wait_descriptor(void *subject)
{
    return ((struct notify_wait *)subject)->descriptor;
}

/*
 * Whether all that is queued was left by interrupted callers, or was begun and isn't waited for, so
 * that nobody else will read it.
 */
static bool
line_is_left(const struct pgconn_session *session)
{
    const struct pgconn_flight *flight;

    if (session->driver || !session->queue.head) return false;
    for (flight = session->queue.head; flight; flight = flight->next) {
        if (!flight->errand && !flight->abandoned && !flight->begun) return false;
    }
    return true;
}

/* A round trip behind what was left: that is read, and the session's state is known then. */
static void
wait_clear_line(const struct notify_wait *wait)
{
    struct pgconn_flight *flight = pgconn_session_flight(wait->session);

    if (pgconn_run_gives_back(pgconn_driver_run(wait->session, flight, wait->deadline))) {
        pgconn_flight_free(flight);
    }
}

static void
wait_once(struct notify_wait *wait)
{
    struct pgconn_stepper stepper = {wait_step, wait_descriptor, wait,
                                     pgconn_session_connection(wait->session)};
    enum pgconn_wait_end end;

    if (line_is_left(wait->session)) {
        wait_clear_line(wait);
        return;
    }
    pgconn_queue_enter(&wait->session->queue);
    end = pgconn_wait_drive_rung(&stepper, wait->deadline, &wait->waiter.doorbell);
    pgconn_queue_leave(&wait->session->queue);
    if (end == PGCONN_WAIT_FAILED) pgconn_session_lose(wait->session, NULL);
    else if (end == PGCONN_WAIT_INTERRUPTED) pgconn_wait_check_ints();
}

/* The interrupts come first: nothing comes between taking a notification and giving it. */
static VALUE
wait_take(const struct notify_wait *wait)
{
    VALUE notify = pgconn_delivery_run(wait->session);

    if (!NIL_P(notify)) return notify;
    rb_thread_check_ints();
    return rb_ary_shift(wait->session->inbox.notifies);
}

static bool
wait_has_ended(const struct notify_wait *wait)
{
    const struct pgconn_session *session = wait->session;

    return session->life != PGCONN_SESSION_OPEN || pgconn_session_inherited(session);
}

/* A handler may have ended the connection, or forked. */
static VALUE
wait_body(VALUE arg)
{
    struct notify_wait *wait = (struct notify_wait *)arg;
    VALUE notify;

    while (NIL_P(notify = wait_take(wait))) {
        if (wait_has_ended(wait)) rb_exc_raise(pgconn_answer_end(wait->session));
        if (wait->deadline <= pgconn_wait_now()) return Qnil;
        wait_once(wait);
    }
    return notify;
}

static VALUE
wait_leave(VALUE arg)
{
    struct notify_wait *wait = (struct notify_wait *)arg;
    struct pgconn_waiter **link = &wait->session->waiters;

    /* In a forked child the list has threads that don't exist there. */
    if (pgconn_session_inherited(wait->session)) return Qnil;
    while (*link != &wait->waiter) link = &(*link)->next;
    *link = wait->waiter.next;
    /* Others may find in the queue what this one has left there. */
    pgconn_session_ring(wait->session);
    if (!wait->session->driver) pgconn_session_leave(wait->session);
    return Qnil;
}

/* A block is one also before its first statement; another caller's ends without this one. */
static bool
caller_is_in_transaction(const struct pgconn_session *session)
{
    if (session->line.top) return pgconn_line_holds(&session->line, pgconn_caller_current());
    return pgconn_session_is_in_transaction(session);
}

static void
wait_check(const struct notify_wait *wait)
{
    const struct pgconn_session *session = wait->session;

    pgconn_answer_check_caller(session);
    if (line_is_left(session)) wait_clear_line(wait);
    if (caller_is_in_transaction(session) && session->life == PGCONN_SESSION_OPEN) {
        pgconn_error_raise(
            rb_ePgconnProgrammingError,
            "can't wait for a notification inside a transaction: the server delivers "
            "between transactions only, so it could wait for ever; commit or roll "
            "back first");
    }
    if (pgconn_delivery_is_under_way(session) &&
        RARRAY_LEN(session->inbox.handlers[PGCONN_EVENT_NOTIFY]) > 0) {
        pgconn_error_raise(rb_ePgconnProgrammingError,
                           "can't wait for a notification in a handler: on_notify's handlers get "
                           "them, and only after this one has returned");
    }
}

VALUE
pgconn_notify_wait(struct pgconn_session *session, pgconn_time deadline)
{
    struct notify_wait wait = {.session = session, .deadline = deadline};

    wait_check(&wait);
    wait.waiter.next = session->waiters;
    session->waiters = &wait.waiter;
    return rb_ensure(wait_body, (VALUE)&wait, wait_leave, (VALUE)&wait);
}
