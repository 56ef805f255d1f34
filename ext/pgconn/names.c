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

/* A name that the server doesn't know can't be closed, either; those behind it were skipped. */
static bool
command_is_done(const struct pgconn_command *command)
{
    switch (PQresultStatus(command->result)) {
    case PGRES_COMMAND_OK:
        return true;
    case PGRES_FATAL_ERROR:
        return !pgconn_sqlstate_is(command->result, PGCONN_QUERY_CANCELED);
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
command_settle(const struct pgconn_names *names, struct pgconn_command *command)
{
    struct pgconn_prepared *prepared = command->prepared;

    if (PQresultStatus(command->result) != PGRES_COMMAND_OK) return;
    if (pgconn_command_names(command)) {
        prepared->state = PGCONN_PREPARED_NAMED;
        prepared->epoch = names->epoch;
    }
    else if (command->kind == PGCONN_COMMAND_DESCRIBE) {
        PQclear(prepared->description);
        prepared->description = pgconn_command_take_result(command);
        prepared->descriptions++;
    }
}

/* A DISCARD ALL that is cancelled may have dropped them before. */
static bool
flight_drops_all(const struct pgconn_flight *flight)
{
    return pgconn_flight_has_tag(flight, "DEALLOCATE ALL") ||
           pgconn_flight_has_tag(flight, "DISCARD ALL") ||
           pgconn_sqlstate_is(pgconn_flight_result(flight), PGCONN_QUERY_CANCELED);
}

static bool
field_is(const PGresult *result, int field, const char *text)
{
    const char *value = PQresultErrorField(result, field);

    return value && strcmp(value, text) == 0;
}

/*
 * What a statement that was read before meets when a table has changed, or when its name has gone
 * (26000): errors of analysis (class 42), and "cached plan must not change result type" (0A000).
 * They come before anything is executed: analysis says where in the SQL, which an error of the same
 * class during execution can't; those with a context are from within a function.
 */
static bool
result_is_stale(const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    if (!sqlstate || PQresultErrorField(result, PG_DIAG_CONTEXT)) return false;
    if (strcmp(sqlstate, "0A000") == 0) {
        return field_is(result, PG_DIAG_SOURCE_FUNCTION, "RevalidateCachedQuery");
    }
    if (strncmp(sqlstate, "42", 2) == 0) {
        return PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION) != NULL;
    }
    return strcmp(sqlstate, "26000") == 0;
}

/* Of functions that read a value: out of range, invalid text, date or time, or binary form. */
static const char *const input_errors[] = {"22003", "22007", "22008", "22P02", "22P03"};

/*
 * Whether the types of its parameters may be to blame. A statement with a name keeps them, though
 * the column that a value is for may have got another one, or the type have gone (XX).
 */
static bool
result_doubts_types(const struct pgconn_prepared *prepared, const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    if (!sqlstate || PQnparams(prepared->description) == 0) return false;
    for (size_t i = 0; i < sizeof(input_errors) / sizeof(input_errors[0]); i++) {
        if (strcmp(sqlstate, input_errors[i]) == 0) return true;
    }
    return strncmp(sqlstate, "XX", 2) == 0;
}

/* Whether something ahead of the command has been done that outlives its error. */
static bool
flight_has_lasted(const struct pgconn_flight *flight, const struct pgconn_command *failed)
{
    const struct pgconn_command *command = flight->commands;

    if (flight->transfer && flight->transfer->begun) return true; /* its caller has had rows */
    while (command != failed && !command->lasts) command = command->next;
    return command != failed;
}

/* Whether an error is due to what was learned of the statement. */
static void
flight_judge(struct pgconn_flight *flight)
{
    const struct pgconn_command *failed = pgconn_flight_failed(flight);
    bool stale;

    if (!failed || !failed->relies || !failed->prepared) return;
    stale = result_is_stale(failed->result);
    flight->refused = stale && !flight_has_lasted(flight, failed);
    if (stale || result_doubts_types(failed->prepared, failed->result)) {
        failed->prepared->stale = true;
    }
}

void
pgconn_names_settle(struct pgconn_names *names, struct pgconn_flight *flight)
{
    struct pgconn_command *command;

    flight_judge(flight);
    if (flight->forgets && flight_drops_all(flight)) {
        names->epoch++;
        names->closing_count = 0;
    }
    for (command = flight->commands; command; command = command->next) {
        if (!command->prepared) continue;
        command_settle(names, command);
        if (command->prepared->dropped) pgconn_names_drop(names, command->prepared);
    }
}
