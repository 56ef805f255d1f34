#include "execution_flight.h"

#include "error.h"

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
    if (request->portal || request->paused) {
        pgconn_error_raise(rb_ePgconnProgrammingError,
                           "a %s is for one statement, and these are several",
                           request->portal ? "named cursor" : "stream");
    }
    if (!arguments_are_given(request->arguments)) return;
    pgconn_error_raise(rb_ePgconnProgrammingError,
                       "several statements in one string can't have parameters: execute them one "
                       "by one");
}

static void
execution_fetch(struct pgconn_execution *execution, bool by_name)
{
    const struct pgconn_executor *executor = execution->executor;

    execution->statement = pgconn_statement_cache_fetch(executor->statements,
                                                        execution->request->sql, by_name,
                                                        execution->arguments.types);
    execution->known = pgconn_statement_get(execution->statement);
}

/* Finds the statement, and the values of its parameters. */
static void
execution_start(struct pgconn_execution *execution)
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

/* Whether the types of the parameters must be known before anything can be encoded. */
static bool
execution_must_ask(const struct pgconn_execution *execution)
{
    if (execution->known->descriptions > 0) return false;
    if (RARRAY_LEN(execution->arguments.values) == 0) return false;
    return execution->arguments.depends || !NIL_P(execution->rows) ||
           pgconn_types_ask(execution->executor->registry);
}

bool
pgconn_execution_send(struct pgconn_execution *execution, struct pgconn_flight *flight,
                      VALUE *result)
{
    struct pgconn_request *request = execution->request;
    enum pgconn_answer answer = pgconn_answer_wait(execution->executor->session, flight, request,
                                                   result);

    if (answer == PGCONN_ANSWER_PAUSED) *result = pgconn_execution_pause(execution, flight);
    if (answer != PGCONN_ANSWER_REFUSED) return answer != PGCONN_ANSWER_OUTDATED;
    request->repeated = true;
    return false;
}

static void
execution_learn(struct pgconn_execution *execution)
{
    if (execution->known->prepared->stale) {
        pgconn_statement_cache_forget(execution->executor->statements, execution->known);
    }
    pgconn_statement_work_out(execution->statement, execution->executor->registry);
}

/* Asks for the types of the parameters; false where it has to be tried again. */
static bool
execution_ask(struct pgconn_execution *execution, VALUE *result)
{
    struct pgconn_request *request = execution->request;
    bool quiet = request->quiet, answered;

    request->quiet = true;
    answered = pgconn_execution_send(
        execution, pgconn_execution_flight_make(execution, pgconn_execution_fill_to_ask), result);
    request->quiet = quiet;
    if (answered) execution_learn(execution);
    return answered;
}

bool
pgconn_execution_prepare(struct pgconn_execution *execution, VALUE *query)
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
execution_try(struct pgconn_execution *execution, VALUE *query, VALUE *result)
{
    if (!pgconn_execution_prepare(execution, query)) return false;
    if (!pgconn_execution_send(execution,
                               pgconn_execution_flight_make(execution, pgconn_execution_fill),
                               result))
        return false;
    execution->known->plan = execution->request->plan;
    execution->known->executions++;
    return true;
}

VALUE
pgconn_execute(const struct pgconn_executor *executor, struct pgconn_request *request, VALUE *query)
{
    struct pgconn_execution execution = {.executor = executor, .request = request, .rows = Qnil};
    VALUE result = Qnil;

    while (!execution_try(&execution, query, &result)) continue;
    RB_GC_GUARD(execution.statement);
    return result;
}

/* Whether the statement is a barrier, or several, or one that the server has by itself only. */
static bool
execution_goes_alone(const struct pgconn_execution *execution)
{
    const struct pgconn_statement *known = execution->known;

    return known->sql.several || known->may_set || known->stands_alone ||
           pgconn_session_goes_alone(known->keyword);
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
execution_add(struct pgconn_execution *execution, struct pgconn_flight *flight, bool *busy)
{
    struct pgconn_command *last = flight->tail;
    bool repeatable = !last || flight->repeatable, was_busy = *busy;
    int state;

    execution->flight = flight;
    *busy = true; /* the values' own methods may execute something */
    state = pgconn_execution_try_to_fill(execution, pgconn_execution_fill);
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
    struct pgconn_execution execution = {.executor = executor, .request = request, .rows = Qnil};

    while (!pgconn_execution_prepare(&execution, query)) continue;
    if (execution_goes_alone(&execution)) return Qnil;
    if (!*flight) *flight = pgconn_flight_new();
    if (!*flight) rb_memerror();
    execution_add(&execution, *flight, busy);
    execution.known->executions++;
    return execution.statement;
}
