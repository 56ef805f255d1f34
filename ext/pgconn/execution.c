#include "execution.h"

#include "error.h"

/* Rows that are encoded before an interrupt is looked for. */
#define ROWS_BETWEEN_CHECKS 1024

struct execution {
    const struct pgconn_executor *executor;
    struct pgconn_request *request;
    VALUE statement;
    struct pgconn_statement *known; /* the same, as long as the object is kept */
    struct pgconn_arguments arguments;
    struct pgconn_flight *flight; /* while it is made */
    VALUE rows;                   /* of execute_many, an Array */
    long row;                     /* the one that is being encoded; -1: none */
};

/* Refuses what can't be sent as one statement with an answer of rows or a tag. */
static void
keyword_check(enum pgconn_keyword keyword)
{
    if (keyword == PGCONN_KEYWORD_NONE) {
        pgconn_error_raise(rb_ePgconnProgrammingError, PGCONN_EXECUTION_EMPTY);
    }
    if (keyword == PGCONN_KEYWORD_COPY) {
        pgconn_error_raise(rb_ePgconnProgrammingError, "%s", PGCONN_SIMPLE_QUERY_NO_COPY);
    }
}

static bool
arguments_are_given(VALUE arguments)
{
    if (RB_TYPE_P(arguments, T_HASH)) return !RHASH_EMPTY_P(arguments);
    return !NIL_P(arguments) && RARRAY_LEN(arguments) > 0;
}

/* The simple protocol has no parameters. */
static void
several_check(const struct pgconn_request *request)
{
    if (request->portal) {
        pgconn_error_raise(rb_ePgconnProgrammingError,
                           "a named cursor is for one statement, and these are several");
    }
    if (!arguments_are_given(request->arguments)) return;
    pgconn_error_raise(rb_ePgconnProgrammingError,
                       "several statements in one string can't have parameters: execute them one "
                       "by one");
}

static void
execution_fetch(struct execution *execution, bool by_name)
{
    const struct pgconn_executor *executor = execution->executor;

    execution->statement = pgconn_statement_cache_fetch(executor->statements,
                                                        execution->request->sql, by_name,
                                                        execution->arguments.types);
    execution->known = pgconn_statement_get(execution->statement);
}

/* Finds the statement, and the values of its parameters. */
static void
execution_start(struct execution *execution)
{
    struct pgconn_request *request = execution->request;
    bool by_name = RB_TYPE_P(request->arguments, T_HASH);
    VALUE values;

    execution->arguments.types = Qnil;
    execution_fetch(execution, by_name);
    keyword_check(execution->known->keyword);
    if (execution->known->sql.several) several_check(request);
    values = pgconn_params_values(&execution->known->sql, request->arguments);
    execution->arguments = pgconn_params_resolve(values, execution->executor->registry);
    if (!NIL_P(execution->arguments.types)) execution_fetch(execution, by_name);
}

static struct pgconn_command *
command_add(struct execution *execution, enum pgconn_command_kind kind, const char *name)
{
    const char *sql = RSTRING_PTR(execution->known->wire);
    bool has_sql = kind != PGCONN_COMMAND_EXECUTE && kind != PGCONN_COMMAND_DESCRIBE;
    struct pgconn_command *command = pgconn_flight_append(execution->flight, kind,
                                                          has_sql ? sql : NULL);

    if (!command) rb_memerror();
    strcpy(command->name, name);
    command->relies = execution->request->relies;
    command->cursor = RTYPEDDATA_DATA(execution->request->cursor);
    command->prepared = pgconn_prepared_retain(execution->known->prepared);
    return command;
}

/*
 * What the server has said of the parameters, copied to a buffer: the values' own methods run while
 * they are encoded, and let other threads execute the statement and learn more of it. NULL where
 * the server has said nothing, or something that doesn't fit.
 */
static struct pgconn_parameter *
parameters_copy(const struct execution *execution, struct pgconn_parameter *buffer)
{
    const struct pgconn_statement *known = execution->known;

    if (known->descriptions == 0 ||
        known->parameter_count != RARRAY_LEN(execution->arguments.values)) {
        return NULL;
    }
    return MEMCPY(buffer, known->parameters, struct pgconn_parameter, known->parameter_count);
}

static void
params_add(struct execution *execution, struct pgconn_command *command,
           const struct pgconn_parameter *parameters)
{
    pgconn_params_encode(&command->params, &execution->arguments, parameters,
                         execution->executor->registry, execution->known->settings.encoding_index);
}

/* Parse under a name, or without one, and Describe. */
static void
preparation_add(struct execution *execution, const char *name,
                const struct pgconn_parameter *parameters)
{
    struct pgconn_command *command = command_add(execution, PGCONN_COMMAND_PREPARE, name);

    if (parameters || !NIL_P(execution->arguments.types)) {
        pgconn_params_set_types(&command->params, execution->arguments.types, parameters,
                                RARRAY_LENINT(execution->arguments.values));
    }
    command_add(execution, PGCONN_COMMAND_DESCRIBE, name);
}

static void
commands_add(struct execution *execution, const struct pgconn_parameter *parameters)
{
    const struct pgconn_executor *executor = execution->executor;
    struct pgconn_statement *known = execution->known;
    const char *name = known->prepared->name;
    struct pgconn_command *command;

    if (pgconn_names_know(&executor->session->names, known->prepared)) {
        command = command_add(execution, PGCONN_COMMAND_EXECUTE, name);
        command->result_format = known->result_format;
    }
    else if (pgconn_statement_cache_name(executor->statements, known)) {
        preparation_add(execution, name, parameters);
        command = command_add(execution, PGCONN_COMMAND_EXECUTE, name);
    }
    else {
        command = command_add(execution, PGCONN_COMMAND_QUERY, "");
    }
    params_add(execution, command, parameters);
}

/* Whatever they are, they may change the session's state, and drop its prepared statements. */
static void
statements_add(struct execution *execution)
{
    struct pgconn_flight *flight = execution->flight;

    command_add(execution, PGCONN_COMMAND_STATEMENTS, "");
    flight->simple = flight->barrier = flight->forgets = true;
    flight->may_end = execution->known->sql.may_end;
}

/* What the request says of resources, and the portal that the statement opens. */
static void
portal_add(struct execution *execution)
{
    const struct pgconn_request *request = execution->request;
    struct pgconn_flight *flight = execution->flight;

    flight->resource = pgconn_resource_retain(request->resource);
    flight->makes = request->makes;
    if (request->portal &&
        !pgconn_flight_append(flight, PGCONN_COMMAND_DESCRIBE_PORTAL, request->portal)) {
        rb_memerror();
    }
}

static VALUE
flight_fill(VALUE arg)
{
    struct execution *execution = (struct execution *)arg;
    long count = RARRAY_LEN(execution->arguments.values);
    VALUE buffer;
    struct pgconn_parameter *copy = ALLOCV_N(struct pgconn_parameter, buffer, count);

    if (execution->known->sql.several) statements_add(execution);
    else commands_add(execution, parameters_copy(execution, copy));
    ALLOCV_END(buffer);
    if (execution->request->resource) portal_add(execution);
    return Qnil;
}

static void
row_type_error(VALUE row)
{
    rb_raise(rb_eTypeError, "a row must be an Array or a Hash of parameters, not %" PRIsVALUE,
             rb_obj_class(row));
}

/* The values of a row for the statement, which the first row has chosen. */
static struct pgconn_arguments
row_arguments(const struct execution *execution, VALUE row)
{
    const struct pgconn_sql *sql = &execution->known->sql;
    bool by_name = RB_TYPE_P(row, T_HASH);
    struct pgconn_arguments arguments;

    if (!by_name && !RB_TYPE_P(row, T_ARRAY)) row_type_error(row);
    if (by_name != RB_TYPE_P(execution->request->arguments, T_HASH)) {
        pgconn_error_raise(rb_ePgconnProgrammingError,
                           "rows must be all Arrays or all Hashes, as the first is");
    }
    arguments = pgconn_params_resolve(pgconn_params_values(sql, row),
                                      execution->executor->registry);
    if (!RTEST(rb_equal(arguments.types, execution->arguments.types))) {
        pgconn_error_raise(
            rb_ePgconnProgrammingError,
            "all rows must fix the same types with Pgconn::Typed, as the first does");
    }
    return arguments;
}

static void
many_add(struct execution *execution, struct pgconn_many *many, VALUE row,
         const struct pgconn_parameter *parameters)
{
    struct pgconn_arguments arguments = row_arguments(execution, row);

    pgconn_params_encode(&many->row, &arguments, parameters, execution->executor->registry,
                         execution->known->settings.encoding_index);
    if (!pgconn_many_add(many)) {
        pgconn_error_raise(rb_ePgconnDataError, "the rows are larger than 2 GB together");
    }
    RB_GC_GUARD(arguments.values);
}

/* Executions by name; the statement is prepared with them where it has none, or has no name. */
static struct pgconn_many *
many_start(struct execution *execution, const struct pgconn_parameter *parameters)
{
    const struct pgconn_executor *executor = execution->executor;
    struct pgconn_statement *known = execution->known;
    bool named = pgconn_names_know(&executor->session->names, known->prepared);
    struct pgconn_command *command;

    if (!named) {
        named = pgconn_statement_cache_name(executor->statements, known);
        preparation_add(execution, named ? known->prepared->name : "", parameters);
    }
    command = command_add(execution, PGCONN_COMMAND_EXECUTE, named ? known->prepared->name : "");
    command->result_format = known->result_format;
    command->many = pgconn_many_new();
    if (!command->many) rb_memerror();
    return command->many;
}

static VALUE
flight_fill_with_many(VALUE arg)
{
    struct execution *execution = (struct execution *)arg;
    long count = RARRAY_LEN(execution->arguments.values);
    VALUE buffer, rows = execution->rows;
    struct pgconn_parameter *copy = ALLOCV_N(struct pgconn_parameter, buffer, count);
    const struct pgconn_parameter *parameters = parameters_copy(execution, copy);
    struct pgconn_many *many = many_start(execution, parameters);

    for (execution->row = 0; execution->row < RARRAY_LEN(rows); execution->row++) {
        many_add(execution, many, rb_ary_entry(rows, execution->row), parameters);
        if (execution->row % ROWS_BETWEEN_CHECKS == 0) rb_thread_check_ints();
    }
    pgconn_params_allocate(&many->row, (int)count);
    execution->row = -1;
    ALLOCV_END(buffer);
    return Qnil;
}

static VALUE
flight_fill_to_ask(VALUE arg)
{
    struct execution *execution = (struct execution *)arg;
    struct pgconn_statement *known = execution->known;

    bool named = pgconn_statement_cache_name(execution->executor->statements, known);

    preparation_add(execution, named ? known->prepared->name : "", NULL);
    return Qnil;
}

/*
 * The values' own methods may raise while they are encoded, and so do values that the known types
 * can't hold: the flight is freed then, and the types are asked for again.
 */
static int
flight_try_to_fill(struct execution *execution, VALUE (*fill)(VALUE))
{
    int state;

    rb_protect(fill, (VALUE)execution, &state);
    if (state && execution->known->descriptions > 0) execution->known->prepared->stale = true;
    return state;
}

static struct pgconn_flight *
flight_make(struct execution *execution, VALUE (*fill)(VALUE))
{
    struct pgconn_flight *flight = pgconn_flight_new();
    int state;

    if (!flight) rb_memerror();
    flight->settings = execution->known->settings;
    pgconn_session_classify(flight, execution->known->keyword);
    if (execution->known->may_set) flight->barrier = true; /* as SET is */
    if (execution->request->repeated) flight->repeatable = false;
    flight->inside = execution->request->inside;
    flight->joins = execution->request->joins;
    if (flight->joins) flight->begins = PGCONN_BEGINS_NEVER;
    execution->flight = flight;
    state = flight_try_to_fill(execution, fill);
    if (state) {
        pgconn_flight_free(flight);
        rb_jump_tag(state);
    }
    return flight;
}

/* Whether the types of the parameters must be known before anything can be encoded. */
static bool
execution_must_ask(const struct execution *execution)
{
    if (execution->known->descriptions > 0) return false;
    if (RARRAY_LEN(execution->arguments.values) == 0) return false;
    return execution->arguments.depends || !NIL_P(execution->rows) ||
           pgconn_types_ask(execution->executor->registry);
}

/* Sends a flight; false where it has to be made again. */
static bool
execution_send(struct execution *execution, struct pgconn_flight *flight, VALUE *result)
{
    struct pgconn_request *request = execution->request;
    enum pgconn_answer answer = pgconn_answer_wait(execution->executor->session, flight, request,
                                                   result);

    if (answer != PGCONN_ANSWER_REFUSED) return answer == PGCONN_ANSWER_RESULT;
    request->repeated = true;
    return false;
}

static void
execution_learn(struct execution *execution)
{
    if (execution->known->prepared->stale) {
        pgconn_statement_cache_forget(execution->executor->statements, execution->known);
    }
    pgconn_statement_work_out(execution->statement, execution->executor->registry);
}

/* Asks for the types of the parameters; false where it has to be tried again. */
static bool
execution_ask(struct execution *execution, VALUE *result)
{
    struct pgconn_request *request = execution->request;
    bool quiet = request->quiet, answered;

    request->quiet = true;
    answered = execution_send(execution, flight_make(execution, flight_fill_to_ask), result);
    request->quiet = quiet;
    if (answered) execution_learn(execution);
    return answered;
}

/* Finds out all that has to be known of the statement; false where that has to be tried again. */
static bool
execution_prepare(struct execution *execution, VALUE *query)
{
    struct pgconn_request *request = execution->request;
    VALUE result;

    execution_start(execution);
    RB_OBJ_WRITE(request->cursor, query, execution->known->sql.text);
    execution_learn(execution);
    request->relies = false;
    if (execution_must_ask(execution) && !execution_ask(execution, &result)) return false;
    request->plan = execution->known->plan;
    request->relies = execution->known->descriptions > 0 && !request->repeated;
    return true;
}

/* False where it has to be tried again. */
static bool
execution_try(struct execution *execution, VALUE *query, VALUE *result)
{
    if (!execution_prepare(execution, query)) return false;
    if (!execution_send(execution, flight_make(execution, flight_fill), result)) return false;
    execution->known->plan = execution->request->plan;
    execution->known->executions++;
    return true;
}

VALUE
pgconn_execute(const struct pgconn_executor *executor, struct pgconn_request *request, VALUE *query)
{
    struct execution execution = {.executor = executor, .request = request, .rows = Qnil};
    VALUE result = Qnil;

    while (!execution_try(&execution, query, &result)) continue;
    RB_GC_GUARD(execution.statement);
    return result;
}

/* Whether the statement is a barrier, or more than one statement. */
static bool
execution_goes_alone(const struct execution *execution)
{
    const struct pgconn_statement *known = execution->known;

    return known->sql.several || known->may_set || pgconn_session_goes_alone(known->keyword);
}

/* Takes back what was added behind the command; behind NULL: all. */
static void
flight_cut(struct pgconn_flight *flight, struct pgconn_command *last)
{
    struct pgconn_command *command = last ? last->next : flight->commands, *next;

    if (last) last->next = NULL;
    else flight->commands = NULL;
    flight->tail = last;
    for (; command; command = next) {
        next = command->next;
        pgconn_command_free(command);
    }
}

static void
execution_add(struct execution *execution, struct pgconn_flight *flight, bool *busy)
{
    struct pgconn_command *last = flight->tail;
    bool repeatable = !last || flight->repeatable, was_busy = *busy;
    int state;

    execution->flight = flight;
    *busy = true; /* the values' own methods may execute something */
    state = flight_try_to_fill(execution, flight_fill);
    *busy = was_busy;
    if (state) {
        flight_cut(flight, last);
        rb_jump_tag(state);
    }
    if (!last) flight->settings = execution->known->settings;
    else if (!pgconn_text_settings_equal(flight->settings, execution->known->settings)) {
        flight->settings.encoding_index = -1; /* no session's: all of it is made anew */
    }
    pgconn_session_classify(flight, execution->known->keyword);
    flight->tail->lasts = !flight->repeatable;
    if (execution->request->repeated) repeatable = false;
    flight->repeatable = flight->repeatable && repeatable;
}

VALUE
pgconn_execution_add(const struct pgconn_executor *executor, struct pgconn_request *request,
                     VALUE *query, struct pgconn_flight **flight, bool *busy)
{
    struct execution execution = {.executor = executor, .request = request, .rows = Qnil};

    while (!execution_prepare(&execution, query)) continue;
    if (execution_goes_alone(&execution)) return Qnil;
    if (!*flight) *flight = pgconn_flight_new();
    if (!*flight) rb_memerror();
    execution_add(&execution, *flight, busy);
    execution.known->executions++;
    return execution.statement;
}

static VALUE
many_make(VALUE arg)
{
    return (VALUE)flight_make((struct execution *)arg, flight_fill_with_many);
}

/* Says which row can't be encoded. */
static VALUE
many_blame(VALUE arg, VALUE error)
{
    const struct execution *execution = (struct execution *)arg;
    VALUE message = rb_funcall(error, rb_intern("message"), 0);

    if (execution->row >= 0) {
        message = rb_sprintf("row %ld, counted from 0: %" PRIsVALUE, execution->row, message);
        error = rb_funcall(error, rb_intern("exception"), 1, message);
    }
    rb_exc_raise(error);
}

static struct pgconn_flight *
many_make_blaming(struct execution *execution)
{
    return (struct pgconn_flight *)rb_rescue2(many_make, (VALUE)execution, many_blame,
                                              (VALUE)execution, rb_path2class("Pgconn::Error"),
                                              (VALUE)0);
}

/* False where it has to be tried again. The types, which hold for all rows, are known first. */
static bool
many_try(struct execution *execution, VALUE *query, VALUE *result)
{
    if (!execution_prepare(execution, query)) return false;
    if (execution->known->sql.several) {
        pgconn_error_raise(rb_ePgconnProgrammingError,
                           "execute_many takes one statement, not several in one string");
    }
    if (!execution_send(execution, many_make_blaming(execution), result)) return false;
    execution->known->plan = execution->request->plan;
    execution->known->executions += RARRAY_LEN(execution->rows);
    return true;
}

VALUE
pgconn_execute_many(const struct pgconn_executor *executor, struct pgconn_request *request,
                    VALUE rows, VALUE *query)
{
    struct execution execution = {.executor = executor,
                                  .request = request,
                                  .rows = rows,
                                  .row = -1};
    VALUE result = Qnil;

    request->arguments = rb_ary_entry(rows, 0);
    while (!many_try(&execution, query, &result)) continue;
    RB_GC_GUARD(execution.statement);
    RB_GC_GUARD(rows);
    return result;
}
