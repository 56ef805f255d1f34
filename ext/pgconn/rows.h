/*
 * From the cells of a result to values and rows.
 */
#ifndef PGCONN_ROWS_H
#define PGCONN_ROWS_H

#include "result.h"

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

/*
 * All of these raise DataError for a value that can't be decoded. While they run, the result can't
 * be released; a user's decoder may try to.
 */

/* The row at a position, which must exist. */
VALUE pgconn_rows_one(VALUE result, long row, const struct pgconn_row_shape *shape);

/*
 * An Array of count rows from *position on, which must exist. *position goes on with each row, past
 * one that can't be decoded, too, as long as *current, the cursor's result, is the same.
 */
VALUE pgconn_rows_many(const VALUE *current, long *position, long count,
                       const struct pgconn_row_shape *shape);

/* One value; column and row must exist. */
VALUE pgconn_rows_value(VALUE result, long row, long column);

/* The values of a column in all rows from one on. */
VALUE pgconn_rows_column(VALUE result, long row, long column);

#endif
