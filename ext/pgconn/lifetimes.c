#include "lifetimes.h"

bool
pgconn_lifetimes_doubt(const struct pgconn_flight *flight)
{
    const struct pgconn_resource *resource = flight->resource;

    return resource && resource->doubted && !flight->makes && !flight->asks;
}

void
pgconn_lifetimes_settle_blocks(struct pgconn_session *session, const struct pgconn_flight *flight)
{
    const struct pgconn_hold *hold = flight->hold;

    if (!hold || !hold->begun || !hold->savepoint) return;
    if (flight->boundary == PGCONN_BOUNDARY_LEAVE) {
        pgconn_resources_undo(&session->resources, hold->depth);
    }
    else if (flight->boundary == PGCONN_BOUNDARY_RELEASE && !pgconn_flight_failed(flight)) {
        pgconn_resources_keep(&session->resources, hold->depth);
    }
}

/*
 * A name that could be declared was free: whatever had it before is gone. Another one was there
 * before, and was moved now; unless, where nobody has kept the answer, it wasn't even sent.
 */
static void
settle_making(struct pgconn_session *session, const struct pgconn_flight *flight)
{
    struct pgconn_resource *resource = flight->resource;
    bool declared = pgconn_flight_has_tag(flight, "DECLARE CURSOR");

    if (declared) pgconn_resources_end_named(&session->resources, resource->name);
    else resource->moves++;
    pgconn_resources_add(&session->resources, resource, pgconn_line_depth(&session->line));
    if (flight->abandoned && !declared) resource->doubted = true;
}

static void
settle_question(struct pgconn_session *session, const struct pgconn_flight *flight)
{
    const PGresult *answer = pgconn_flight_result(flight);

    if (PQresultStatus(answer) != PGRES_TUPLES_OK) return;
    if (PQntuples(answer) > 0) flight->resource->doubted = false;
    else pgconn_resources_end_named(&session->resources, flight->resource->name);
}

/*
 * What SQL can do to them besides ending the transaction. Of what was rolled back to a savepoint of
 * the user's, or was closed by name, only the server knows; and a DISCARD ALL that fails begins
 * with closing cursors.
 */
static void
settle_statements(struct pgconn_session *session, const struct pgconn_flight *flight)
{
    struct pgconn_resources *resources = &session->resources;

    if (pgconn_flight_has_tag(flight, "DISCARD ALL") ||
        pgconn_flight_has_tag(flight, "CLOSE CURSOR ALL")) {
        pgconn_resources_clear(resources);
        return;
    }
    if (flight->boundary != PGCONN_BOUNDARY_NONE) return;
    if (pgconn_flight_has_tag(flight, "ROLLBACK") ||
        pgconn_flight_has_tag(flight, "CLOSE CURSOR") ||
        (flight->forgets && pgconn_flight_failed(flight))) {
        pgconn_resources_doubt(resources);
    }
}

/* Of an abandoned one rows are dropped, but nothing else that is said of it. */
static void
settle_use(struct pgconn_session *session, const struct pgconn_flight *flight)
{
    if (flight->makes) settle_making(session, flight);
    else if (flight->asks) settle_question(session, flight);
    else if (pgconn_flight_has_tag(flight, "CLOSE CURSOR")) {
        pgconn_resources_end_named(&session->resources, flight->resource->name);
    }
    else flight->resource->moves++;
}

/* What comes to be in a transaction of its own has seen its end already. */
void
pgconn_lifetimes_settle(struct pgconn_session *session, const struct pgconn_flight *flight)
{
    bool used = flight->resource && !pgconn_flight_failed(flight);

    if (used) settle_use(session, flight);
    if (!session->resources.first) return;
    if (!flight->resource) settle_statements(session, flight);
    if (session->transaction == PQTRANS_IDLE || pgconn_line_has_ended_transaction(flight)) {
        pgconn_resources_end(&session->resources, used || pgconn_flight_has_tag(flight, "COMMIT"));
    }
}
