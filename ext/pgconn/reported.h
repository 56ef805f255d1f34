/*
 * The parameters that servers report of their own accord, kept when the PGconn that had them goes.
 */
#ifndef PGCONN_REPORTED_H
#define PGCONN_REPORTED_H

#include "pgconn.h"

#define PGCONN_REPORTED_COUNT 15

struct pgconn_reported {
    char *values[PGCONN_REPORTED_COUNT]; /* NULL: not reported */
};

/* Copies what the server has last reported. */
void pgconn_reported_keep(struct pgconn_reported *reported, PGconn *pg);

/* The value of a parameter by its name, or NULL. It belongs to reported. */
const char *pgconn_reported_find(const struct pgconn_reported *reported, const char *name);

void pgconn_reported_clear(struct pgconn_reported *reported);

#endif
