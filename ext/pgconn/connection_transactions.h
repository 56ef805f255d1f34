/*
 * Pgconn::Connection's transactions: their ends, their modes, and the steps of `transaction { }`.
 */
#ifndef PGCONN_CONNECTION_TRANSACTIONS_H
#define PGCONN_CONNECTION_TRANSACTIONS_H

#include "connection.h"

/*
 * The session of a connection that may talk, for what can't be done inside of `transaction { }`:
 * raises ProgrammingError there, its message beginning with what ("commit can't be called").
 */
struct pgconn_session *pgconn_connection_get_outside(VALUE self, const char *what);

/* Modes from values that are checked: nil for KEEP, true, false, an Integer, or :default. */
struct pgconn_modes pgconn_connection_modes(VALUE isolation, VALUE read_only, VALUE deferrable);

/* Opens a block, or keeps what was done in one that isn't the whole transaction. Both raise. */
void pgconn_connection_open(VALUE self, struct pgconn_hold *hold);
void pgconn_connection_release(VALUE self, struct pgconn_hold *hold);

#endif
