/*
 * The floor: what a driver over libpq can hardly go below. It has each statement executed with
 * binary results, reads the bytes of each cell and makes nothing of them. worker.rb says what the
 * commands and answers are; SHAPE means nothing here, there is one caller and nothing beside it,
 * and no digest, for there are no values. What goes wrong ends it.
 */
#include <libpq-fe.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_VALUES 4096 /* of the parameters of all executions */
#define CHECKED 3       /* as in statement.rb */

struct statement {
    char *line; /* the command, to which the others point */
    const char *name;
    const char *sql;
    bool prepared;
    int batch;   /* executions that go together; of several in a pipeline */
    int nparams; /* of one execution */
    int nvalues; /* of all, one execution's after the other's */
    const char *values[MAX_VALUES];
};

/* What a statement's executions came to. */
struct total {
    long queries, rows;
    int columns;
    unsigned long bytes; /* their sum: without a use the compiler would not read them */
};

static void
fail(const char *message)
{
    fprintf(stderr, "floor: %s\n", message);
    exit(EXIT_FAILURE);
}

static double
seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
wait_readable(PGconn *conn)
{
    struct pollfd socket = {.fd = PQsocket(conn), .events = POLLIN};
    if (poll(&socket, 1, -1) < 0 || !PQconsumeInput(conn)) fail(PQerrorMessage(conn));
}

static PGresult *
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

static void
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

static void
sync_read(PGconn *conn)
{
    PGresult *result = next_result(conn);
    if (PQresultStatus(result) != PGRES_PIPELINE_SYNC) fail(PQresultErrorMessage(result));
    PQclear(result);
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
statement_execute(const struct statement *statement, PGconn *conn, struct total *total)
{
    if (statement->batch > 1) {
        pipeline_execute(statement, conn, total);
        return;
    }
    statement_send(statement, conn, total->queries);
    statement_read(conn, total);
}

/* JSON numbers and booleans are the server's text for them, too. */
static void
statement_read_values(struct statement *statement, char *json)
{
    statement->nvalues = 0;
    for (char *value = strtok(json, "[],"); value; value = strtok(NULL, "[],")) {
        if (statement->nvalues == MAX_VALUES) fail("too many parameters");
        statement->values[statement->nvalues++] = value;
    }
}

static void
statement_prepare(struct statement *statement, PGconn *conn)
{
    PGresult *result = PQprepare(conn, statement->name, statement->sql, 0, NULL);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) fail(PQresultErrorMessage(result));
    PQclear(result);
    result = PQdescribePrepared(conn, statement->name);
    statement->nparams = PQnparams(result);
    PQclear(result);
}

/*
 * NAME SHAPE CALL BATCH CALLERS BESIDE SQL PARAMETERS. The statement takes the line over, for its
 * strings are there.
 */
static void
statement_setup(struct statement *statement, PGconn *conn, char *line, char *fields)
{
    free(statement->line);
    statement->line = line;
    statement->name = strsep(&fields, "\t");
    strsep(&fields, "\t");
    statement->prepared = strcmp(strsep(&fields, "\t"), "prepared") == 0;
    statement->batch = atoi(strsep(&fields, "\t"));
    strsep(&fields, "\t");
    strsep(&fields, "\t");
    statement->sql = strsep(&fields, "\t");
    statement_read_values(statement, fields);
    statement->nparams = 0;
    if (statement->prepared) statement_prepare(statement, conn);
    puts("{}");
}

static void
check(const struct statement *statement, PGconn *conn)
{
    struct total total = {0};
    int executions = statement->nparams ? statement->nvalues / statement->nparams : 1;
    if (executions < CHECKED) executions = CHECKED;
    while (total.queries < executions) statement_execute(statement, conn, &total);
    printf("{\"rows\":%ld,\"columns\":%d,\"first\":null,\"digest\":null}\n", total.rows,
           total.columns);
}

static void
run(const struct statement *statement, PGconn *conn, double length)
{
    struct total total = {0};
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), start = seconds(CLOCK_MONOTONIC);
    while (seconds(CLOCK_MONOTONIC) < start + length) statement_execute(statement, conn, &total);
    printf("{\"queries\":%ld,\"rows\":%ld,\"bytes\":%lu,\"seconds\":%f,\"cpu\":%f}\n",
           total.queries, total.rows, total.bytes, seconds(CLOCK_MONOTONIC) - start,
           seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
}

int
main(void)
{
    struct statement statement = {0};
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    PGconn *conn = PQconnectdb("");
    if (PQstatus(conn) != CONNECTION_OK) fail(PQerrorMessage(conn));
    printf("{\"version\":null,\"runtime\":\"C\",\"libpq\":%d,\"backends\":[%d]}\n", PQlibVersion(),
           PQbackendPID(conn));
    fflush(stdout);
    while ((length = getline(&line, &size, stdin)) > 0) {
        char *fields = line;
        line[strcspn(line, "\n")] = '\0';
        const char *command = strsep(&fields, "\t");
        if (strcmp(command, "setup") == 0) {
            statement_setup(&statement, conn, line, fields);
            line = NULL;
        }
        else if (strcmp(command, "check") == 0) check(&statement, conn);
        else run(&statement, conn, atof(fields));
        fflush(stdout);
    }
    return EXIT_SUCCESS;
}
