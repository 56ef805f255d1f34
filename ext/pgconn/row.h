/*
 * Pgconn::Row: a frozen tuple that shares the description of its columns with the other rows of its
 * result and holds its values inline.
 */
#ifndef PGCONN_ROW_H
#define PGCONN_ROW_H

#include "columns.h"

extern VALUE rb_cPgconnRow;

/* A row of columns->count values, which are copied; columns are shared, not copied. */
VALUE pgconn_row_new(VALUE columns, long count, const VALUE *values);

#endif
