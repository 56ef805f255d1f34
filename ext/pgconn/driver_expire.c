#include "driver_run.h"

/* Leaves the flight in the queue, where its answer will be read and dropped. */
static void
run_abandon(struct pgconn_run *run)
{
    pgconn_queue_abandon(&run->session->queue, run->flight);
    pgconn_session_ring_driver(run->session);
    run->flight = NULL;
}

/* What ends a block is sent, whatever becomes of its caller. */
static bool
flight_must_stay(const struct pgconn_flight *flight)
{
    return flight->boundary == PGCONN_BOUNDARY_LEAVE;
}

/* Nothing more is waited for. */
static void
run_end_early(struct pgconn_run *run, enum pgconn_run_end end)
{
    run->end = end;
    run_abandon(run);
}

/* The server is asked to cancel the flight, and has a while for its answer. */
static void
run_expire_at_front(struct pgconn_run *run)
{
    struct pgconn_session *session = run->session;
    bool expired = run->flight->expired;

    if (expired || !run->flight->commands) {
        run_end_early(run, PGCONN_RUN_UNKNOWN);
        if (expired)
            pgconn_session_lose(session, "no answer within cancel_timeout of the deadline");
        return;
    }
    run->flight->expired = true;
    pgconn_queue_cancel(&session->queue, run->flight);
    pgconn_session_ring_driver(session);
    run->deadline = pgconn_wait_after(session->cancel_timeout);
}

static void
run_expire_under_way(struct pgconn_run *run)
{
    struct pgconn_queue *queue = &run->session->queue;

    switch (pgconn_queue_place(queue, run->flight)) {
    case PGCONN_PLACE_COMPLETE:
        break;
    case PGCONN_PLACE_FRONT:
        run_expire_at_front(run);
        break;
    case PGCONN_PLACE_BEHIND:
        pgconn_queue_cancel(queue, run->flight);
        run_end_early(run, PGCONN_RUN_BEHIND);
        break;
    }
}

void
pgconn_run_expire(struct pgconn_run *run)
{
    if (flight_must_stay(run->flight)) run_end_early(run, PGCONN_RUN_UNKNOWN);
    else if (run->flight->state == PGCONN_FLIGHT_QUEUED) {
        pgconn_queue_withdraw(&run->session->queue, run->flight);
        run->end = PGCONN_RUN_NOT_SENT;
    }
    else run_expire_under_way(run);
}

void
pgconn_run_give_up(struct pgconn_run *run)
{
    struct pgconn_flight *flight = run->flight;

    if (flight->runs_on) {
        pgconn_driver_let_run_on(run->session, flight);
        run->flight = NULL;
        return;
    }
    if (flight->state < PGCONN_FLIGHT_ANSWERED && flight_must_stay(flight)) {
        run_abandon(run);
        return;
    }
    if (flight->state == PGCONN_FLIGHT_UNDER_WAY) {
        pgconn_queue_give_up(&run->session->queue, flight);
        pgconn_session_ring_driver(run->session);
        run->flight = NULL;
        return;
    }
    if (flight->state == PGCONN_FLIGHT_QUEUED) pgconn_queue_remove(&run->session->queue, flight);
    pgconn_flight_free(flight);
    run->flight = NULL;
}
