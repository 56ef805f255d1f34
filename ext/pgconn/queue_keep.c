#include "queue.h"

static bool
flight_changes_session(const struct pgconn_flight *flight)
{
    return flight->forgets || flight->two_phase || flight->began || flight->opens ||
           flight->boundary || flight->resource;
}

/*
 * What is said of a statement is kept for its next execution, too, and so is what changes the
 * session or a block, and an error, which may have failed a transaction.
 */
static bool
result_is_awaited(const struct pgconn_flight *flight, const PGresult *result)
{
    const struct pgconn_command *command = flight->answering;

    if (!flight->abandoned || PQresultStatus(result) == PGRES_FATAL_ERROR) return true;
    if (flight_changes_session(flight)) return PQresultStatus(result) != PGRES_TUPLES_OK;
    return command->kind == PGCONN_COMMAND_PREPARE || command->kind == PGCONN_COMMAND_DESCRIBE;
}

/*
 * What comes behind the last answer is the error with which the Sync failed to commit, such as that
 * of a deferred constraint: it takes the place of the last answer.
 */
static struct pgconn_command *
flight_answering(struct pgconn_flight *flight)
{
    if (flight->answering || !flight->commands) return flight->answering;
    flight->answering = flight->commands;
    while (flight->answering->next) flight->answering = flight->answering->next;
    PQclear(pgconn_command_take_result(flight->answering));
    return flight->answering;
}

bool
pgconn_queue_keep(struct pgconn_queue *queue, PGresult *result)
{
    struct pgconn_flight *flight = queue->reading;
    struct pgconn_command *command;

    if (pgconn_messages_end(queue->messages, result) || !(command = flight_answering(flight)) ||
        !result_is_awaited(flight, result)) {
        PQclear(result);
    }
    else if (flight->simple) return pgconn_simple_query_keep(&flight->answering, result);
    else return pgconn_command_keep(command, result);
    return true;
}
