/*
 * Pgconn::Row: a frozen tuple that shares the description of its columns with the other rows of its
 * result and holds its values inline.
 */
#ifndef PGCONN_ROW_H
#define PGCONN_ROW_H

#include "pgconn.h"

extern VALUE rb_cPgconnRow;

/*
 * What the rows of one result share: a frozen Hash from each column's name, as a String and as a
 * Symbol, to its index. names is an Array of Strings; of a name that occurs twice the last counts.
 */
VALUE pgconn_row_index(VALUE names);

/* A row of the given values, which are copied. names and index are shared, not copied. */
VALUE pgconn_row_new(VALUE names, VALUE index, long size, const VALUE *values);

#endif
