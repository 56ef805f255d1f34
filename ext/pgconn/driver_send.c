/* What callers do without waiting. */
#include "driver_run.h"

/* Sends what can be sent without waiting. */
static void
session_nudge(struct pgconn_session *session)
{
    enum pgconn_step step = PGCONN_STEP_DONE;

    pgconn_session_launch(session);
    if (session->queue.reading) step = pgconn_queue_step(&session->queue);
    pgconn_queue_dismiss(&session->queue);
    pgconn_session_land(session);
    if (step == PGCONN_STEP_FAILED) pgconn_session_lose(session, NULL);
}

static void
session_go_on(struct pgconn_session *session)
{
    if (session->driver) pgconn_run_advance(session);
    else session_nudge(session);
    pgconn_run_wake_next(session, NULL);
}

/* The server hears of it at once where that can be, since nobody may come for a long time. */
void
pgconn_driver_drop(struct pgconn_session *session, struct pgconn_flight *flight)
{
    pgconn_flight_unlink(flight);
    if (flight->state >= PGCONN_FLIGHT_ANSWERED) {
        pgconn_flight_free(flight);
        return;
    }
    if (pgconn_session_inherited(session)) {
        flight->abandoned = true;
        return;
    }
    pgconn_queue_give_up(&session->queue, flight);
    session_go_on(session);
}

void
pgconn_driver_forsake(struct pgconn_flight *flight)
{
    pgconn_flight_unlink(flight);
    if (flight->state >= PGCONN_FLIGHT_ANSWERED) pgconn_flight_free(flight);
    else flight->transfer->forsaken = true;
}

void
pgconn_driver_post(struct pgconn_session *session, struct pgconn_flight *flight)
{
    flight->abandoned = true;
    pgconn_queue_append(&session->queue, flight);
    session_go_on(session);
}

void
pgconn_driver_begin(struct pgconn_session *session, struct pgconn_flight *flight)
{
    flight->begun = true;
    if (session->line.top) flight->caller = pgconn_caller_current();
    pgconn_queue_append(&session->queue, flight);
    session_go_on(session);
}

/* May be called while garbage is collected: nothing is sent, and nobody woken. */
void
pgconn_driver_let_run_on(struct pgconn_session *session, struct pgconn_flight *flight)
{
    struct pgconn_command *command;

    if (flight->state >= PGCONN_FLIGHT_ANSWERED) {
        pgconn_flight_free(flight);
        return;
    }
    for (command = flight->commands; command; command = command->next) command->cursor = NULL;
    flight->runs_on = true;
    pgconn_queue_abandon(&session->queue, flight);
}

void
pgconn_driver_take_in(struct pgconn_session *session)
{
    if (session->driver) pgconn_run_advance(session);
    else session_nudge(session);
    if (session->queue.reading || session->life != PGCONN_SESSION_OPEN) return;
    pgconn_session_listen(session);
}
