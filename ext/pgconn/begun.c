#include "begun.h"

bool
pgconn_begun_is_possible(const struct pgconn_session *session)
{
    return session->life == PGCONN_SESSION_OPEN && !pgconn_session_inherited(session) &&
           session->transaction != PQTRANS_INERROR && !pgconn_session_gathered(session) &&
           !pgconn_answer_objection(session);
}

/* It is kept before it is sent: what raises on the way leaves it to its owner. */
void
pgconn_begun_keep(struct pgconn_begun *begun, struct pgconn_session *session,
                  struct pgconn_flight *flight)
{
    begun->session = session;
    pgconn_flight_link(flight, &begun->flight);
    pgconn_driver_begin(session, flight);
}

static struct pgconn_flight *
begun_unlink(struct pgconn_begun *begun)
{
    struct pgconn_flight *flight = begun->flight;

    if (flight) pgconn_flight_unlink(flight);
    return flight;
}

struct pgconn_flight *
pgconn_begun_take(struct pgconn_begun *begun)
{
    struct pgconn_gathered *gathered;

    if (!begun->flight) return NULL;
    pgconn_answer_check_caller(begun->session);
    gathered = pgconn_session_gathered(begun->session);
    if (gathered) gathered->send(gathered);
    return begun_unlink(begun);
}

void
pgconn_begun_drop(struct pgconn_begun *begun)
{
    struct pgconn_flight *flight = begun_unlink(begun);

    if (flight) pgconn_driver_let_run_on(begun->session, flight);
}
