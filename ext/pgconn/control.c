#include "control.h"

#include "encoding.h"
#include "result.h"

/* sql NULL: the Sync alone. */
static struct pgconn_flight *
flight_of(const struct pgconn_session *session, const char *sql)
{
    struct pgconn_flight *flight = pgconn_flight_new();

    if (!flight) rb_memerror();
    flight->settings = session->settings;
    if (sql && !pgconn_flight_append(flight, PGCONN_COMMAND_QUERY, sql)) {
        pgconn_flight_free(flight);
        rb_memerror();
    }
    return flight;
}

struct pgconn_flight *
pgconn_control_flight(const struct pgconn_session *session, VALUE sql)
{
    VALUE wire = pgconn_encoding_export(sql, session->settings.encoding_index, "SQL");
    struct pgconn_flight *flight = flight_of(session, StringValueCStr(wire));

    RB_GC_GUARD(wire);
    flight->barrier = true;
    return flight;
}

bool
pgconn_control_wait(struct pgconn_session *session, struct pgconn_flight *flight, VALUE sql,
                    VALUE *result)
{
    double timeout = session->statement_timeout;
    struct pgconn_request request = pgconn_answer_request(timeout > 0 ? DBL2NUM(timeout) : Qnil);

    request.sql = sql;
    return pgconn_answer_wait(session, flight, &request, result) == PGCONN_ANSWER_RESULT;
}

void
pgconn_control_sync(struct pgconn_session *session, VALUE timeout)
{
    struct pgconn_request none = pgconn_answer_request(timeout);
    VALUE result;

    pgconn_answer_wait(session, flight_of(session, NULL), &none, &result);
}

void
pgconn_control_settle(struct pgconn_session *session)
{
    while (pgconn_session_is_changing(session) || session->line.top) {
        pgconn_control_sync(session, Qnil);
        if (session->transaction != PQTRANS_IDLE) return;
    }
}

VALUE
pgconn_control_check_done(VALUE result, const char *done)
{
    if (!NIL_P(result) &&
        strcmp(PQcmdStatus((PGresult *)pgconn_result_pg(result)), "ROLLBACK") == 0) {
        pgconn_error_raise(rb_ePgconnInFailedSqlTransaction,
                           "the transaction had failed: it was rolled back, nothing is %s", done);
    }
    return Qnil;
}
