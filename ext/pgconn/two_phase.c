#include "two_phase.h"

void
pgconn_two_phase_init(struct pgconn_two_phase *two_phase)
{
    two_phase->stage = PGCONN_TWO_PHASE_NONE;
    two_phase->number = 1;
}

void
pgconn_two_phase_enter(struct pgconn_two_phase *two_phase, enum pgconn_two_phase_stage stage)
{
    two_phase->stage = stage;
    two_phase->number++;
}

const char *
pgconn_two_phase_forbids(const struct pgconn_two_phase *two_phase,
                         const struct pgconn_flight *flight)
{
    if (flight->two_phase || flight->resets) return NULL;
    if (two_phase->stage == PGCONN_TWO_PHASE_PREPARED && !flight->joins) {
        return "a transaction is prepared: end it with tpc_commit or tpc_rollback first";
    }
    if (two_phase->stage == PGCONN_TWO_PHASE_BEGUN && flight->boundary == PGCONN_BOUNDARY_END) {
        return "a transaction that tpc_begin began is ended by tpc_commit or tpc_rollback";
    }
    return NULL;
}

bool
pgconn_two_phase_is_outdated(const struct pgconn_two_phase *two_phase,
                             const struct pgconn_flight *flight)
{
    return flight->two_phase && flight->two_phase != two_phase->number;
}

/*
 * Whether the transaction has ended: by the driver or by SQL of the user's, but not where a BEGIN
 * failed before there was one.
 */
static bool
flight_has_ended_it(const struct pgconn_flight *flight, PGTransactionStatusType transaction)
{
    if (transaction != PQTRANS_IDLE || flight->errand) return false;
    if (flight->two_phase || !flight->began) return flight->two_phase || flight->barrier;
    return PQresultStatus(flight->commands->result) == PGRES_COMMAND_OK;
}

/* Somebody else may have ended it (42704, undefined_object): then nobody can any more. */
static bool
result_ends_prepared(const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    if (PQresultStatus(result) == PGRES_COMMAND_OK) return true;
    return sqlstate && strcmp(sqlstate, "42704") == 0;
}

void
pgconn_two_phase_settle(struct pgconn_two_phase *two_phase, const struct pgconn_flight *flight,
                        PGTransactionStatusType transaction)
{
    switch (two_phase->stage) {
    case PGCONN_TWO_PHASE_NONE:
        break;
    case PGCONN_TWO_PHASE_BEGUN:
        if (flight->two_phase && strcmp(pgconn_flight_tag(flight), "PREPARE TRANSACTION") == 0) {
            pgconn_two_phase_enter(two_phase, PGCONN_TWO_PHASE_PREPARED);
        }
        else if (flight_has_ended_it(flight, transaction)) {
            pgconn_two_phase_enter(two_phase, PGCONN_TWO_PHASE_NONE);
        }
        break;
    case PGCONN_TWO_PHASE_PREPARED:
        if (flight->two_phase && result_ends_prepared(pgconn_flight_result(flight))) {
            pgconn_two_phase_enter(two_phase, PGCONN_TWO_PHASE_NONE);
        }
        break;
    }
}
