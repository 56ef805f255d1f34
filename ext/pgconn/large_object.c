/*
 * What the class Pgconn::LargeObject, which is Ruby, needs of the connection: a statement whose
 * values go both ways in binary, whatever the user has made of the types. It may be begun, and its
 * value taken later.
 */
#include "begun.h"
#include "cursor.h"
#include "delivery.h"
#include "rows.h"

/* One execution of a statement; belongs to a Ruby object. */
struct call {
    VALUE self; /* the connection */
    struct pgconn_session *session;
    struct pgconn_request request; /* its cursor marks the command whose result is asked for */
    bool begins;                   /* a transaction, where none is open */
    bool runs_on;                  /* whatever interrupts who waits for it */
    bool finished;
    struct pgconn_flight *flight;
    struct pgconn_begun begun; /* until it is waited for */
    enum pgconn_run_end end;   /* of the wait */
    VALUE value; /* of the first column of the first row; nil where there was no row */
};

static VALUE rb_cPgconnLargeObjectCall;

static void
call_mark(void *data)
{
    const struct call *call = data;

    rb_gc_mark(call->self);
    pgconn_answer_mark_request(&call->request);
    rb_gc_mark(call->value);
}

static void
call_free(void *data)
{
    pgconn_begun_drop(&((struct call *)data)->begun);
    xfree(data);
}

static size_t
call_memsize(const void *data)
{
    (void)data;
    return sizeof(struct call);
}

static const rb_data_type_t call_type = {
    .wrap_struct_name = "Pgconn::LargeObject::Call",
    .function = {.dmark = call_mark, .dfree = call_free, .dsize = call_memsize},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY,
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

    if (!command_add_known(call)) command_add_alone(call);
    call->flight->tail->result_format = 1; /* all that these functions give has a binary form */
    return Qnil;
}

/*
 * In a block it belongs to that, which it begins even where it is the first in it. Its text is
 * ASCII alone.
 */
static void
flight_set(struct call *call)
{
    struct pgconn_flight *flight = call->flight;

    flight->timeless = true;
    flight->runs_on = call->runs_on;
    flight->begins = call->begins ? PGCONN_BEGINS : PGCONN_BEGINS_AS_PART;
    if (!call->begins) return;
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
        flight_set(call);
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

/* The Result is freed as soon as its value was taken, for it is large. */
static VALUE
flight_take(struct call *call)
{
    struct pgconn_command *command = call->flight->commands;
    VALUE result;

    while (!command_is_asked(call, command)) command = command->next;
    result = pgconn_answer_take(call->flight, command, &call->request);
    call->value = result_value(result);
    return result;
}

static VALUE
flight_error(const struct call *call)
{
    const struct pgconn_command *failed;

    if (call->end != PGCONN_RUN_ANSWERED) {
        return pgconn_answer_run_error(call->session, call->flight, &call->request, call->end);
    }
    failed = pgconn_flight_failed(call->flight);
    if (!failed) return Qnil;
    return pgconn_answer_error(call->session, call->flight, failed->result, &call->request);
}

/* What was refused for no fault of its own, or was made for another encoding, is made anew. */
static enum pgconn_run_end
flight_run(struct call *call)
{
    enum pgconn_run_end end;

    call->flight = pgconn_begun_take(&call->begun);
    for (;;) {
        if (!call->flight) flight_make(call);
        pgconn_answer_let_pass(call->session, call->flight);
        end = pgconn_answer_run(call->session, call->flight, call->request.deadline);
        if (end == PGCONN_RUN_ANSWERED && call->flight->refused) call->request.repeated = true;
        else if (end != PGCONN_RUN_OUTDATED) return end;
        pgconn_flight_free(call->flight);
        call->flight = NULL;
    }
}

static VALUE
call_settle(VALUE arg)
{
    struct call *call = (struct call *)arg;
    VALUE error = flight_error(call);

    if (!NIL_P(error)) rb_exc_raise(error);
    return flight_take(call);
}

static VALUE
call_end(VALUE arg)
{
    const struct call *call = (struct call *)arg;

    if (call->flight) pgconn_flight_free(call->flight);
    return Qnil;
}

static VALUE
call_run(VALUE arg)
{
    struct call *call = (struct call *)arg;

    call->end = flight_run(call);
    if (!pgconn_run_gives_back(call->end)) call->flight = NULL;
    return rb_ensure(call_settle, arg, call_end, arg);
}

/* The time that it may take is counted from when it is waited for. */
static struct pgconn_request
request_from_now(const struct call *call)
{
    struct pgconn_request request = pgconn_answer_request(
        pgconn_connection_timeout(call->self, Qnil));

    request.sql = call->request.sql;
    request.arguments = call->request.arguments;
    request.cursor = call->request.cursor;
    return request;
}

static VALUE
call_new(VALUE connection, VALUE sql, VALUE arguments)
{
    struct call *call;
    VALUE object = TypedData_Make_Struct(rb_cPgconnLargeObjectCall, struct call, &call_type, call);

    call->request = pgconn_answer_request(Qnil);
    call->value = Qnil;
    call->self = connection;
    call->session = pgconn_connection_get_open(connection);
    call->request.arguments = arguments;
    call->request.sql = rb_str_new_frozen(sql);
    call->request.cursor = rb_class_new_instance(1, &connection, rb_cPgconnCursor);
    return object;
}

/* Waits for it, and gives the value. */
static VALUE
call_finish(VALUE object)
{
    struct call *call = RTYPEDDATA_DATA(object);
    VALUE result;

    if (call->finished) return call->value;
    call->session = pgconn_connection_get_open(call->self);
    call->request = request_from_now(call);
    call->finished = true;
    result = pgconn_tracer_run(&call->session->tracer, call->request.sql, call_run, (VALUE)call);
    pgconn_result_release(result);
    pgconn_delivery_run(call->session);
    RB_GC_GUARD(object);
    return call->value;
}

/* Executes the SQL; begins: a transaction, where none is open. */
static VALUE
connection_large_object_value(VALUE self, VALUE sql, VALUE arguments, VALUE begins)
{
    VALUE object = call_new(self, sql, arguments);
    struct call *call = RTYPEDDATA_DATA(object);

    call->begins = RTEST(begins);
    return call_finish(object);
}

/*
 * Begins that, and gives what large_object_finish takes for the value; where nothing can be begun
 * now it is waited for here. If there is an error, that is raised when it is waited for. runs_on:
 * an interrupt of the wait cancels nothing.
 */
static VALUE
connection_large_object_begin(VALUE self, VALUE sql, VALUE arguments, VALUE runs_on)
{
    VALUE object = call_new(self, sql, arguments);
    struct call *call = RTYPEDDATA_DATA(object);

    call->runs_on = RTEST(runs_on);
    if (!pgconn_begun_is_possible(call->session)) {
        call_finish(object);
        return object;
    }
    flight_make(call);
    pgconn_begun_keep(&call->begun, call->session, call->flight);
    RB_GC_GUARD(object);
    return object;
}

/* Whether that wouldn't wait. */
static VALUE
connection_large_object_begins_p(VALUE self)
{
    return RBOOL(pgconn_begun_is_possible(pgconn_connection_get_open(self)));
}

static VALUE
connection_large_object_finish(VALUE self, VALUE object)
{
    (void)self;
    return call_finish(object);
}

/* Nobody wants its value. */
static VALUE
connection_large_object_drop(VALUE self, VALUE object)
{
    (void)self;
    pgconn_begun_drop(&((struct call *)RTYPEDDATA_DATA(object))->begun);
    return Qnil;
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
    VALUE class = rb_cPgconnConnection;

    rb_cPgconnLargeObjectCall = rb_class_new(rb_cObject);
    rb_gc_register_mark_object(rb_cPgconnLargeObjectCall);
    rb_undef_alloc_func(rb_cPgconnLargeObjectCall);
    rb_define_private_method(class, "large_object_begin", connection_large_object_begin, 3);
    rb_define_private_method(class, "large_object_begins?", connection_large_object_begins_p, 0);
    rb_define_private_method(class, "large_object_drop", connection_large_object_drop, 1);
    rb_define_private_method(class, "large_object_finish", connection_large_object_finish, 1);
    rb_define_private_method(class, "large_object_value", connection_large_object_value, 3);
    rb_define_private_method(class, "transaction_mark", connection_transaction_mark, 0);
}
