#include "driver.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

struct canceling {
    VALUE connection;
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
        end = pgconn_wait_descriptor(canceling->watch, PGCONN_STEP_WANT_READ, canceling->deadline,
                                     canceling->connection);
        if (end == PGCONN_WAIT_INTERRUPTED) pgconn_wait_check_ints();
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

static struct pgconn_flight *
flight_at_front(struct pgconn_session *session)
{
    struct pgconn_flight *flight;

    pgconn_session_lock(session);
    flight = pgconn_queue_front(&session->queue);
    pgconn_session_unlock(session);
    return flight;
}

static bool
flight_executes(const struct pgconn_flight *flight, const void *cursor)
{
    const struct pgconn_command *command = flight->commands;

    while (command && command->cursor != cursor) command = command->next;
    return command != NULL;
}

/* The flight that a caller waits for with this cursor, or NULL. */
static struct pgconn_flight *
flight_of_cursor(struct pgconn_session *session, const void *cursor)
{
    struct pgconn_flight *flight;

    pgconn_session_lock(session); /* a step may add to the commands of a simple query */
    flight = session->queue.head;
    while (flight && (flight->abandoned || !flight_executes(flight, cursor))) flight = flight->next;
    pgconn_session_unlock(session);
    return flight;
}

static void
flight_withdraw(struct pgconn_session *session, struct pgconn_flight *flight)
{
    pgconn_queue_withdraw(&session->queue, flight);
    if (flight->sleeper) pgconn_wait_wake(flight->sleeper);
    pgconn_session_ring_driver(session); /* whose own it may be */
}

/* -1: it has ended, or no descriptor is left. */
static int
session_watch_cancel(struct pgconn_session *session)
{
    int watch;

    pgconn_session_lock(session);
    watch = pgconn_cancel_watch(&session->cancel);
    pgconn_session_unlock(session);
    return watch;
}

/* False: resources are missing for it. *watch gets what tells of the request, if there is one. */
static bool
flight_cancel(struct pgconn_session *session, struct pgconn_flight *flight, int *watch)
{
    if (!pgconn_queue_cancel(&session->queue, flight)) return false;
    pgconn_session_ring_driver(session);
    if (flight->asked) *watch = session_watch_cancel(session);
    return true;
}

/* A wait callback that cancels isn't called again for that: it would cancel again. */
static VALUE
connection_to_wait_for(const struct pgconn_session *session)
{
    VALUE connection = pgconn_session_connection(session);

    return pgconn_wait_is_under_way(connection) ? Qfalse : connection;
}

void
pgconn_driver_cancel(struct pgconn_session *session, const void *cursor, pgconn_time deadline,
                     char *message, size_t size)
{
    struct canceling canceling = {.watch = -1,
                                  .deadline = deadline,
                                  .message = message,
                                  .size = size};
    struct pgconn_flight *flight = cursor ? flight_of_cursor(session, cursor)
                                          : flight_at_front(session);

    message[0] = '\0';
    if (!flight) return;
    if (cursor) flight->canceled = true;
    if (flight->state == PGCONN_FLIGHT_QUEUED) flight_withdraw(session, flight);
    else if (!flight_cancel(session, flight, &canceling.watch)) {
        snprintf(message, size, "could not start a cancel request: %s", strerror(errno));
    }
    if (canceling.watch < 0) return;
    canceling.connection = connection_to_wait_for(session);
    rb_ensure(cancel_wait, (VALUE)&canceling, cancel_leave, (VALUE)&canceling);
}
