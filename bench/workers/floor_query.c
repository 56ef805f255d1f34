#include "floor.h"

#include <poll.h>

static void
wait_readable(PGconn *conn)
{
    struct pollfd socket = {.fd = PQsocket(conn), .events = POLLIN};
    if (poll(&socket, 1, -1) < 0 || !PQconsumeInput(conn)) fail(PQerrorMessage(conn));
}

PGresult *
next_result(PGconn *conn)
{
    while (PQisBusy(conn)) wait_readable(conn);
    return PQgetResult(conn);
}

static unsigned long
cell_read(const PGresult *result, int row, int column)
{
    const char *value = PQgetvalue(result, row, column);
    int length = PQgetlength(result, row, column);
    unsigned long sum = (unsigned long)PQgetisnull(result, row, column);
    for (int i = 0; i < length; i++) sum += (unsigned char)value[i];
    return sum;
}

void
result_read(const PGresult *result, struct total *total)
{
    int rows = PQntuples(result), columns = PQnfields(result);
    for (int row = 0; row < rows; row++) {
        for (int column = 0; column < columns; column++)
            total->bytes += cell_read(result, row, column);
    }
    total->columns = columns;
    total->rows += rows;
}

void
statement_prepare(struct statement *statement, PGconn *conn, const char *values)
{
    (void)values;
    if (!statement->prepared) return;
    PGresult *result = PQprepare(conn, statement->name, statement->sql, 0, NULL);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) fail(PQresultErrorMessage(result));
    PQclear(result);
    result = PQdescribePrepared(conn, statement->name);
    statement->nparams = PQnparams(result);
    PQclear(result);
}

static void
statement_send(const struct statement *statement, PGconn *conn, long query)
{
    int n = statement->nparams;
    long executions = n ? statement->nvalues / n : 1;
    const char *const *values = statement->values + query % executions * n;
    int sent = statement->prepared
                   ? PQsendQueryPrepared(conn, statement->name, n, values, NULL, NULL, 1)
                   : PQsendQueryParams(conn, statement->sql, n, NULL, values, NULL, NULL, 1);
    if (!sent) fail(PQerrorMessage(conn));
}

void
sync_read(PGconn *conn)
{
    PGresult *result = next_result(conn);
    if (PQresultStatus(result) != PGRES_PIPELINE_SYNC) fail(PQresultErrorMessage(result));
    PQclear(result);
}

static void
statement_read(PGconn *conn, struct total *total)
{
    PGresult *result;
    while ((result = next_result(conn)) != NULL) {
        if (PQresultStatus(result) != PGRES_TUPLES_OK) fail(PQresultErrorMessage(result));
        result_read(result, total);
        PQclear(result);
    }
    total->queries++;
}

/* What is sent for a batch is little beside what the socket holds: no need to read meanwhile. */
static void
pipeline_execute(const struct statement *statement, PGconn *conn, struct total *total)
{
    if (!PQenterPipelineMode(conn)) fail(PQerrorMessage(conn));
    for (int i = 0; i < statement->batch; i++) statement_send(statement, conn, total->queries + i);
    if (!PQpipelineSync(conn)) fail(PQerrorMessage(conn));
    for (int i = 0; i < statement->batch; i++) statement_read(conn, total);
    sync_read(conn);
    if (!PQexitPipelineMode(conn)) fail(PQerrorMessage(conn));
}

static void
query_execute(const struct statement *statement, PGconn *conn, struct total *total)
{
    statement_send(statement, conn, total->queries);
    statement_read(conn, total);
}

const struct action query_actions[] = {
    {"query",        statement_prepare, query_execute},
    {"pipeline", statement_prepare, pipeline_execute},
    {0    },
};
