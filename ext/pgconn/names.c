#include "names.h"

#include <stdlib.h>
#include <string.h>

#define CLOSING_CAPACITY_MIN 16

bool
pgconn_names_know(const struct pgconn_names *names, const struct pgconn_prepared *prepared)
{
    return prepared->state == PGCONN_PREPARED_NAMED && prepared->epoch == names->epoch;
}

/* False when out of memory. */
static bool
closing_grow(struct pgconn_names *names)
{
    int capacity = names->closing_capacity ? 2 * names->closing_capacity : CLOSING_CAPACITY_MIN;
    unsigned *closing = realloc(names->closing, (size_t)capacity * sizeof(*closing));

    if (!closing) return false;
    names->closing = closing;
    names->closing_capacity = capacity;
    return true;
}

void
pgconn_names_drop(struct pgconn_names *names, struct pgconn_prepared *prepared)
{
    prepared->dropped = true; /* and so closed as soon as it has the name that is under way */
    if (!pgconn_names_know(names, prepared)) return;
    prepared->state = PGCONN_PREPARED_UNNAMED;
    /* Without memory for the list the server keeps the name as long as the session lasts. */
    if (names->closing_count == names->closing_capacity && !closing_grow(names)) return;
    names->closing[names->closing_count++] = prepared->number;
}

static bool
result_was_canceled(const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    return sqlstate && strcmp(sqlstate, "57014") == 0;
}

/* A name that the server doesn't know can't be closed, either; those behind it were skipped. */
static bool
command_is_done(const struct pgconn_command *command)
{
    switch (PQresultStatus(command->result)) {
    case PGRES_COMMAND_OK:
        return true;
    case PGRES_FATAL_ERROR:
        return !result_was_canceled(command->result);
    default:
        return false;
    }
}

void
pgconn_names_settle_closing(struct pgconn_names *names, const struct pgconn_flight *flight)
{
    const struct pgconn_command *command = flight->commands;
    int done = 0;

    for (; command && command_is_done(command); command = command->next) done++;
    names->closing_count -= done;
    memmove(names->closing, names->closing + done,
            (size_t)names->closing_count * sizeof(*names->closing));
}

static void
prepared_settle(struct pgconn_names *names, struct pgconn_flight *flight)
{
    struct pgconn_prepared *prepared = flight->prepared;
    struct pgconn_command *command;

    for (command = flight->commands; command; command = command->next) {
        if (PQresultStatus(command->result) != PGRES_COMMAND_OK) continue;
        if (command->kind == PGCONN_COMMAND_PREPARE && flight->names) {
            prepared->state = PGCONN_PREPARED_NAMED;
            prepared->epoch = names->epoch;
        }
        else if (command->kind == PGCONN_COMMAND_DESCRIBE) {
            PQclear(prepared->description);
            prepared->description = command->result;
            prepared->descriptions++;
            command->result = NULL;
        }
    }
    if (prepared->dropped) pgconn_names_drop(names, prepared);
}

static bool
drops_all(const PGresult *result)
{
    const char *tag = result ? PQcmdStatus((PGresult *)result) : "";

    return strcmp(tag, "DEALLOCATE ALL") == 0 || strcmp(tag, "DISCARD ALL") == 0;
}

void
pgconn_names_settle(struct pgconn_names *names, struct pgconn_flight *flight)
{
    if (flight->forgets && drops_all(pgconn_flight_result(flight))) {
        names->epoch++;
        names->closing_count = 0;
    }
    if (flight->prepared) prepared_settle(names, flight);
}
