#include "answer.h"

#include "delivery.h"
#include "result.h"

#define ROW_REMARK_SIZE 64

struct pgconn_request
pgconn_answer_request(VALUE timeout)
{
    struct pgconn_request request = {
        .sql = Qnil,
        .arguments = Qnil,
        .cursor = Qnil,
        .timeout = timeout,
        .deadline = PGCONN_NEVER,
        .registry = Qnil,
        .plan = Qnil,
        .spare = Qnil,
    };

    if (!NIL_P(timeout)) {
        request.deadline = pgconn_wait_after(pgconn_wait_seconds(timeout, "timeout"));
    }
    return request;
}

/* The user's own text. */
static VALUE
request_text(const struct pgconn_request *request)
{
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

VALUE
pgconn_answer_late_error(const struct pgconn_request *request)
{
    return expired_error(request, "canceled", "before all of its data was moved");
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

VALUE
pgconn_answer_error(const struct pgconn_flight *flight, const PGresult *result,
                    const struct pgconn_request *request)
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
        source.position = pgconn_params_user_position(request->sql, request->arguments,
                                                      flight->settings.standard_strings,
                                                      strtol(position, NULL, 10) - ahead) -
                          request->ahead;
    }
    return pgconn_error_from_result(&source);
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

struct answer {
    struct pgconn_flight *flight;
    struct pgconn_request *request;
    enum pgconn_answer kind;
    bool set;    /* a statement whose result was taken has SET or RESET parameters */
    VALUE error; /* to be raised, or nil */
};

static bool
result_is_success(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
}

/* One of several statements may change client_encoding for those behind it. */
static int
answer_encoding_index(struct answer *answer, PGresult *pg)
{
    const struct pgconn_flight *flight = answer->flight;
    const char *tag;

    if (!flight->simple) return flight->settings.encoding_index;
    tag = PQcmdStatus(pg);
    if (strcmp(tag, "SET") == 0 || strcmp(tag, "RESET") == 0) answer->set = true;
    return answer->set ? flight->settings.encoding_index : flight->sent_encoding_index;
}

/* The object is there before it is handed the PGresult: a failing allocation loses nothing. */
static void
answer_adopt(struct answer *answer, VALUE result, struct pgconn_command *command, VALUE *plan)
{
    int encoding_index = answer_encoding_index(answer, command->result);

    pgconn_result_adopt(result, pgconn_command_take_result(command), encoding_index,
                        answer->request->registry, plan);
    if (command->many) pgconn_result_set_affected(result, (long)command->many->affected);
}

/* The results of the commands from this one on, as an Array; nil where there is no command. */
static VALUE
answer_take_further(struct answer *answer, struct pgconn_command *command)
{
    VALUE further = command ? rb_ary_new() : Qnil, result, plan = Qnil;

    for (; command; command = command->next) {
        result = pgconn_result_new();
        answer_adopt(answer, result, command, &plan);
        rb_ary_push(further, result);
    }
    return further;
}

static VALUE
answer_refusal(const struct answer *answer, const PGresult *result)
{
    struct pgconn_error_source source = request_source(answer->request, NULL);

    if (PQresultStatus(result) == PGRES_FATAL_ERROR) {
        return pgconn_answer_error(answer->flight, result, answer->request);
    }
    return pgconn_error_new_about(&source, rb_ePgconnProgrammingError, "%s",
                                  PGCONN_SIMPLE_QUERY_NO_COPY);
}

static VALUE
answer_take(VALUE arg)
{
    struct answer *answer = (struct answer *)arg;
    struct pgconn_flight *flight = answer->flight;
    struct pgconn_request *request = answer->request;
    const PGresult *pg = pgconn_flight_result(flight);
    struct pgconn_command *asked = pgconn_flight_asked(flight);
    VALUE result;

    /* The answer to Describe has gone to the statement. */
    if (!pg && (!flight->sent || asked->kind == PGCONN_COMMAND_DESCRIBE)) return Qnil;
    if (!pg) pgconn_error_raise(rb_ePgconnInternalError, "the server's answer has no result");
    if (!result_is_success(pg)) {
        if (flight->refused) answer->kind = PGCONN_ANSWER_REFUSED;
        else answer->error = answer_refusal(answer, pg);
        return Qnil;
    }
    if (request->fault) answer->error = request->fault(request, pg);
    if (!NIL_P(answer->error)) return Qnil;
    result = NIL_P(request->spare) ? pgconn_result_new() : request->spare;
    answer_adopt(answer, result, asked, &request->plan);
    if (request->slot) {
        RB_OBJ_WRITE(request->cursor, request->slot, result);
        RB_OBJ_WRITE(request->cursor, request->further, answer_take_further(answer, asked->next));
    }
    return result;
}

static VALUE
answer_free(VALUE arg)
{
    pgconn_flight_free(((struct answer *)arg)->flight);
    return Qnil;
}

VALUE
pgconn_answer_take(struct pgconn_flight *flight, struct pgconn_command *command,
                   struct pgconn_request *request)
{
    struct answer answer = {.flight = flight, .request = request};
    VALUE result = pgconn_result_new();

    answer_adopt(&answer, result, command, &request->plan);
    return result;
}

/* The flight has met its end in the queue: takes what it brought, and frees it. */
static VALUE
answer_settle(struct answer *answer, const struct pgconn_session *session, enum pgconn_run_end end)
{
    if (end == PGCONN_RUN_ANSWERED) {
        return rb_ensure(answer_take, (VALUE)answer, answer_free, (VALUE)answer);
    }
    if (end == PGCONN_RUN_OUTDATED) answer->kind = PGCONN_ANSWER_OUTDATED;
    else answer->error = pgconn_answer_run_error(session, answer->flight, answer->request, end);
    pgconn_flight_free(answer->flight);
    return Qnil;
}

static VALUE
answer_deliver(VALUE session)
{
    return pgconn_delivery_run((struct pgconn_session *)session);
}

static VALUE
handler_failed(VALUE arg, VALUE error)
{
    (void)arg;
    (void)error;
    return Qnil;
}

void
pgconn_answer_deliver(struct pgconn_session *session, bool failed)
{
    if (failed) rb_rescue(answer_deliver, (VALUE)session, handler_failed, Qnil);
    else pgconn_delivery_run(session);
}

/* Handlers hear first what the server said on the way to an error, which theirs don't hide. */
static void
answer_end(const struct answer *answer, struct pgconn_session *session)
{
    if (!NIL_P(answer->error)) {
        pgconn_answer_deliver(session, true);
        rb_exc_raise(answer->error);
    }
    if (answer->kind == PGCONN_ANSWER_RESULT && !answer->request->quiet) {
        pgconn_answer_deliver(session, false);
    }
}

enum pgconn_run_end
pgconn_answer_run(struct pgconn_session *session, struct pgconn_flight *flight,
                  pgconn_time deadline)
{
    if (pgconn_answer_objection(session)) {
        pgconn_flight_free(flight);
        pgconn_answer_check_caller(session);
    }
    return pgconn_driver_run(session, flight, deadline);
}

/* The queue has a flight without statements, of which nothing can be left. */
static VALUE
sync_error(const struct pgconn_request *request, enum pgconn_run_end end)
{
    return expired_error(request, end == PGCONN_RUN_UNKNOWN ? "unknown" : "not_sent",
                         "before the server has answered");
}

static VALUE
gathered_send(VALUE arg)
{
    struct pgconn_gathered *gathered = (struct pgconn_gathered *)arg;

    gathered->send(gathered);
    return Qnil;
}

static VALUE
gathered_send_to_undo(VALUE arg)
{
    struct pgconn_gathered *gathered = (struct pgconn_gathered *)arg;

    gathered->send_to_undo(gathered);
    return Qnil;
}

void
pgconn_answer_let_pass(const struct pgconn_session *session, struct pgconn_flight *flight)
{
    struct pgconn_gathered *gathered = pgconn_session_gathered(session);
    int state;

    if (!gathered) return;
    rb_protect(flight->undoes ? gathered_send_to_undo : gathered_send, (VALUE)gathered, &state);
    if (!state) return;
    pgconn_flight_free(flight);
    rb_jump_tag(state);
}

/* The wait has ended so. executes: the flight had statements. */
static enum pgconn_answer
answer_finish(struct pgconn_session *session, struct answer *answer, enum pgconn_run_end end,
              bool executes, VALUE *result)
{
    const struct pgconn_request *request = answer->request;

    *result = Qnil;
    if (end == PGCONN_RUN_PAUSED) return PGCONN_ANSWER_PAUSED;
    if (pgconn_run_gives_back(end)) *result = answer_settle(answer, session, end);
    else if (executes) answer->error = pgconn_answer_run_error(session, NULL, request, end);
    else answer->error = sync_error(request, end);
    answer_end(answer, session);
    return answer->kind;
}

enum pgconn_answer
pgconn_answer_wait(struct pgconn_session *session, struct pgconn_flight *flight,
                   struct pgconn_request *request, VALUE *result)
{
    bool executes = flight->commands != NULL;
    struct answer answer = {flight, request, PGCONN_ANSWER_RESULT, false, Qnil};
    enum pgconn_run_end end;

    pgconn_answer_let_pass(session, flight);
    end = pgconn_answer_run(session, flight, request->deadline);
    return answer_finish(session, &answer, end, executes, result);
}

enum pgconn_answer
pgconn_answer_resume(struct pgconn_session *session, struct pgconn_flight *flight,
                     struct pgconn_request *request, VALUE *result)
{
    enum pgconn_run_end end = pgconn_driver_resume(session, flight, request->deadline);
    struct answer answer = {flight, request, PGCONN_ANSWER_RESULT, false, Qnil};

    return answer_finish(session, &answer, end, true, result);
}
