/*
 * Keeps up, from the answers alone, with what has failed the transaction that is open.
 */
#ifndef PGCONN_FAILED_TRANSACTION_H
#define PGCONN_FAILED_TRANSACTION_H

#include "flight.h"

/* As below, where there is something to do. */
void pgconn_failed_transaction_follow(struct pgconn_failures *failures,
                                      struct pgconn_flight *flight,
                                      PGTransactionStatusType transaction, bool last);

/*
 * After the answer to a flight. transaction is the state as of the last ReadyForQuery that no other
 * answer was awaited behind; last: this flight's is one. A flight that the server has refused, or
 * that has ended the failed transaction or what failed in it, refers to the failure from then on.
 */
static inline void
pgconn_failed_transaction_settle(struct pgconn_failures *failures, struct pgconn_flight *flight,
                                 PGTransactionStatusType transaction, bool last)
{
    if (last && transaction != PQTRANS_INERROR && !failures->current) return;
    pgconn_failed_transaction_follow(failures, flight, transaction, last);
}

#endif
