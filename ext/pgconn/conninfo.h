/*
 * Connection parameters on their way between Ruby's Hashes of Strings and libpq's two forms: the
 * arrays that it takes and the list of options that it gives.
 */
#ifndef PGCONN_CONNINFO_H
#define PGCONN_CONNINFO_H

#include "pgconn.h"

struct pgconn_conninfo {
    char **keywords; /* both end with a NULL, as libpq wants them */
    char **values;
};

/*
 * Copies a Hash of Strings. Raises NoMemoryError; what was copied must be freed all the same. The
 * struct is zeroed before.
 */
void pgconn_conninfo_init(struct pgconn_conninfo *conninfo, VALUE parameters);
void pgconn_conninfo_free(struct pgconn_conninfo *conninfo);

/* PQconnectStartParams: NULL or a PGconn, the caller's to finish. Needs no GVL. */
PGconn *pgconn_conninfo_start(const struct pgconn_conninfo *conninfo);

/*
 * A Hash of Strings of libpq's list, which is freed; with_unset: with nil for options without a
 * value. Raises NoMemoryError, also for NULL.
 */
VALUE pgconn_conninfo_hash(PQconninfoOption *list, bool with_unset);

#endif
