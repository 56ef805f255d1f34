/*
 * The cells of a PGresult. Its struct is libpq's own affair, but has begun like this in all
 * versions there are, and three checked calls for each cell cost more than most values take to
 * decode. So the struct is read, if a self-test at load time finds what PQgetvalue finds; else
 * libpq is asked.
 */
#ifndef PGCONN_PG_RESULT_H
#define PGCONN_PG_RESULT_H

#include "pgconn.h"

struct pgconn_cell {
    int length; /* -1: NULL */
    char *value;
};

/* How a PGresult begins (libpq-int.h). */
struct pgconn_pg_result {
    int row_count;
    int column_count;
    PGresAttDesc *columns;
    struct pgconn_cell **rows;
};

/* Whether the struct may be read. */
extern bool pgconn_pg_result_readable;

static inline struct pgconn_cell
pgconn_pg_result_cell(const PGresult *result, int row, int column)
{
    struct pgconn_cell cell = {-1, NULL};

    if (pgconn_pg_result_readable)
        return ((const struct pgconn_pg_result *)result)->rows[row][column];
    if (PQgetisnull(result, row, column)) return cell;
    cell.length = PQgetlength(result, row, column);
    cell.value = PQgetvalue(result, row, column);
    return cell;
}

#endif
