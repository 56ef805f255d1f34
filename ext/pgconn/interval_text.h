/*
 * The texts of PostgreSQL's intervals as numbers. Plain C; nothing raises.
 */
#ifndef PGCONN_INTERVAL_TEXT_H
#define PGCONN_INTERVAL_TEXT_H

#include "buffer.h"

/* As the server holds it. Infinity, from PostgreSQL 17 on, is the largest (smallest) of each. */
struct pgconn_interval {
    int64_t microseconds;
    int32_t days;
    int32_t months;
};

/* Reads an interval of IntervalStyle postgres or iso_8601. */
bool pgconn_interval_text_parse(struct pgconn_reader reader, struct pgconn_interval *interval);

/* Whether what can't be read is in another IntervalStyle: sql_standard or postgres_verbose. */
bool pgconn_interval_text_is_foreign(struct pgconn_reader reader);

#endif
