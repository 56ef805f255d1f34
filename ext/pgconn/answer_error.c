#include "answer.h"

/* Room for the longest remark on a row. */
#define ROW_REMARK_SIZE 64

/* The user's own text. */
static VALUE
request_text(const struct pgconn_request *request)
{
    if (!NIL_P(request->text)) return request->text;
    if (request->ahead == 0) return request->sql;
    return rb_str_freeze(rb_str_substr(request->sql, request->ahead, RSTRING_LEN(request->sql)));
}

static struct pgconn_error_source
request_source(const struct pgconn_request *request, const char *outcome)
{
    struct pgconn_error_source source = {
        .query = request_text(request),
        .cursor = request->cursor,
        .outcome = outcome,
    };

    return source;
}

/* When the deadline has passed; how says what became of the statement. */
static VALUE
expired_error(const struct pgconn_request *request, const char *outcome, const char *how)
{
    struct pgconn_error_source source = request_source(request, outcome);

    return pgconn_error_new_about(&source, rb_ePgconnQueryCanceledError,
                                  "timeout of %" PRIsVALUE " s passed %s", request->timeout, how);
}

void
pgconn_answer_check_time(const struct pgconn_request *request, const char *outcome)
{
    if (request->deadline == PGCONN_NEVER || request->deadline > pgconn_wait_now()) return;
    rb_exc_raise(expired_error(request, outcome, "before all of its data was moved"));
}

VALUE
pgconn_answer_dropped_error(const struct pgconn_flight *flight,
                            const struct pgconn_request *request)
{
    struct pgconn_error_source source = request_source(request, "unknown");

    if (flight->expired) return expired_error(request, "unknown", "before all of it had come");
    return pgconn_error_new_about(&source, rb_ePgconnQueryCanceledError,
                                  "canceled when the server had done it, but not all of it had "
                                  "come");
}

static VALUE
withdrawn_error(const struct pgconn_request *request)
{
    struct pgconn_error_source source = request_source(request, "not_sent");

    return pgconn_error_new_about(&source, rb_ePgconnQueryCanceledError,
                                  "canceled before the statement could be sent");
}

static VALUE
loss_error(const struct pgconn_session *session, struct pgconn_error_source source)
{
    if (session->messages.last_words) source.said = &session->messages.last_words->fields;
    source.encoding_index = session->settings.encoding_index;
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
lost_error(const struct pgconn_session *session, const struct pgconn_request *request, bool sent)
{
    const char *outcome = sent ? "unknown" : "not_sent";
    struct pgconn_error_source source = request_source(request, outcome);

    if (session->life != PGCONN_SESSION_CLOSED) return loss_error(session, source);
    return pgconn_error_new_about(&source, rb_ePgconnInterfaceError,
                                  "connection closed while its answer was awaited");
}

VALUE
pgconn_answer_end(const struct pgconn_session *session)
{
    struct pgconn_request none = pgconn_answer_request(Qnil);

    return lost_error(session, &none, false);
}

/* Where one of many executions has failed: NULL, or the text, which it writes. */
static const char *
row_remark(const struct pgconn_flight *flight, char text[ROW_REMARK_SIZE])
{
    const struct pgconn_command *failed = pgconn_flight_failed(flight);

    if (!failed || !failed->many || failed->many->failed >= failed->many->count) return NULL;
    snprintf(text, ROW_REMARK_SIZE, "It was row %ld, counted from 0.", failed->many->failed);
    return text;
}

/* Where in the user's own text it is that a position in sql is; -1: it is outside. */
static long
request_position(const struct pgconn_request *request, long position)
{
    position -= request->ahead;
    if (NIL_P(request->text)) return position;
    return position > 0 && position <= rb_str_strlen(request->text) + 1 ? position : -1;
}

/* What has failed a transaction: the exception that its caller got, or one without a caller. */
static VALUE
failure_error(const struct pgconn_session *session, struct pgconn_failure *failure)
{
    struct pgconn_error_source source = {
        .said = &failure->fields,
        .encoding_index = failure->encoding_index,
        .query = Qnil,
        .cursor = Qnil,
        .outcome = failure->canceled ? "canceled" : NULL,
    };

    if (NIL_P(failure->error)) {
        RB_OBJ_WRITE(pgconn_session_connection(session), &failure->error,
                     pgconn_error_from_result(&source));
    }
    return failure->error;
}

VALUE
pgconn_answer_relate(const struct pgconn_session *session, const struct pgconn_flight *flight,
                     VALUE error)
{
    struct pgconn_failure *failure = flight->failure;

    if (!failure) return error;
    if (flight->fails) {
        RB_OBJ_WRITE(pgconn_session_connection(session), &failure->error, error);
        return error;
    }
    if (!RTEST(rb_obj_is_kind_of(error, rb_ePgconnInFailedSqlTransaction))) return error;
    return pgconn_error_with_cause(error, failure_error(session, failure));
}

VALUE
pgconn_answer_error(const struct pgconn_session *session, const struct pgconn_flight *flight,
                    const PGresult *result, const struct pgconn_request *request)
{
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    long ahead = flight->simple ? (long)pgconn_simple_query_ahead(flight->commands) : 0;
    bool canceled = pgconn_sqlstate_is(result, PGCONN_QUERY_CANCELED);
    struct pgconn_error_source source = request_source(request, canceled ? "canceled" : NULL);

    char row[ROW_REMARK_SIZE];

    source.result = result;
    source.retryable = flight->struck;
    source.remark = row_remark(flight, row);
    if (canceled && flight->expired) source.remark = "Its timeout had passed.";
    source.encoding_index = flight->settings.encoding_index;
    if (position && !NIL_P(request->sql)) {
        source.position = request_position(
            request, pgconn_params_user_position(request->sql, request->arguments,
                                                 flight->settings.standard_strings,
                                                 strtol(position, NULL, 10) - ahead));
    }
    return pgconn_answer_relate(session, flight, pgconn_error_from_result(&source));
}

static VALUE
forbidden_error(const struct pgconn_request *request, const char *reason)
{
    struct pgconn_error_source source = request_source(request, "not_sent");

    return pgconn_error_new_about(&source, rb_ePgconnProgrammingError, "%s", reason);
}

VALUE
pgconn_answer_run_error(const struct pgconn_session *session, const struct pgconn_flight *flight,
                        const struct pgconn_request *request, enum pgconn_run_end end)
{
    switch (end) {
    case PGCONN_RUN_FORBIDDEN:
        return forbidden_error(request, flight->forbidden);
    case PGCONN_RUN_LOST:
        return lost_error(session, request, flight->sent);
    case PGCONN_RUN_CANCELED:
        return withdrawn_error(request);
    case PGCONN_RUN_NOT_SENT:
        return expired_error(request, "not_sent", "before the statement could be sent");
    case PGCONN_RUN_UNKNOWN:
        return expired_error(request, "unknown", "and no answer came: the connection is broken");
    default:
        return expired_error(request, "unknown",
                             "before the statement's turn came: it is cancelled when it does");
    }
}

VALUE
pgconn_answer_refusal(const struct pgconn_session *session, const struct pgconn_flight *flight,
                      const PGresult *result, const struct pgconn_request *request)
{
    struct pgconn_error_source source = request_source(request, NULL);

    if (PQresultStatus(result) == PGRES_FATAL_ERROR) {
        return pgconn_answer_error(session, flight, result, request);
    }
    return pgconn_error_new_about(&source, rb_ePgconnProgrammingError, "%s",
                                  PGCONN_SIMPLE_QUERY_NO_COPY);
}

VALUE
pgconn_answer_sync_error(const struct pgconn_request *request, enum pgconn_run_end end)
{
    return expired_error(request, end == PGCONN_RUN_UNKNOWN ? "unknown" : "not_sent",
                         "before the server has answered");
}
