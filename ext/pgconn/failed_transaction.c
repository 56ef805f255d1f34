#include "failed_transaction.h"

/*
 * In a failed transaction other errors come, too, but only the first has failed it; unless it was
 * rolled back within the same flight, which COMMIT does, too, by its tag.
 */
static bool
flight_fails(const struct pgconn_failures *failures, const struct pgconn_flight *flight)
{
    return !failures->current || pgconn_flight_has_tag(flight, "ROLLBACK");
}

static void
failures_meet(struct pgconn_failures *failures, struct pgconn_flight *flight)
{
    const struct pgconn_command *failed = pgconn_flight_failed(flight);

    if (!failed) return;
    flight->fails = flight_fails(failures, flight);
    if (flight->fails) {
        pgconn_failures_enter(failures, failed->result, flight->settings.encoding_index);
    }
    flight->failure = pgconn_failure_retain(failures->current);
}

/* The transaction has ended, or goes on from a savepoint: the flight takes its reference over. */
static void
failures_leave(struct pgconn_failures *failures, struct pgconn_flight *flight)
{
    flight->failure = failures->current;
    failures->current = NULL;
}

void
pgconn_failed_transaction_follow(struct pgconn_failures *failures, struct pgconn_flight *flight,
                                 PGTransactionStatusType transaction, bool last)
{
    if (last && transaction != PQTRANS_INERROR) failures_leave(failures, flight);
    else if (transaction != PQTRANS_IDLE) failures_meet(failures, flight);
}
