/*
 * What the rows of a result share: the names of its columns and where each is. A Ruby object
 * without a name of its own, which no user meets. Rows take it along to other Ractors: it never
 * changes.
 */
#ifndef PGCONN_COLUMNS_H
#define PGCONN_COLUMNS_H

#include "pgconn.h"

struct pgconn_columns {
    long count;
    VALUE names; /* frozen Array of frozen Strings */
    VALUE keys;  /* frozen Array of Symbols */
    VALUE index; /* frozen Hash: each of both to its position; of equal names the last counts */
};

/* Those of an Array of frozen Strings, which it freezes. */
VALUE pgconn_columns_new(VALUE names);

const struct pgconn_columns *pgconn_columns_get(VALUE columns);

#endif
