/*
 * A PGresult as a Ruby object, with the plan by which its rows are made.
 */
#ifndef PGCONN_RESULT_H
#define PGCONN_RESULT_H

#include "plan.h"

/* What is made of a row. */
enum pgconn_row_kind {
    PGCONN_ROW,        /* a Pgconn::Row */
    PGCONN_ROW_ARRAY,  /* an Array */
    PGCONN_ROW_HASH,   /* a Hash with Symbols as keys */
    PGCONN_ROW_STRUCT, /* a Struct, of one class for all rows of a statement */
    PGCONN_ROW_CALL,   /* what the callable gives for the columns and the values */
};

struct pgconn_row_shape {
    enum pgconn_row_kind kind;
    VALUE callable; /* or nil */
};

/* An object without a PGresult yet: made first, so that nothing can be lost in between. */
VALUE pgconn_result_new(void);

/*
 * Hands it the PGresult, whose owner it is from now on. *plan, which may be nil, is used if it fits,
 * else replaced.
 */
void pgconn_result_adopt(VALUE self, PGresult *result, int encoding_index, VALUE registry,
                         VALUE *plan);

/* The PGresult, which lives as long as the object does. */
const PGresult *pgconn_result_pg(VALUE self);

/* Whether it has columns, as SELECT and RETURNING give them (a SELECT of no columns counts). */
bool pgconn_result_has_rows(VALUE self);

long pgconn_result_row_count(VALUE self);

/* The row at a position, which must exist. Raises DataError for a value that can't be decoded. */
VALUE pgconn_result_row(VALUE self, long row, const struct pgconn_row_shape *shape);

/*
 * An Array of count rows from *position on, which must exist. *position goes on with each row, past
 * one that can't be decoded, too: that raises DataError.
 */
VALUE pgconn_result_rows(VALUE self, long *position, long count,
                         const struct pgconn_row_shape *shape);

/* One value; column and row must exist. */
VALUE pgconn_result_value(VALUE self, long row, long column);

/* The values of a column in all rows from one on. */
VALUE pgconn_result_values(VALUE self, long row, long column);

/* The column's position by name or index. Raises KeyError or IndexError. */
long pgconn_result_column(VALUE self, VALUE column);

/* A frozen Array of Pgconn::Column. */
VALUE pgconn_result_description(VALUE self);

/* Rows affected or selected; -1 for commands that don't say. */
long pgconn_result_affected(VALUE self);

#endif
