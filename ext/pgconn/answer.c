#include "answer.h"

#include "result.h"

static struct pgconn_error_source
statement_source(const struct pgconn_statement *statement, const char *outcome)
{
    struct pgconn_error_source source = {
        .query = statement->sql,
        .cursor = statement->cursor,
        .outcome = outcome,
    };

    return source;
}

static VALUE
canceled_error(const struct pgconn_statement *statement, const char *outcome, VALUE timeout)
{
    struct pgconn_error_source source = statement_source(statement, outcome);
    bool sent = strcmp(outcome, "not_sent") != 0;

    return pgconn_error_new_about(&source, rb_ePgconnQueryCanceledError,
                                  "timeout of %" PRIsVALUE " s passed %s", timeout,
                                  sent ? "and no answer came: the connection is broken"
                                       : "before the statement could be sent");
}

static VALUE
loss_error(const struct pgconn_session *session, struct pgconn_error_source source)
{
    source.result = session->queue.last_words;
    source.encoding_index = session->encoding_index;
    return pgconn_error_lost(session->loss, &source);
}

VALUE
pgconn_answer_loss(const struct pgconn_session *session)
{
    struct pgconn_error_source source = {.query = Qnil, .cursor = Qnil, .outcome = "not_sent"};

    source.remark = "The connection was lost before this call: close it and connect again.";
    return loss_error(session, source);
}

static VALUE
lost_error(const struct pgconn_session *session, const struct pgconn_statement *statement,
           bool sent)
{
    const char *outcome = sent ? "unknown" : "not_sent";
    struct pgconn_error_source source = statement_source(statement, outcome);

    if (session->life != PGCONN_SESSION_CLOSED) return loss_error(session, source);
    return pgconn_error_new_about(&source, rb_ePgconnInterfaceError,
                                  "connection closed while its answer was awaited");
}

static bool
result_is_canceled(const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    return sqlstate && strcmp(sqlstate, "57014") == 0;
}

static VALUE
result_error(struct pgconn_session *session, const PGresult *result, const char *remark,
             const struct pgconn_statement *statement)
{
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    struct pgconn_error_source source = statement_source(statement, result_is_canceled(result)
                                                                        ? "canceled"
                                                                        : NULL);

    source.result = result;
    source.remark = remark;
    source.encoding_index = session->encoding_index;
    if (position && !NIL_P(statement->sql)) {
        source.position = pgconn_params_user_position(statement->sql, statement->arguments,
                                                      pgconn_session_standard_strings(session),
                                                      strtol(position, NULL, 10));
    }
    return pgconn_error_from_result(&source);
}

struct answer {
    struct pgconn_session *session;
    struct pgconn_flight *flight;
    const struct pgconn_statement *statement;
};

static VALUE
answer_take(VALUE arg)
{
    struct answer *answer = (struct answer *)arg;
    PGresult *pg = pgconn_flight_result(answer->flight);
    VALUE result;

    if (!pg) return Qnil;
    if (PQresultStatus(pg) == PGRES_FATAL_ERROR) {
        bool expired = answer->flight->expired && result_is_canceled(pg);
        const char *remark = expired ? "Its timeout had passed." : NULL;
        rb_exc_raise(result_error(answer->session, pg, remark, answer->statement));
    }
    /* The object is there before it is handed the PGresult: a failing allocation loses nothing. */
    result = pgconn_result_new(answer->session->encoding_index);
    pgconn_result_adopt(result, pgconn_flight_take_result(answer->flight));
    return result;
}

static VALUE
answer_free(VALUE arg)
{
    pgconn_flight_free(((struct answer *)arg)->flight);
    return Qnil;
}

VALUE
pgconn_answer_wait(struct pgconn_session *session, struct pgconn_flight *flight, VALUE timeout,
                   const struct pgconn_statement *statement)
{
    pgconn_time deadline = NIL_P(timeout) ? PGCONN_NEVER : pgconn_wait_after(NUM2DBL(timeout));
    enum pgconn_run_end end = pgconn_driver_run(session, flight, deadline);
    struct answer answer = {session, flight, statement};
    bool sent;

    switch (end) {
    case PGCONN_RUN_ANSWERED:
        return rb_ensure(answer_take, (VALUE)&answer, answer_free, (VALUE)&answer);
    case PGCONN_RUN_LOST:
        sent = flight->sent;
        pgconn_flight_free(flight);
        rb_exc_raise(lost_error(session, statement, sent));
    case PGCONN_RUN_NOT_SENT:
        pgconn_flight_free(flight);
        rb_exc_raise(canceled_error(statement, "not_sent", timeout));
    default: /* PGCONN_RUN_UNKNOWN: the queue has the flight */
        rb_exc_raise(canceled_error(statement, "unknown", timeout));
    }
}
