/*
 * Statements that the driver executes for methods which control the session: COMMIT, PREPARE
 * TRANSACTION, SET... They begin no transaction by themselves. The caller makes a flight, says what
 * is special with it, waits, and makes it again where the session has changed meanwhile.
 */
#ifndef PGCONN_CONTROL_H
#define PGCONN_CONTROL_H

#include "answer.h"

/* The flight of a statement, a barrier. Raises DataError where the SQL can't be sent. */
struct pgconn_flight *pgconn_control_flight(const struct pgconn_session *session, VALUE sql);

/*
 * For pgconn_request.fault: COMMIT and PREPARE TRANSACTION of a failed transaction succeed, with
 * the tag ROLLBACK.
 */
VALUE pgconn_control_fault(const struct pgconn_request *request, const PGresult *result);

/*
 * Runs the flight, which it takes over, under the session's statement_timeout, and tells the
 * session's tracer, unless sql is nil. *result gets the Pgconn::Result, or nil where nothing had to
 * be sent; false where the flight must be made again. Raises as pgconn_answer_wait does, what the
 * tracer raises, and InFailedSqlTransaction for a COMMIT or a PREPARE TRANSACTION of a failed
 * transaction.
 */
bool pgconn_control_wait(struct pgconn_session *session, struct pgconn_flight *flight, VALUE sql,
                         VALUE *result);

/*
 * A round trip that executes nothing, behind all that is queued; handlers of messages are called by
 * the next command. Raises the same.
 */
void pgconn_control_sync(struct pgconn_session *session, VALUE timeout);

/*
 * What was interrupted, or is under way, may begin or end a transaction: returns when it is known
 * whether one is open, and no block is. Not for callers in a block. Raises the same.
 */
void pgconn_control_settle(struct pgconn_session *session);

#endif
