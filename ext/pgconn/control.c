#include "control.h"

#include "encoding.h"

/* sql NULL: the Sync alone. */
static struct pgconn_flight *
flight_of(const struct pgconn_session *session, const char *sql)
{
    struct pgconn_flight *flight = pgconn_session_flight(session);

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

static VALUE
session_timeout(const struct pgconn_session *session)
{
    return session->statement_timeout > 0 ? DBL2NUM(session->statement_timeout) : Qnil;
}

struct control {
    struct pgconn_session *session;
    struct pgconn_flight *flight;
    VALUE sql;
    bool again; /* the flight must be made again */
};

VALUE
pgconn_control_fault(const struct pgconn_request *request, const PGresult *result)
{
    struct pgconn_error_source source = {.query = request->sql, .cursor = Qnil};
    const char *tag = PQcmdStatus((PGresult *)result);
    const char *sql = RSTRING_PTR(request->sql);

    if (strcmp(tag, "ROLLBACK") != 0 || strncmp(sql, tag, strlen(tag)) == 0) return Qnil;
    return pgconn_error_new_about(&source, rb_ePgconnInFailedSqlTransaction,
                                  "the transaction had failed: it was rolled back, nothing is %s",
                                  strncmp(sql, "PREPARE", strlen("PREPARE")) == 0 ? "prepared"
                                                                                  : "committed");
}

/* The Result, or nil where the tracer has nothing to be told. */
static VALUE
control_run(VALUE argument)
{
    struct control *control = (struct control *)argument;
    struct pgconn_request request = pgconn_answer_request(session_timeout(control->session));
    VALUE result = Qnil;

    request.sql = control->sql;
    if (!NIL_P(control->sql)) request.fault = pgconn_control_fault;
    control->again = pgconn_answer_wait(control->session, control->flight, &request, &result) !=
                     PGCONN_ANSWER_RESULT;
    return control->again ? Qnil : result;
}

bool
pgconn_control_wait(struct pgconn_session *session, struct pgconn_flight *flight, VALUE sql,
                    VALUE *result)
{
    struct control control = {session, flight, sql, false};

    if (NIL_P(sql)) *result = control_run((VALUE)&control);
    else *result = pgconn_tracer_run(&session->tracer, sql, control_run, (VALUE)&control);
    return !control.again;
}

void
pgconn_control_sync(struct pgconn_session *session, VALUE timeout)
{
    struct pgconn_request none = pgconn_answer_request(timeout);
    VALUE result;

    none.quiet = true;
    pgconn_answer_wait(session, flight_of(session, NULL), &none, &result);
}

void
pgconn_control_settle(struct pgconn_session *session)
{
    while (pgconn_session_is_changing(session) || session->line.top) {
        pgconn_control_sync(session, session_timeout(session));
        if (session->transaction != PQTRANS_IDLE) return;
    }
}
