/*
 * Pgconn::Row: a frozen tuple that shares the description of its columns with the other rows of its
 * result and holds its values inline.
 */
#ifndef PGCONN_ROW_H
#define PGCONN_ROW_H

#include "columns.h"

extern VALUE rb_cPgconnRow;

/* A row of count values, which are copied; columns are shared, not copied. */
VALUE pgconn_row_new(VALUE columns, long count, const VALUE *values);

/* Makes many rows with less work than one by one: their memory comes in pages. */
struct pgconn_row_pool {
    VALUE columns;
    long count;   /* values of each row */
    long planned; /* how many rows are still to be made */
    struct pgconn_row_page *page;
    long left; /* how many rows the page has room for */
    char *next;
};

void pgconn_row_pool_start(struct pgconn_row_pool *pool, VALUE columns, long count, long rows);
VALUE pgconn_row_pool_make(struct pgconn_row_pool *pool, const VALUE *values);

/* To be called at the end, also where an exception ends it. */
void pgconn_row_pool_finish(struct pgconn_row_pool *pool);

#endif
