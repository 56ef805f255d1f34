#include "floor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void
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

PGresult *
statement_run(PGconn *conn, const char *sql, ExecStatusType status)
{
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != status) fail(PQresultErrorMessage(result));
    return result;
}

static const struct action *
action_find(const char *name)
{
    const struct action *lists[] = {query_actions, bulk_actions};
    for (int i = 0; i < 2; i++) {
        for (const struct action *action = lists[i]; action->name; action++) {
            if (strcmp(action->name, name) == 0) return action;
        }
    }
    fail(name);
    return NULL;
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
statement_forget(struct statement *statement)
{
    free(statement->line);
    free(statement->text);
    PQclear(statement->rows);
    memset(statement, 0, sizeof(*statement));
}

/*
 * NAME ACTION SHAPE CALL BATCH CALLERS BESIDE CHECKED SOURCE WRITTEN RESET SQL PARAMETERS. The
 * statement takes the line over, for its strings are there.
 */
static void
statement_setup(struct statement *statement, PGconn *conn, char *line, char *fields)
{
    const char *values;
    statement_forget(statement);
    statement->line = line;
    statement->name = strsep(&fields, "\t");
    statement->action = action_find(strsep(&fields, "\t"));
    strsep(&fields, "\t");
    statement->prepared = strcmp(strsep(&fields, "\t"), "prepared") == 0;
    statement->batch = atoi(strsep(&fields, "\t"));
    strsep(&fields, "\t");
    strsep(&fields, "\t");
    statement->checked = atoi(strsep(&fields, "\t"));
    values = strsep(&fields, "\t");
    statement->written = strsep(&fields, "\t");
    statement->reset = strsep(&fields, "\t");
    statement->sql = strsep(&fields, "\t");
    statement_read_values(statement, fields);
    statement->action->prepare(statement, conn, values);
    puts("{}");
}

/* For a command, which has no rows, or for several, of which the last has some or has none. */
static void
statement_reset(const struct statement *statement, PGconn *conn)
{
    if (*statement->reset) PQclear(statement_run(conn, statement->reset, PGRES_COMMAND_OK));
}

/* What was written counts, where something was. */
static void
written_read(const struct statement *statement, PGconn *conn, struct total *total)
{
    PGresult *result = statement_run(conn, statement->written, PGRES_TUPLES_OK);
    total->rows = 0;
    result_read(result, total);
    PQclear(result);
}

static void
check(const struct statement *statement, PGconn *conn)
{
    struct total total = {0};
    int executions = statement->nparams ? statement->nvalues / statement->nparams : 1;
    if (executions < statement->checked) executions = statement->checked;
    statement_reset(statement, conn);
    while (total.queries < executions) statement->action->execute(statement, conn, &total);
    if (*statement->written) written_read(statement, conn, &total);
    printf("{\"rows\":%ld,\"columns\":%d,\"first\":null,\"digest\":null}\n", total.rows,
           total.columns);
}

static void
run(const struct statement *statement, PGconn *conn, double length)
{
    struct total total = {0};
    double cpu, start;
    statement_reset(statement, conn);
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    start = seconds(CLOCK_MONOTONIC);
    while (seconds(CLOCK_MONOTONIC) < start + length)
        statement->action->execute(statement, conn, &total);
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
