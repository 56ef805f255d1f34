/*
 * From the cells of a result to values and rows.
 */
#ifndef PGCONN_ROWS_H
#define PGCONN_ROWS_H

#include "row_shape.h"

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

/* The values of a column in count rows from one on. */
VALUE pgconn_rows_column(VALUE result, long row, long column, long count);

#endif
