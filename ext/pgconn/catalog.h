/*
 * What the driver reads of the catalog for itself.
 */
#ifndef PGCONN_CATALOG_H
#define PGCONN_CATALOG_H

#include "answer.h"

/*
 * The rows as an Array of Arrays: read in the transaction that is open if one is, and as built-in
 * types, whatever the user has made of those. Of the request only the deadline counts. Raises as
 * pgconn_execute does.
 */
VALUE pgconn_catalog_rows(VALUE connection, VALUE sql, VALUE arguments,
                          const struct pgconn_request *timed);

#endif
