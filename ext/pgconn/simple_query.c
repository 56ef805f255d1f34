#include "simple_query.h"

size_t
pgconn_simple_query_ahead(const struct pgconn_command *commands)
{
    const struct pgconn_command *command;
    size_t ahead = 0;

    for (command = commands; command->kind != PGCONN_COMMAND_STATEMENTS; command = command->next) {
        ahead += strlen(command->sql) + 1;
    }
    return ahead;
}

static const char *
last_sql(const struct pgconn_command *commands)
{
    while (commands->next) commands = commands->next;
    return commands->sql;
}

/* All SQL with ';' in between; NULL when out of memory. */
static char *
sql_join(const struct pgconn_command *commands, size_t ahead)
{
    const char *last = last_sql(commands);
    char *joined = malloc(ahead + strlen(last) + 1), *end = joined;

    if (!joined) return NULL;
    for (; commands->next; commands = commands->next) {
        end = stpcpy(end, commands->sql);
        *end++ = ';';
    }
    strcpy(end, last);
    return joined;
}

bool
pgconn_simple_query_send(PGconn *pg, const struct pgconn_command *commands)
{
    size_t ahead = pgconn_simple_query_ahead(commands);
    char *joined = ahead > 0 ? sql_join(commands, ahead) : NULL;
    bool sent;

    if (ahead > 0 && !joined) return false;
    sent = PQexitPipelineMode(pg) == 1 && PQsendQuery(pg, joined ? joined : commands->sql) == 1;
    free(joined);
    return sent;
}

/* DONE: the server has said that there is no more. */
static enum pgconn_step
copy_drain(PGconn *pg)
{
    char *row;
    int length;

    while ((length = PQgetCopyData(pg, &row, 1)) > 0) PQfreemem(row);
    if (length == 0) return PGCONN_STEP_WANT_READ;
    return length == -1 ? PGCONN_STEP_DONE : PGCONN_STEP_FAILED;
}

static enum pgconn_step
copy_end(PGconn *pg, ExecStatusType status)
{
    switch (status) {
    case PGRES_COPY_IN:
        return PQputCopyEnd(pg, PGCONN_SIMPLE_QUERY_NO_COPY) == 1 ? PGCONN_STEP_DONE
                                                                  : PGCONN_STEP_FAILED;
    case PGRES_COPY_OUT:
        return copy_drain(pg);
    case PGRES_COPY_BOTH: /* only replication has it, which is no simple query of ours */
        return PGCONN_STEP_FAILED;
    default:
        return PGCONN_STEP_DONE;
    }
}

/* Made by libpq, for want of an answer. */
static bool
result_is_loss(const PGconn *pg, const PGresult *result)
{
    return PQstatus(pg) == CONNECTION_BAD && PQresultStatus(result) == PGRES_FATAL_ERROR &&
           !PQresultErrorField(result, PG_DIAG_SQLSTATE);
}

enum pgconn_step
pgconn_simple_query_next(PGconn *pg, PGresult **result)
{
    *result = PQgetResult(pg);
    if (!*result) return PQenterPipelineMode(pg) ? PGCONN_STEP_DONE : PGCONN_STEP_FAILED;
    if (!result_is_loss(pg, *result)) return PGCONN_STEP_DONE;
    PQclear(*result);
    return PGCONN_STEP_FAILED;
}

/* Until it has ended, libpq gives the result of a COPY again and again. */
enum pgconn_step
pgconn_simple_query_end_copy(PGconn *pg, PGresult **result)
{
    enum pgconn_step step = copy_end(pg, PQresultStatus(*result));

    if (step != PGCONN_STEP_DONE) PQclear(*result);
    return step;
}

enum pgconn_step
pgconn_simple_query_take(PGconn *pg, PGresult **result)
{
    enum pgconn_step step = pgconn_simple_query_next(pg, result);

    if (step != PGCONN_STEP_DONE || !*result) return step;
    return pgconn_simple_query_end_copy(pg, result);
}

bool
pgconn_simple_query_keep(struct pgconn_command **answering, PGresult *result)
{
    struct pgconn_command *command = *answering;

    if (command->result) {
        if (!command->next) {
            command->next = pgconn_command_new(NULL, PGCONN_COMMAND_STATEMENTS, NULL);
        }
        command = command->next;
    }
    if (!command) {
        PQclear(result);
        return false;
    }
    command->result = result;
    *answering = command;
    return true;
}
