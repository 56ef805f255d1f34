/*
 * A PGresult as a Ruby object, with what is worked out once for all of its rows: the codec of each
 * column and the columns' names.
 */
#ifndef PGCONN_RESULT_H
#define PGCONN_RESULT_H

#include "pgconn.h"

/* An object without a PGresult yet: made first, so that nothing can be lost in between. */
VALUE pgconn_result_new(int encoding_index);

/* Hands it the PGresult, whose owner it is from now on. */
void pgconn_result_adopt(VALUE self, PGresult *result);

/* The PGresult, which lives as long as the object does. */
const PGresult *pgconn_result_pg(VALUE self);

/* Whether it has columns, as SELECT and RETURNING give them (a SELECT of no columns counts). */
bool pgconn_result_has_rows(VALUE self);

long pgconn_result_row_count(VALUE self);

/* The row at a position, which must exist. Raises DataError for a value that can't be decoded. */
VALUE pgconn_result_row(VALUE self, long row);

/* One value; column and row must exist. */
VALUE pgconn_result_value(VALUE self, long row, long column);

/* The column's position by name or index. Raises KeyError or IndexError. */
long pgconn_result_column(VALUE self, VALUE column);

/* An Array of Pgconn::Column. */
VALUE pgconn_result_description(VALUE self);

/* Rows affected or selected; -1 for commands that don't say. */
long pgconn_result_affected(VALUE self);

#endif
