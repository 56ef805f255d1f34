/*
 * From the values of a row to what the user gets for it.
 */
#ifndef PGCONN_ROW_SHAPE_H
#define PGCONN_ROW_SHAPE_H

#include "result.h"
#include "row.h"

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

/* Makes the rows of one result, and after another. */
struct pgconn_row_maker {
    const struct pgconn_row_shape *shape;
    VALUE result, plan, columns; /* all kept by the result, which its user keeps */
    struct pgconn_row_pool pool;
};

/*
 * For about so many rows; the shape is there already. Whoever starts it sees to it that the result
 * isn't released before the end.
 */
void pgconn_row_maker_start(struct pgconn_row_maker *maker, VALUE result, long count);

/*
 * Sees to it that none of its objects are moved. To be called by who has it elsewhere than on the
 * stack, where the collector finds them by itself.
 */
void pgconn_row_maker_mark(const struct pgconn_row_maker *maker);

/* What a row is, of its values, which the caller keeps. Raises what the shape's callable raises. */
VALUE pgconn_row_maker_make(struct pgconn_row_maker *maker, const VALUE *values);

/* To be called at the end, also where an exception ends it. */
void pgconn_row_maker_finish(struct pgconn_row_maker *maker);

#endif
