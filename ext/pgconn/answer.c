#include "answer.h"

#include "delivery.h"
#include "result.h"

struct pgconn_request
pgconn_answer_request(VALUE timeout)
{
    struct pgconn_request request = {
        .sql = Qnil,
        .text = Qnil,
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

void
pgconn_answer_mark_request(const struct pgconn_request *request)
{
    rb_gc_mark(request->sql);
    rb_gc_mark(request->text);
    rb_gc_mark(request->arguments);
    rb_gc_mark(request->cursor);
    rb_gc_mark(request->timeout);
    rb_gc_mark(request->registry);
    rb_gc_mark(request->plan);
    rb_gc_mark(request->spare);
}

struct answer {
    struct pgconn_session *session;
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
        else answer->error = pgconn_answer_refusal(answer->session, flight, pg, request);
        return Qnil;
    }
    if (flight->transfer && flight->transfer->dropped) {
        answer->error = pgconn_answer_dropped_error(flight, request);
        return Qnil;
    }
    if (request->fault) answer->error = request->fault(request, pg);
    if (!NIL_P(answer->error)) {
        answer->error = pgconn_answer_relate(answer->session, flight, answer->error);
        return Qnil;
    }
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
answer_settle(struct answer *answer, enum pgconn_run_end end)
{
    const struct pgconn_session *session = answer->session;

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
answer_end(const struct answer *answer)
{
    if (!NIL_P(answer->error)) {
        pgconn_answer_deliver(answer->session, true);
        rb_exc_raise(answer->error);
    }
    if (answer->kind == PGCONN_ANSWER_RESULT && !answer->request->quiet) {
        pgconn_answer_deliver(answer->session, false);
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
answer_finish(struct answer *answer, enum pgconn_run_end end, bool executes, VALUE *result)
{
    const struct pgconn_request *request = answer->request;

    *result = Qnil;
    if (end == PGCONN_RUN_PAUSED) return PGCONN_ANSWER_PAUSED;
    if (pgconn_run_gives_back(end)) *result = answer_settle(answer, end);
    else if (executes) answer->error = pgconn_answer_run_error(answer->session, NULL, request, end);
    else answer->error = pgconn_answer_sync_error(request, end);
    answer_end(answer);
    return answer->kind;
}

enum pgconn_answer
pgconn_answer_wait(struct pgconn_session *session, struct pgconn_flight *flight,
                   struct pgconn_request *request, VALUE *result)
{
    bool executes = flight->commands != NULL;
    struct answer answer = {session, flight, request, PGCONN_ANSWER_RESULT, false, Qnil};
    enum pgconn_run_end end;

    pgconn_answer_let_pass(session, flight);
    end = pgconn_answer_run(session, flight, request->deadline);
    return answer_finish(&answer, end, executes, result);
}

enum pgconn_answer
pgconn_answer_resume(struct pgconn_session *session, struct pgconn_flight *flight,
                     struct pgconn_request *request, VALUE *result)
{
    enum pgconn_run_end end = pgconn_driver_resume(session, flight, request->deadline);
    struct answer answer = {session, flight, request, PGCONN_ANSWER_RESULT, false, Qnil};

    return answer_finish(&answer, end, true, result);
}
