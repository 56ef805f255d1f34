#include "errand.h"

#include <stdio.h>

/* How many names are closed by one flight at most. */
#define CLOSED_TOGETHER 16

/* Puts a flight of the driver's own ahead of all others; the caller adds to it. */
static struct pgconn_flight *
errand_start(struct pgconn_session *session, enum pgconn_errand errand)
{
    struct pgconn_flight *flight = pgconn_session_flight(session);

    flight->errand = errand;
    pgconn_queue_prepend(&session->queue, flight);
    return flight;
}

static void
errand_append(struct pgconn_session *session, struct pgconn_flight *flight, const char *sql)
{
    if (pgconn_flight_append(flight, PGCONN_COMMAND_QUERY, sql)) return;
    pgconn_queue_remove(&session->queue, flight);
    pgconn_flight_free(flight);
    rb_memerror();
}

/* The transactions of autocommit have no BEGIN that could carry modes. */
static struct pgconn_modes
defaults_wanted(const struct pgconn_session *session)
{
    struct pgconn_modes none = {0}, modes = session->modes;

    modes.isolation = PGCONN_ISOLATION_DEFAULT;
    return session->autocommit ? modes : none;
}

static bool
defaults_are_set(const struct pgconn_session *session)
{
    struct pgconn_modes wanted = defaults_wanted(session);

    return session->defaults.read_only == wanted.read_only &&
           session->defaults.deferrable == wanted.deferrable;
}

static void
errand_append_default(struct pgconn_session *session, struct pgconn_flight *flight,
                      const char *name, enum pgconn_switch value)
{
    char sql[sizeof("SET default_transaction_deferrable TO DEFAULT")];

    snprintf(sql, sizeof(sql), "SET default_transaction_%s TO %s", name,
             pgconn_modes_switch_text(value));
    errand_append(session, flight, sql);
}

static void
errand_append_defaults(struct pgconn_session *session, struct pgconn_flight *flight)
{
    struct pgconn_modes wanted = defaults_wanted(session);

    errand_append_default(session, flight, "read_only", wanted.read_only);
    errand_append_default(session, flight, "deferrable", wanted.deferrable);
    session->defaults = wanted;
}

/* Values in text are read in ISO style. */
static void
errand_append_styles(struct pgconn_session *session, struct pgconn_flight *flight)
{
    errand_append(session, flight, "SET DateStyle TO ISO");
    errand_append(session, flight, "SET IntervalStyle TO postgres");
    session->styles_unset = false;
}

/* A flight of their own, so that no rollback of the statement's transaction undoes them. */
static void
errand_send_settings(struct pgconn_session *session)
{
    struct pgconn_flight *flight = errand_start(session, PGCONN_ERRAND_SETTINGS);

    if (session->styles_unset) errand_append_styles(session, flight);
    if (!defaults_are_set(session)) errand_append_defaults(session, flight);
    pgconn_queue_admit(&session->queue, flight);
}

/* In a transaction a name that the server doesn't know would fail all of it. */
static void
errand_close_names(struct pgconn_session *session)
{
    struct pgconn_flight *flight = errand_start(session, PGCONN_ERRAND_CLOSE);
    const struct pgconn_names *names = &session->names;

    for (int i = 0; i < CLOSED_TOGETHER && i < names->closing_count; i++) {
        char sql[sizeof("DEALLOCATE ") + PGCONN_PREPARED_NAME_MAX] = "DEALLOCATE ";

        pgconn_prepared_write_name(sql + strlen(sql), names->closing[i]);
        errand_append(session, flight, sql);
    }
    pgconn_queue_admit(&session->queue, flight);
}

/* In a transaction, one that has gone meanwhile would fail all of it. */
static void
errand_close_resource(struct pgconn_session *session, struct pgconn_resource *resource)
{
    struct pgconn_flight *flight = errand_start(session, PGCONN_ERRAND_RESOURCE);

    errand_append(session, flight, resource->closing);
    flight->resource = pgconn_resource_retain(resource);
    free(resource->closing);
    resource->closing = NULL;
    pgconn_queue_admit(&session->queue, flight);
}

bool
pgconn_errand_roll_back(struct pgconn_session *session)
{
    struct pgconn_flight *flight = pgconn_flight_new();

    if (!flight) return false;
    if (!pgconn_flight_append(flight, PGCONN_COMMAND_QUERY, "ROLLBACK")) {
        pgconn_flight_free(flight);
        return false;
    }
    flight->errand = PGCONN_ERRAND_ROLLBACK;
    flight->barrier = true; /* whether the next has to begin a transaction is known after it */
    pgconn_queue_prepend(&session->queue, flight);
    pgconn_queue_admit(&session->queue, flight);
    return true;
}

/* A flight that waits may still use a name that the cache has dropped. */
static bool
flight_uses_dropped(const struct pgconn_flight *flight)
{
    const struct pgconn_command *command;

    for (command = flight->commands; command; command = command->next) {
        if (command->prepared && command->prepared->dropped) return true;
    }
    return false;
}

/* Until the last names are closed they stand in the list. */
static bool
names_can_be_closed(const struct pgconn_session *session)
{
    const struct pgconn_flight *flight;

    if (session->names.closing_count == 0) return false;
    for (flight = session->queue.head; flight; flight = flight->next) {
        if (flight->errand == PGCONN_ERRAND_CLOSE) return false;
        if (flight_uses_dropped(flight)) return false;
    }
    return true;
}

void
pgconn_errand_send(struct pgconn_session *session)
{
    struct pgconn_resource *closing = pgconn_resources_closing(&session->resources);

    if (session->styles_unset || !defaults_are_set(session)) errand_send_settings(session);
    else if (closing) errand_close_resource(session, closing);
    else if (names_can_be_closed(session)) errand_close_names(session);
}

static void
session_forget_defaults(struct pgconn_session *session)
{
    session->defaults.read_only = session->defaults.deferrable = PGCONN_SWITCH_KEEP;
}

/* Whether a user's statement may have undone what was SET here. */
static bool
flight_resets_settings(const struct pgconn_flight *flight)
{
    if (!flight->barrier) return false;
    return pgconn_flight_has_tag(flight, "RESET") || pgconn_flight_has_tag(flight, "DISCARD ALL");
}

void
pgconn_errand_settle(struct pgconn_session *session, const struct pgconn_flight *flight)
{
    switch (flight->errand) {
    case PGCONN_ERRAND_NONE:
        if (!flight_resets_settings(flight)) break;
        if (session->defaults.read_only || session->defaults.deferrable) {
            session_forget_defaults(session);
        }
        session->styles_unset = pgconn_session_styles_differ(session->pg);
        break;
    case PGCONN_ERRAND_SETTINGS:
        /* A cancel request or a time-out of the server's can hit it: again next time. */
        if (PQresultStatus(pgconn_flight_result(flight)) != PGRES_COMMAND_OK) {
            session->styles_unset = true;
            session_forget_defaults(session);
        }
        break;
    case PGCONN_ERRAND_CLOSE:
        pgconn_names_settle_closing(&session->names, flight);
        break;
    default:
        break;
    }
}
