#include "boundary.h"

void
pgconn_boundary_mark(struct pgconn_flight *flight, enum pgconn_boundary boundary,
                     struct pgconn_hold *hold)
{
    flight->boundary = boundary;
    flight->barrier = true;
    flight->hold = hold;
}

struct pgconn_flight *
pgconn_boundary_flight(const struct pgconn_session *session, enum pgconn_boundary boundary,
                       struct pgconn_hold *hold)
{
    struct pgconn_flight *flight = pgconn_session_flight(session);

    pgconn_boundary_mark(flight, boundary, hold);
    return flight;
}

/*
 * Its owner was collected, or belongs to a thread that has ended, though it may be referenced; or
 * its time is over, which the owner hears as soon as it comes back.
 */
static bool
transfer_is_over(const struct pgconn_transfer *transfer)
{
    return transfer->forsaken || pgconn_caller_has_ended(transfer->thread) ||
           (transfer->deadline != PGCONN_NEVER && transfer->deadline <= pgconn_wait_now());
}

/* With the transaction that a COPY has for itself: others wait for that, too. */
static void
session_end_transfer(struct pgconn_session *session, struct pgconn_flight *flight)
{
    struct pgconn_hold *hold = session->line.top;

    pgconn_queue_give_up(&session->queue, flight);
    if (hold && hold->in_place_of_autocommit) hold->dropped = true;
}

/*
 * Nobody reads while its caller is busy. Where all that can come is the end of a COPY IN, or of the
 * connection, those who wait hear of it.
 */
static void
session_look_at_transfer(struct pgconn_session *session)
{
    struct pgconn_flight *flight = session->queue.paused;

    if (!flight) return;
    if (transfer_is_over(flight->transfer)) session_end_transfer(session, flight);
    else if (flight->transfer->kind == PGCONN_COPY_IN) pgconn_session_listen(session);
}

void
pgconn_boundary_end_forsaken(struct pgconn_session *session)
{
    VALUE dead_thread = pgconn_line_dead_thread(&session->line);
    struct pgconn_flight *ending;
    struct pgconn_hold *hold;

    if (session->life == PGCONN_SESSION_OPEN) session_look_at_transfer(session);
    if (session->life != PGCONN_SESSION_OPEN) return;
    while ((hold = pgconn_line_forsaken(&session->line, dead_thread))) {
        ending = hold->ending;
        hold->ending = NULL;
        hold->left = true;
        pgconn_boundary_mark(ending, PGCONN_BOUNDARY_LEAVE, hold);
        ending->abandoned = true;
        pgconn_queue_append(&session->queue, ending);
    }
    RB_GC_GUARD(dead_thread);
}

static bool
session_is_idle(const struct pgconn_session *session)
{
    return session->transaction == PQTRANS_IDLE;
}

static void
session_change_modes(struct pgconn_session *session, struct pgconn_modes_change *change)
{
    if (pgconn_session_is_in_transaction(session)) return;
    session->modes = pgconn_modes_merge(session->modes, change->modes);
    if (change->autocommit != PGCONN_SWITCH_KEEP) {
        session->autocommit = change->autocommit == PGCONN_SWITCH_ON;
    }
    change->applied = true;
}

static void
session_open_hold(struct pgconn_session *session, struct pgconn_hold *hold)
{
    hold->outermost = !session->line.top && !pgconn_session_is_in_transaction(session);
    if (hold->in_place_of_autocommit && !(hold->outermost && session->autocommit)) return;
    pgconn_line_push(&session->line, hold);
}

bool
pgconn_boundary_pass(struct pgconn_session *session, struct pgconn_flight *flight)
{
    switch (flight->boundary) {
    case PGCONN_BOUNDARY_END:
        if (!session_is_idle(session)) return false;
        pgconn_two_phase_settle(&session->two_phase, flight, session->transaction);
        if (flight->hold) pgconn_line_close(&session->line);
        return true;
    case PGCONN_BOUNDARY_MODES:
        session_change_modes(session, flight->change);
        return true;
    case PGCONN_BOUNDARY_OPEN:
        session_open_hold(session, flight->hold);
        return true;
    case PGCONN_BOUNDARY_RELEASE:
        if (flight->hold->begun) return false;
        pgconn_line_close(&session->line);
        return true;
    case PGCONN_BOUNDARY_LEAVE:
        if (flight->hold->begun) return false;
        pgconn_line_pop(&session->line);
        return true;
    default:
        return false;
    }
}

/* In a block everything does, but what only joins a transaction. */
static bool
flight_begins(const struct pgconn_session *session, const struct pgconn_flight *flight)
{
    if (flight->begins == PGCONN_BEGINS_NEVER) return false;
    if (session->line.top) return true;
    if (flight->begins == PGCONN_BEGINS_AS_PART) return pgconn_session_is_in_transaction(session);
    return flight->begins == PGCONN_BEGINS && !session->autocommit;
}

static bool
flight_begin(struct pgconn_session *session, struct pgconn_flight *flight)
{
    struct pgconn_line_state state = {
        .idle = session_is_idle(session),
        .two_phase = session->two_phase.stage != PGCONN_TWO_PHASE_NONE,
        .modes = session->modes,
    };

    flight->begins = PGCONN_BEGINS_NEVER;
    return pgconn_line_begin(&session->line, flight, &state);
}

/* Unless it has got its ROLLBACK already, for a launch that came to nothing. */
static bool
flight_roll_back_first(const struct pgconn_session *session, struct pgconn_flight *flight)
{
    if (session_is_idle(session) || flight->commands->next) return true;
    return pgconn_flight_prepend(flight, PGCONN_COMMAND_QUERY, "ROLLBACK");
}

/* False when out of memory. */
static bool
boundary_prepare(struct pgconn_session *session, struct pgconn_flight *flight)
{
    switch (flight->boundary) {
    case PGCONN_BOUNDARY_RELEASE:
    case PGCONN_BOUNDARY_LEAVE:
        return pgconn_line_end(flight);
    default:
        if (flight->resets) return flight_roll_back_first(session, flight);
        return !flight_begins(session, flight) || flight_begin(session, flight);
    }
}

void
pgconn_boundary_prepare(struct pgconn_session *session, struct pgconn_flight *flight)
{
    if (!boundary_prepare(session, flight)) rb_memerror();
}
