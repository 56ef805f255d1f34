/*
 * How far a session has come with the two-phase transaction of tpc_begin, which begins, as any
 * other, with its first statement. The stage follows from the server's answers alone, so that it is
 * right also where the caller was interrupted.
 */
#ifndef PGCONN_TWO_PHASE_H
#define PGCONN_TWO_PHASE_H

#include "flight.h"

enum pgconn_two_phase_stage {
    PGCONN_TWO_PHASE_NONE,
    PGCONN_TWO_PHASE_BEGUN,
    PGCONN_TWO_PHASE_PREPARED, /* the session has no transaction, and may begin none */
};

struct pgconn_two_phase {
    enum pgconn_two_phase_stage stage;
    unsigned long number; /* of the stage; never 0, and never the same again */
};

void pgconn_two_phase_init(struct pgconn_two_phase *two_phase);
void pgconn_two_phase_enter(struct pgconn_two_phase *two_phase, enum pgconn_two_phase_stage stage);

/* Why the flight may not be sent at this stage, or NULL. */
const char *pgconn_two_phase_forbids(const struct pgconn_two_phase *two_phase,
                                     const struct pgconn_flight *flight);

/* Whether the flight was made for another stage. */
bool pgconn_two_phase_is_outdated(const struct pgconn_two_phase *two_phase,
                                  const struct pgconn_flight *flight);

/* After the answer to a flight, which has left the session in this state. */
void pgconn_two_phase_settle(struct pgconn_two_phase *two_phase, const struct pgconn_flight *flight,
                             PGTransactionStatusType transaction);

#endif
