#include "flight.h"

struct pgconn_flight *
pgconn_flight_new(void)
{
    return calloc(1, sizeof(struct pgconn_flight));
}

void
pgconn_flight_free(struct pgconn_flight *flight)
{
    struct pgconn_command *command;

    pgconn_flight_unlink(flight);
    while ((command = flight->commands)) {
        flight->commands = command->next;
        pgconn_command_free(command);
    }
    pgconn_transfer_release(flight->transfer);
    pgconn_resource_release(flight->resource);
    pgconn_failure_release(flight->failure);
    free(flight);
}

void
pgconn_flight_link(struct pgconn_flight *flight, struct pgconn_flight **keeper)
{
    *keeper = flight;
    flight->keeper = keeper;
}

void
pgconn_flight_unlink(struct pgconn_flight *flight)
{
    if (flight->keeper) *flight->keeper = NULL;
    flight->keeper = NULL;
}

void
pgconn_flight_rewind(struct pgconn_flight *flight)
{
    struct pgconn_command *command;

    for (command = flight->commands; command; command = command->next) {
        PQclear(pgconn_command_take_result(command));
    }
    flight->state = PGCONN_FLIGHT_QUEUED;
    flight->sent = flight->complete = false;
    flight->unwanted = flight->asked = flight->exposed = flight->struck = false;
}

size_t
pgconn_flight_size(const struct pgconn_flight *flight)
{
    const struct pgconn_command *command;
    size_t size = 0;

    for (command = flight->commands; command; command = command->next) {
        size += command->params.bytes.length + (command->sql ? strlen(command->sql) : 0);
    }
    return size;
}

struct pgconn_command *
pgconn_flight_append(struct pgconn_flight *flight, enum pgconn_command_kind kind, const char *sql)
{
    struct pgconn_command *command = pgconn_command_new(&flight->only, kind, sql);

    if (!command) return NULL;
    if (flight->tail) flight->tail->next = command;
    else flight->commands = command;
    return flight->tail = command;
}

struct pgconn_command *
pgconn_flight_prepend(struct pgconn_flight *flight, enum pgconn_command_kind kind, const char *sql)
{
    struct pgconn_command *command = pgconn_command_new(&flight->only, kind, sql);

    if (!command) return NULL;
    command->next = flight->commands;
    if (!flight->tail) flight->tail = command;
    return flight->commands = command;
}

struct pgconn_command *
pgconn_flight_failed(const struct pgconn_flight *flight)
{
    struct pgconn_command *command = flight->commands;

    for (; command; command = command->next) {
        if (command->result && PQresultStatus(command->result) == PGRES_FATAL_ERROR) break;
    }
    return command;
}

bool
pgconn_flight_starts_copy(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

PGresult *
pgconn_flight_result(const struct pgconn_flight *flight)
{
    struct pgconn_command *command;
    PGresult *result = NULL;

    for (command = flight->commands; command; command = command->next) {
        result = command->result;
        if (!result) continue;
        if (PQresultStatus(result) == PGRES_FATAL_ERROR || pgconn_flight_starts_copy(result)) break;
    }
    return result;
}

const char *
pgconn_flight_tag(const struct pgconn_flight *flight)
{
    PGresult *result = pgconn_flight_result(flight);

    return result ? PQcmdStatus(result) : "";
}

bool
pgconn_flight_has_tag(const struct pgconn_flight *flight, const char *tag)
{
    const struct pgconn_command *command;

    for (command = flight->commands; command; command = command->next) {
        if (command->result && strcmp(PQcmdStatus(command->result), tag) == 0) return true;
    }
    return false;
}

struct pgconn_command *
pgconn_flight_asked(const struct pgconn_flight *flight)
{
    struct pgconn_command *command = flight->commands;

    while (command && command->next && command->kind != PGCONN_COMMAND_STATEMENTS) {
        command = command->next;
    }
    return command;
}
