/*
 * A PGresult as a Ruby object, with the plan by which its rows are made.
 */
#ifndef PGCONN_RESULT_H
#define PGCONN_RESULT_H

#include "plan.h"

struct pgconn_result {
    PGresult *pg;
    VALUE plan;        /* nil where there are no rows */
    VALUE description; /* nil until somebody asks */
    int users;         /* how many are reading its values just now */
    int encoding_index;
    long summed; /* rows affected by all executions that it stands for; -1: as the PGresult says */
    bool binary; /* the format of all columns */
    ssize_t memory; /* of the PGresult, as told to the collector */
};

/* An object without a PGresult yet: made first, so that nothing can be lost in between. */
VALUE pgconn_result_new(void);

/*
 * Hands it the PGresult, whose owner it is from now on. *plan, which may be nil, is used if it
 * fits, else replaced.
 */
void pgconn_result_adopt(VALUE self, PGresult *result, int encoding_index, VALUE registry,
                         VALUE *plan);

/*
 * Frees the PGresult without waiting for the collector; the object can then be handed another one.
 * False, and nothing is done, while somebody reads values.
 */
bool pgconn_result_release(VALUE self);

struct pgconn_result *pgconn_result_get(VALUE self);

/* The PGresult, which lives until the object is released. */
const PGresult *pgconn_result_pg(VALUE self);

/* Whether it has columns, as SELECT and RETURNING give them (a SELECT of no columns counts). */
bool pgconn_result_has_rows(VALUE self);

long pgconn_result_row_count(VALUE self);

/* The column's position by name or index. Raises KeyError or IndexError. */
long pgconn_result_column(VALUE self, VALUE column);

/* A frozen Array of Pgconn::Column. */
VALUE pgconn_result_description(VALUE self);

/* For one that stands for several executions. */
void pgconn_result_set_affected(VALUE self, long rows);

/* Rows affected or selected; -1 for commands that don't say. */
long pgconn_result_affected(VALUE self);

#endif
