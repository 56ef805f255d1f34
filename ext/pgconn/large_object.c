/*
 * What the class Pgconn::LargeObject, which is Ruby, needs of the connection: statements whose
 * values go both ways in binary, whatever the user has made of the types, and several of them in
 * one flight.
 */
#include "cursor.h"
#include "delivery.h"
#include "rows.h"

struct call {
    VALUE self;
    struct pgconn_session *session;
    struct pgconn_request request; /* its cursor marks the commands whose results are asked for */
    VALUE arguments;               /* Array of an Array for each execution of request.sql */
    bool begins;                   /* a transaction, where none is open */
    struct pgconn_flight *flight;
    VALUE values; /* of the first column of the first row of each; nil where there was no row */
};

/* By way of the statement cache, which small pieces are much faster with. */
static bool
command_add_known(struct call *call)
{
    struct pgconn_executor executor = pgconn_connection_executor(call->self);
    VALUE query = Qnil;
    bool busy =
        false; /* whom it would concern: no method of a user's runs while these are encoded */

    executor.registry = Qnil;
    return !NIL_P(pgconn_execution_add(&executor, &call->request, &query, &call->flight, &busy));
}

/* What sets a parameter could not be one of several; there is never more than one of that. */
static void
command_add_alone(struct call *call)
{
    struct pgconn_arguments arguments = pgconn_params_resolve(call->request.arguments, Qnil);
    struct pgconn_command *command;

    call->flight = pgconn_session_flight(call->session);
    command = pgconn_flight_append(call->flight, PGCONN_COMMAND_QUERY,
                                   StringValueCStr(call->request.sql));
    if (!command) rb_memerror();
    command->cursor = RTYPEDDATA_DATA(call->request.cursor);
    pgconn_params_encode(&command->params, &arguments, NULL, Qnil,
                         call->flight->settings.encoding_index);
    RB_GC_GUARD(arguments.values);
    RB_GC_GUARD(arguments.types);
}

static VALUE
flight_fill(VALUE arg)
{
    struct call *call = (struct call *)arg;

    for (long i = 0; i < RARRAY_LEN(call->arguments); i++) {
        call->request.arguments = rb_ary_entry(call->arguments, i);
        if (!command_add_known(call)) command_add_alone(call);
        call->flight->tail->result_format = 1; /* all that these functions give has a binary form */
    }
    return Qnil;
}

/* In a block they belong to that, which they begin even where they are the first in it. */
static void
flight_set_transaction(struct pgconn_flight *flight, bool begins)
{
    flight->begins = begins ? PGCONN_BEGINS : PGCONN_BEGINS_AS_PART;
    if (!begins) return;
    flight->inside = "large objects need a transaction: in autocommit use them inside "
                     "transaction { }";
}

static void
flight_make(struct call *call)
{
    int state;

    call->flight = NULL;
    rb_protect(flight_fill, (VALUE)call, &state);
    if (!state) {
        flight_set_transaction(call->flight, call->begins);
        return;
    }
    if (call->flight) pgconn_flight_free(call->flight);
    rb_jump_tag(state);
}

static VALUE
result_value(VALUE result)
{
    if (pgconn_result_row_count(result) == 0) return Qnil;
    return pgconn_rows_value(result, 0, 0);
}

/* Not what begins a transaction or a block, and not what prepares a statement. */
static bool
command_is_asked(const struct call *call, const struct pgconn_command *command)
{
    return command->cursor == RTYPEDDATA_DATA(call->request.cursor) &&
           (command->kind == PGCONN_COMMAND_QUERY || command->kind == PGCONN_COMMAND_EXECUTE);
}

/* Gives the last Result; each is freed as soon as its value was taken, for they are large. */
static VALUE
flight_take(VALUE arg)
{
    struct call *call = (struct call *)arg;
    struct pgconn_command *command = call->flight->commands;
    VALUE result = Qnil;

    for (; command; command = command->next) {
        if (!command_is_asked(call, command)) continue;
        if (!NIL_P(result)) pgconn_result_release(result);
        result = pgconn_answer_take(call->flight, command, &call->request);
        rb_ary_push(call->values, result_value(result));
    }
    return result;
}

static VALUE
flight_free(VALUE arg)
{
    pgconn_flight_free(((struct call *)arg)->flight);
    return Qnil;
}

static VALUE
flight_error(const struct call *call, enum pgconn_run_end end)
{
    const struct pgconn_command *failed;

    if (end != PGCONN_RUN_ANSWERED) {
        return pgconn_answer_run_error(call->session, call->flight, &call->request, end);
    }
    failed = pgconn_flight_failed(call->flight);
    if (!failed) return Qnil;
    return pgconn_answer_error(call->flight, failed->result, &call->request);
}

/* What was refused for no fault of its own, or was made for another encoding, is made anew. */
static enum pgconn_run_end
flight_run(struct call *call)
{
    enum pgconn_run_end end;

    for (;;) {
        flight_make(call);
        pgconn_answer_let_pass(call->session, call->flight);
        end = pgconn_answer_run(call->session, call->flight, call->request.deadline);
        if (end == PGCONN_RUN_ANSWERED && call->flight->refused) call->request.repeated = true;
        else if (end != PGCONN_RUN_OUTDATED) return end;
        pgconn_flight_free(call->flight);
    }
}

static VALUE
call_run(VALUE arg)
{
    struct call *call = (struct call *)arg;
    enum pgconn_run_end end = flight_run(call);
    VALUE error;

    if (!pgconn_run_gives_back(end)) call->flight = NULL;
    error = flight_error(call, end);
    if (NIL_P(error)) return rb_ensure(flight_take, arg, flight_free, arg);
    if (call->flight) pgconn_flight_free(call->flight);
    rb_exc_raise(error);
}

/* Executes the SQL once for each Array of arguments, all of them in one flight. */
static VALUE
connection_large_object_values(VALUE self, VALUE sql, VALUE arguments, VALUE begins)
{
    struct call call = {
        .self = self,
        .session = pgconn_connection_get_open(self),
        .request = pgconn_answer_request(pgconn_connection_timeout(self, Qnil)),
        .arguments = arguments,
        .begins = RTEST(begins),
        .values = rb_ary_new(),
    };
    VALUE result;

    call.request.sql = rb_str_new_frozen(sql);
    call.request.cursor = rb_class_new_instance(1, &self, rb_cPgconnCursor);
    result = pgconn_tracer_run(&call.session->tracer, call.request.sql, call_run, (VALUE)&call);
    pgconn_result_release(result);
    pgconn_delivery_run(call.session);
    RB_GC_GUARD(call.request.cursor);
    RB_GC_GUARD(arguments);
    RB_GC_GUARD(self);
    return call.values;
}

/*
 * How many barriers the session has seen, if a transaction is open in which nothing has failed;
 * else nil. As long as the number is the same nothing has ended the transaction or a savepoint in
 * it, or begun another one.
 */
static VALUE
connection_transaction_mark(VALUE self)
{
    const struct pgconn_session *session = pgconn_connection_get_open(self);

    return session->transaction == PQTRANS_INTRANS ? ULONG2NUM(session->barriers) : Qnil;
}

void
Init_pgconn_large_object(void)
{
    rb_define_private_method(rb_cPgconnConnection, "large_object_values",
                             connection_large_object_values, 3);
    rb_define_private_method(rb_cPgconnConnection, "transaction_mark", connection_transaction_mark,
                             0);
}
