#include "boundary.h"
#include "errand.h"
#include "failed_transaction.h"
#include "lifetimes.h"

struct pgconn_flight *
pgconn_session_flight(const struct pgconn_session *session)
{
    struct pgconn_flight *flight = pgconn_flight_new();

    if (!flight) rb_memerror();
    flight->settings = session->settings;
    return flight;
}

void
pgconn_session_classify(struct pgconn_flight *flight, enum pgconn_keyword keyword)
{
    flight->begins = PGCONN_BEGINS;
    flight->repeatable = true;
    flight->ends = pgconn_sql_statements_keyword_ends(keyword);
    flight->undoes = pgconn_sql_statements_keyword_undoes(keyword);
    switch (keyword) {
    case PGCONN_KEYWORD_ABORT:
    case PGCONN_KEYWORD_BEGIN:
    case PGCONN_KEYWORD_COMMIT:
    case PGCONN_KEYWORD_END:
    case PGCONN_KEYWORD_ROLLBACK:
    case PGCONN_KEYWORD_ROLLBACK_TO:
    case PGCONN_KEYWORD_START:
        flight->begins = PGCONN_BEGINS_IN_BLOCK; /* the user has taken the transaction in hand */
        flight->barrier = true;
        break;
    case PGCONN_KEYWORD_CALL:
    case PGCONN_KEYWORD_DO:
        flight->repeatable = false; /* it may have committed a part */
        break;
    case PGCONN_KEYWORD_DEALLOCATE:
    case PGCONN_KEYWORD_DISCARD:
        flight->barrier = flight->forgets = true;
        break;
    case PGCONN_KEYWORD_PREPARE:
    case PGCONN_KEYWORD_PREPARE_TRANSACTION:
    case PGCONN_KEYWORD_RELEASE:
    case PGCONN_KEYWORD_RESET:
    case PGCONN_KEYWORD_SAVEPOINT:
    case PGCONN_KEYWORD_SET:
        flight->barrier = true;
        break;
    default:
        break;
    }
}

bool
pgconn_session_goes_alone(enum pgconn_keyword keyword)
{
    struct pgconn_flight flight = {0};

    pgconn_session_classify(&flight, keyword);
    return flight.barrier;
}

struct pgconn_gathered *
pgconn_session_gathered(const struct pgconn_session *session)
{
    struct pgconn_gathered *gathered = session->gathered;
    pgconn_caller caller;

    if (!gathered) return NULL;
    caller = pgconn_caller_current();
    while (gathered && gathered->caller != caller) gathered = gathered->outer;
    return gathered && gathered->busy ? NULL : gathered;
}

/* What goes with the flight that is about to be sent, perhaps not for the first time. */
static void
session_prepare(struct pgconn_session *session, struct pgconn_flight *flight)
{
    pgconn_boundary_prepare(session, flight);
    if (!flight->commands || session->transaction != PQTRANS_IDLE) return;
    pgconn_errand_send(session);
}

/* What the flight needs and isn't there, in words; or NULL. */
static const char *
session_lacks(const struct pgconn_session *session, const struct pgconn_flight *flight)
{
    const struct pgconn_resource *resource = flight->resource;

    if (resource && !flight->makes && !resource->alive) return resource->ended;
    if (!session->autocommit || session->line.top) return NULL;
    return pgconn_session_is_in_transaction(session) ? NULL : flight->inside;
}

/* Sets why the session's state forbids the flight, if it does. */
static bool
session_forbids(const struct pgconn_session *session, struct pgconn_flight *flight)
{
    flight->forbidden = pgconn_line_forbids(&session->line, flight);
    if (flight->forbidden) return true;
    if (!flight->commands && flight->boundary != PGCONN_BOUNDARY_OPEN) return false;
    flight->forbidden = pgconn_two_phase_forbids(&session->two_phase, flight);
    if (!flight->forbidden && pgconn_session_is_in_transaction(session)) {
        flight->forbidden = flight->outside;
    }
    if (!flight->forbidden) flight->forbidden = session_lacks(session, flight);
    return flight->forbidden != NULL;
}

/* Whether its bytes were made with settings that have changed since. */
static bool
flight_is_outdated(const struct pgconn_flight *flight, const struct pgconn_session *session)
{
    return !flight->timeless && !pgconn_text_settings_equal(flight->settings, session->settings);
}

/*
 * Whether the flight goes back to its caller: it is forbidden or canceled, the settings or the
 * stage that it was made for have changed, or what it uses is doubted.
 */
static bool
session_turns_back(const struct pgconn_session *session, struct pgconn_flight *flight)
{
    if (flight->boundary == PGCONN_BOUNDARY_LEAVE) return false;
    if (session_forbids(session, flight)) return true;
    if (!flight->commands) return false;
    return flight->canceled || pgconn_two_phase_is_outdated(&session->two_phase, flight) ||
           pgconn_lifetimes_doubt(flight) || flight_is_outdated(flight, session);
}

/* Handles one flight that waits; false when it, and so all behind it, must wait on. */
static bool
session_launch_one(struct pgconn_session *session, struct pgconn_flight *flight,
                   struct pgconn_load *load)
{
    struct pgconn_queue *queue = &session->queue;

    if (!pgconn_load_has_room(load, flight)) return false;
    if (flight->errand) { /* left over from a wait that ended before its first step */
        pgconn_queue_admit(queue, flight);
        pgconn_load_add(load, flight);
        return true;
    }
    if (session_turns_back(session, flight)) {
        pgconn_queue_end(queue, flight, PGCONN_FLIGHT_WITHDRAWN);
        return true;
    }
    if (flight->barrier) session->barriers++;
    if (pgconn_boundary_pass(session, flight)) {
        pgconn_queue_end(queue, flight, PGCONN_FLIGHT_ANSWERED);
        return true;
    }
    session_prepare(session, flight);
    pgconn_queue_admit(queue, flight);
    pgconn_load_add(load, flight);
    return true;
}

/* A cancel request that is still on its way could hit a statement that it wasn't meant for. */
static bool
session_may_send(struct pgconn_session *session)
{
    bool ended;

    if (session->life != PGCONN_SESSION_OPEN || session->queue.rests) return false;
    pgconn_session_lock(session);
    ended = pgconn_cancel_ended(&session->cancel);
    pgconn_session_unlock(session);
    return ended;
}

void
pgconn_session_launch(struct pgconn_session *session)
{
    struct pgconn_flight *flight, *next;
    const struct pgconn_hold *top;
    struct pgconn_load load;

    if (session->driver) pgconn_session_land(session);
    if (!session_may_send(session)) return;
    load = pgconn_queue_load(&session->queue);
    for (flight = session->queue.head; flight; flight = next) {
        next = flight->next;
        if (flight->state != PGCONN_FLIGHT_QUEUED) continue;
        if (pgconn_line_bars(&session->line, flight)) continue;
        top = session->line.top;
        if (!session_launch_one(session, flight, &load)) return;
        if (session->line.top != top) next = session->queue.head; /* others may be barred now */
    }
}

bool
pgconn_session_bars(const struct pgconn_session *session, const struct pgconn_flight *flight)
{
    return flight->state == PGCONN_FLIGHT_QUEUED && pgconn_line_bars(&session->line, flight);
}

bool
pgconn_session_has_work(const struct pgconn_session *session)
{
    const struct pgconn_flight *flight;

    if (session->queue.paused) return false;
    for (flight = session->queue.head; flight; flight = flight->next) {
        if (!pgconn_session_bars(session, flight)) return true;
    }
    return false;
}

/*
 * A refused statement may be sent again unseen if no transaction is lost: outside of one, or where
 * the transaction began with this very statement. That one is ended before anybody else's flight.
 */
static bool
session_takes_back(struct pgconn_session *session, const struct pgconn_flight *flight)
{
    if (flight->abandoned) return false;
    if (session->transaction == PQTRANS_IDLE) return true;
    return flight->began && session->transaction == PQTRANS_INERROR &&
           pgconn_errand_roll_back(session);
}

/*
 * Whether a request to cancel another flight has hit this one instead. Outside of transactions
 * nothing is left of it then.
 */
static void
session_judge_strike(const struct pgconn_session *session, struct pgconn_flight *flight)
{
    const PGresult *result = flight->exposed ? pgconn_flight_result(flight) : NULL;

    if (!result || flight->unwanted) return;
    flight->struck = pgconn_sqlstate_is(result, PGCONN_QUERY_CANCELED);
    if (flight->struck && flight->repeatable && session->transaction == PQTRANS_IDLE) {
        flight->refused = true;
    }
}

/* What was set since connect goes back to what connect was told. */
static void
session_restore_defaults(struct pgconn_session *session)
{
    struct pgconn_modes none = {0};

    session->autocommit = session->autocommit_by_default;
    session->modes = session->defaults = none;
    pgconn_two_phase_enter(&session->two_phase, PGCONN_TWO_PHASE_NONE);
}

static void
session_settle(struct pgconn_session *session, struct pgconn_flight *flight, bool last)
{
    pgconn_errand_settle(session, flight);
    pgconn_names_settle(&session->names, flight);
    pgconn_two_phase_settle(&session->two_phase, flight, session->transaction);
    if (flight->resets && pgconn_flight_has_tag(flight, "DISCARD ALL")) {
        session_restore_defaults(session);
    }
    pgconn_lifetimes_settle_blocks(session, flight);
    pgconn_line_settle(&session->line, flight, session->transaction);
    pgconn_lifetimes_settle(session, flight);
    session_judge_strike(session, flight);
    if (flight->refused) flight->refused = session_takes_back(session, flight);
    flight->sent_encoding_index = flight->settings.encoding_index;
    flight->settings = session->settings;
    pgconn_failed_transaction_settle(&session->failures, flight, session->transaction, last);
    session->patience = PGCONN_NEVER; /* what holds everybody up now has a time of its own */
    pgconn_queue_end(&session->queue, flight, PGCONN_FLIGHT_ANSWERED);
}

/*
 * Whether a cancel request, whoever's it was, has hit what rolls back: nobody would come to end the
 * failed transaction, so it is done again.
 */
static bool
session_must_repeat(const struct pgconn_session *session, const struct pgconn_flight *flight)
{
    bool rolls_back = flight->boundary == PGCONN_BOUNDARY_LEAVE ||
                      flight->errand == PGCONN_ERRAND_ROLLBACK;
    const PGresult *result = rolls_back ? pgconn_flight_result(flight) : NULL;

    if (!result || session->transaction == PQTRANS_IDLE) return false;
    return pgconn_sqlstate_is(result, PGCONN_QUERY_CANCELED);
}

void
pgconn_session_land(struct pgconn_session *session)
{
    struct pgconn_flight *flight;
    bool last;

    while ((flight = pgconn_queue_complete_head(&session->queue, &last))) {
        pgconn_session_follow(session, flight->client_encoding, last);
        if (session_must_repeat(session, flight)) pgconn_queue_repeat(&session->queue, flight);
        else session_settle(session, flight, last);
    }
    pgconn_queue_pause(&session->queue);
}
