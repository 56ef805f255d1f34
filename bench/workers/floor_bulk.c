#include "floor.h"

#include <fcntl.h>
#include <libpq/libpq-fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So much text is handed over at once. */
#define COPY_PIECE 65536

/* The same of a large object: more isn't faster. */
#define OBJECT_PIECE 262144

#define MEGABYTE 1048576

static void
text_append(struct statement *statement, const char *data, size_t length)
{
    statement->text = realloc(statement->text, statement->text_size + length);
    if (!statement->text) fail("out of memory");
    memcpy(statement->text + statement->text_size, data, length);
    statement->text_size += length;
}

static void
copy_begin(PGconn *conn, const char *source, const char *direction, ExecStatusType status)
{
    char sql[512];
    snprintf(sql, sizeof(sql), "COPY %s %s", source, direction);
    PQclear(statement_run(conn, sql, status));
}

/* The rows of a COPY. */
static long
copy_end(PGconn *conn)
{
    PGresult *result = PQgetResult(conn);
    long rows = atol(PQcmdTuples(result));
    if (PQresultStatus(result) != PGRES_COMMAND_OK) fail(PQresultErrorMessage(result));
    PQclear(result);
    PQclear(PQgetResult(conn));
    return rows;
}

/* The text that COPY wants is what it gives. */
static void
copy_in_prepare(struct statement *statement, PGconn *conn, const char *values)
{
    char source[256], *data;
    int length;
    snprintf(source, sizeof(source), "(%s)", values);
    copy_begin(conn, source, "TO STDOUT", PGRES_COPY_OUT);
    while ((length = PQgetCopyData(conn, &data, 0)) > 0) {
        text_append(statement, data, (size_t)length);
        PQfreemem(data);
    }
    copy_end(conn);
}

static void
text_put(const struct statement *statement, PGconn *conn)
{
    size_t piece;
    for (size_t at = 0; at < statement->text_size; at += piece) {
        piece = statement->text_size - at;
        if (piece > COPY_PIECE) piece = COPY_PIECE;
        if (PQputCopyData(conn, statement->text + at, (int)piece) != 1) fail(PQerrorMessage(conn));
    }
}

static void
copy_in_execute(const struct statement *statement, PGconn *conn, struct total *total)
{
    int times = atoi(statement->values[0]);
    copy_begin(conn, statement->sql, "FROM STDIN", PGRES_COPY_IN);
    for (int i = 0; i < times; i++) text_put(statement, conn);
    if (PQputCopyEnd(conn, NULL) != 1) fail(PQerrorMessage(conn));
    total->rows += copy_end(conn);
    total->queries++;
}

/* The check wants to know the number of columns, with which all rows but the first begin. */
static void
copy_out_execute(const struct statement *statement, PGconn *conn, struct total *total)
{
    char *data;
    int length;
    copy_begin(conn, statement->sql, "TO STDOUT (FORMAT binary)", PGRES_COPY_OUT);
    while ((length = PQgetCopyData(conn, &data, 0)) > 0) {
        for (int i = 0; i < length; i++) total->bytes += (unsigned char)data[i];
        if (length > 2 && data[0] == 0) total->columns = data[1];
        PQfreemem(data);
    }
    total->rows += copy_end(conn);
    total->queries++;
}

static void
nothing_prepare(struct statement *statement, PGconn *conn, const char *values)
{
    (void)statement, (void)conn, (void)values;
}

static void
execute_many_prepare(struct statement *statement, PGconn *conn, const char *values)
{
    statement->rows = statement_run(conn, values, PGRES_TUPLES_OK);
    statement_prepare(statement, conn, values);
    statement->nparams = 0; /* for these there are the rows */
}

static void
row_send(const struct statement *statement, PGconn *conn, int row)
{
    const char *values[MAX_VALUES];
    int columns = PQnfields(statement->rows);
    for (int column = 0; column < columns; column++)
        values[column] = PQgetvalue(statement->rows, row, column);
    if (!PQsendQueryPrepared(conn, statement->name, columns, values, NULL, NULL, 1)) {
        fail(PQerrorMessage(conn));
    }
}

static void
inserted_read(PGconn *conn, struct total *total)
{
    PGresult *result;
    while ((result = next_result(conn)) != NULL) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK) fail(PQresultErrorMessage(result));
        PQclear(result);
    }
    total->rows++;
}

/* As in a pipeline of queries, the socket holds all answers until they are read. */
static void
execute_many_execute(const struct statement *statement, PGconn *conn, struct total *total)
{
    int rows = PQntuples(statement->rows);
    if (!PQenterPipelineMode(conn)) fail(PQerrorMessage(conn));
    for (int row = 0; row < rows; row++) row_send(statement, conn, row);
    if (!PQpipelineSync(conn)) fail(PQerrorMessage(conn));
    for (int row = 0; row < rows; row++) inserted_read(conn, total);
    sync_read(conn);
    if (!PQexitPipelineMode(conn)) fail(PQerrorMessage(conn));
    total->queries++;
}

static void
object_write(PGconn *conn, int object, int file, struct total *total)
{
    static char piece[OBJECT_PIECE];
    long bytes = 0;
    ssize_t length;
    while ((length = read(file, piece, sizeof(piece))) > 0) {
        if (lo_write(conn, object, piece, (size_t)length) != length) fail(PQerrorMessage(conn));
        bytes += length;
    }
    total->rows += bytes / MEGABYTE;
}

static void
object_read(PGconn *conn, int object, int file, struct total *total)
{
    static char piece[OBJECT_PIECE];
    long bytes = 0;
    int length;
    while ((length = lo_read(conn, object, piece, sizeof(piece))) > 0) {
        if (write(file, piece, (size_t)length) != length) fail("can't write to the file");
        bytes += length;
    }
    total->rows += bytes / MEGABYTE;
}

static void
object_execute(const struct statement *statement, PGconn *conn, struct total *total, bool in)
{
    int file = open(statement->sql, in ? O_RDONLY : O_WRONLY), object;
    if (file < 0) fail(statement->sql);
    PQclear(statement_run(conn, "BEGIN", PGRES_COMMAND_OK));
    object = lo_open(conn, (Oid)atol(statement->values[0]), in ? INV_WRITE : INV_READ);
    if (object < 0) fail(PQerrorMessage(conn));
    (in ? object_write : object_read)(conn, object, file, total);
    lo_close(conn, object);
    PQclear(statement_run(conn, "COMMIT", PGRES_COMMAND_OK));
    close(file);
    total->queries++;
}

static void
object_in_execute(const struct statement *statement, PGconn *conn, struct total *total)
{
    object_execute(statement, conn, total, true);
}

static void
object_out_execute(const struct statement *statement, PGconn *conn, struct total *total)
{
    object_execute(statement, conn, total, false);
}

const struct action bulk_actions[] = {
    {"copy_in",             copy_in_prepare, copy_in_execute},
    {"copy_out",      nothing_prepare, copy_out_execute},
    {"execute_many",            execute_many_prepare, execute_many_execute},
    {"large_object_in",     nothing_prepare, object_in_execute},
    {"large_object_out",        nothing_prepare, object_out_execute},
    {0},
};
