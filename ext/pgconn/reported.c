#include "reported.h"

#include <stdlib.h>
#include <string.h>

/* All that servers from 12 to 18 report; libpq can't be asked for a list. */
static const char *const names[PGCONN_REPORTED_COUNT] = {
    "DateStyle",        "IntervalStyle",         "TimeZone",
    "application_name", "client_encoding",       "default_transaction_read_only",
    "in_hot_standby",   "integer_datetimes",     "is_superuser",
    "scram_iterations", "search_path",           "server_encoding",
    "server_version",   "session_authorization", "standard_conforming_strings",
};

void
pgconn_reported_keep(struct pgconn_reported *reported, PGconn *pg)
{
    size_t i;

    pgconn_reported_clear(reported);
    for (i = 0; i < PGCONN_REPORTED_COUNT; i++) {
        const char *value = PQparameterStatus(pg, names[i]);

        if (value) reported->values[i] = strdup(value);
    }
}

const char *
pgconn_reported_find(const struct pgconn_reported *reported, const char *name)
{
    size_t i;

    for (i = 0; i < PGCONN_REPORTED_COUNT; i++) {
        if (strcmp(names[i], name) == 0) return reported->values[i];
    }
    return NULL;
}

void
pgconn_reported_clear(struct pgconn_reported *reported)
{
    size_t i;

    for (i = 0; i < PGCONN_REPORTED_COUNT; i++) free(reported->values[i]);
    memset(reported, 0, sizeof(*reported));
}
