/*
 * A transaction around what the driver does in several flights, by the rules of `transaction { }`:
 * other callers wait until it has ended, and it can be left in any way.
 */
#ifndef PGCONN_TRANSACTION_H
#define PGCONN_TRANSACTION_H

#include "answer.h"

/*
 * Calls body(argument, hold) in a transaction of its own where each statement would commit by
 * itself; where one is open, or begins by itself, in that. The request says how long its turn is
 * waited for. What the body hasn't committed by pgconn_transaction_commit is rolled back. Gives
 * what the body gives; raises what it raises.
 */
VALUE pgconn_transaction_run(VALUE connection, const struct pgconn_request *timed,
                             VALUE (*body)(VALUE, struct pgconn_hold *), VALUE argument);

/*
 * Commits the transaction, where it is one of its own. Of the request the deadline and the cursor
 * count, for errors. Raises as `commit` does, and ProgrammingError where it was abandoned.
 */
void pgconn_transaction_commit(VALUE connection, struct pgconn_hold *hold,
                               const struct pgconn_request *timed);

/* Rolls back that which was opened last, if it is one of these. May raise what interrupts raise. */
void pgconn_transaction_abandon(struct pgconn_session *session);

#endif
