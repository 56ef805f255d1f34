#include "pg_result.h"

#include <string.h>

bool pgconn_pg_result_readable;

/* Two columns and two rows, one cell of which is NULL; false when libpq has no memory. */
static bool
sample_fill(PGresult *result)
{
    PGresAttDesc columns[] = {
        {.name = "first",  .typid = 25},
        {.name = "second", .typid = 17}
    };
    char *texts[] = {"a", "bc", "def"};

    return PQsetResultAttrs(result, 2, columns) && PQsetvalue(result, 0, 0, texts[0], 1) &&
           PQsetvalue(result, 0, 1, NULL, -1) && PQsetvalue(result, 1, 0, texts[1], 2) &&
           PQsetvalue(result, 1, 1, texts[2], 3);
}

static bool
cell_agrees(const PGresult *result, int row, int column)
{
    struct pgconn_cell cell = ((const struct pgconn_pg_result *)result)->rows[row][column];

    if (PQgetisnull(result, row, column)) return cell.length == -1;
    return cell.length == PQgetlength(result, row, column) &&
           cell.value == PQgetvalue(result, row, column);
}

static bool
sample_agrees(const PGresult *result)
{
    const struct pgconn_pg_result *view = (const struct pgconn_pg_result *)result;

    if (view->row_count != 2 || view->column_count != 2) return false;
    if (strcmp(view->columns[1].name, "second") != 0) return false;
    return cell_agrees(result, 0, 0) && cell_agrees(result, 0, 1) && cell_agrees(result, 1, 0) &&
           cell_agrees(result, 1, 1);
}

void
Init_pgconn_pg_result(void)
{
    PGresult *sample = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);

    pgconn_pg_result_readable = sample && sample_fill(sample) && sample_agrees(sample);
    PQclear(sample);
}
