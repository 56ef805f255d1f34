#include "driver.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

struct canceling {
    int watch;
    pgconn_time deadline;
    char *message;
    size_t size;
};

static VALUE
cancel_wait(VALUE arg)
{
    struct canceling *canceling = (struct canceling *)arg;
    enum pgconn_wait_end end;

    do {
        end = pgconn_wait_descriptor(canceling->watch, PGCONN_STEP_WANT_READ, canceling->deadline);
        if (end == PGCONN_WAIT_INTERRUPTED) rb_thread_check_ints();
    } while (end == PGCONN_WAIT_INTERRUPTED);
    if (end == PGCONN_WAIT_DONE) {
        pgconn_cancel_message(canceling->watch, canceling->message, canceling->size);
    }
    else {
        snprintf(canceling->message, canceling->size,
                 "the cancel request could not be delivered within cancel_timeout");
    }
    return Qnil;
}

static VALUE
cancel_leave(VALUE arg)
{
    close(((struct canceling *)arg)->watch);
    return Qnil;
}

static bool
session_is_busy(struct pgconn_session *session)
{
    bool busy;

    pgconn_session_lock(session);
    busy = session->queue.reading != NULL;
    pgconn_session_unlock(session);
    return busy;
}

/* The flight that a caller waits for with this cursor, or NULL. */
static struct pgconn_flight *
flight_of_cursor(const struct pgconn_session *session, const void *cursor)
{
    struct pgconn_flight *flight = session->queue.head;

    while (flight && (flight->cursor != cursor || flight->abandoned)) flight = flight->next;
    return flight;
}

/*
 * Whether the server is to be asked to cancel what it does for the cursor. Of callers' flights only
 * the one at the head is ever sent, so there is none that has to get there first.
 */
static bool
cursor_is_served(struct pgconn_session *session, const void *cursor)
{
    struct pgconn_flight *flight = flight_of_cursor(session, cursor);

    if (!flight) return false;
    flight->canceled = true;
    if (flight->state != PGCONN_FLIGHT_QUEUED) return session_is_busy(session);
    pgconn_queue_withdraw(&session->queue, flight);
    if (flight->sleeper) pgconn_wait_wake(flight->sleeper);
    return false;
}

void
pgconn_driver_cancel(struct pgconn_session *session, const void *cursor, pgconn_time deadline,
                     char *message, size_t size)
{
    struct canceling canceling = {-1, deadline, message, size};

    message[0] = '\0';
    if (!(cursor ? cursor_is_served(session, cursor) : session_is_busy(session))) return;
    if (pgconn_cancel_start(&session->cancel, session->pg)) {
        canceling.watch = pgconn_cancel_watch(&session->cancel);
    }
    if (canceling.watch < 0) {
        snprintf(message, size, "could not start a cancel request: %s", strerror(errno));
        return;
    }
    rb_ensure(cancel_wait, (VALUE)&canceling, cancel_leave, (VALUE)&canceling);
}
