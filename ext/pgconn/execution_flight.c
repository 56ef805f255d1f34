#include "execution_flight.h"

struct pgconn_command *
pgconn_execution_command_add(struct pgconn_execution *execution, enum pgconn_command_kind kind,
                             const char *name)
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

struct pgconn_parameter *
pgconn_execution_parameters_copy(const struct pgconn_execution *execution,
                                 struct pgconn_parameter *buffer)
{
    const struct pgconn_statement *known = execution->known;

    if (known->descriptions == 0 ||
        known->parameter_count != RARRAY_LEN(execution->arguments.values)) {
        return NULL;
    }
    return MEMCPY(buffer, known->parameters, struct pgconn_parameter, known->parameter_count);
}

static void
params_add(struct pgconn_execution *execution, struct pgconn_command *command,
           const struct pgconn_parameter *parameters)
{
    pgconn_params_encode(&command->params, &execution->arguments, parameters,
                         execution->executor->registry, execution->known->settings.encoding_index);
}

void
pgconn_execution_preparation_add(struct pgconn_execution *execution, const char *name,
                                 const struct pgconn_parameter *parameters)
{
    struct pgconn_command *command = pgconn_execution_command_add(execution, PGCONN_COMMAND_PREPARE,
                                                                  name);

    if (parameters || !NIL_P(execution->arguments.types)) {
        pgconn_params_set_types(&command->params, execution->arguments.types, parameters,
                                RARRAY_LENINT(execution->arguments.values));
    }
    pgconn_execution_command_add(execution, PGCONN_COMMAND_DESCRIBE, name);
}

static void
commands_add(struct pgconn_execution *execution, const struct pgconn_parameter *parameters)
{
    const struct pgconn_executor *executor = execution->executor;
    struct pgconn_statement *known = execution->known;
    const char *name = known->prepared->name;
    struct pgconn_command *command;

    if (pgconn_names_know(&executor->session->names, known->prepared)) {
        command = pgconn_execution_command_add(execution, PGCONN_COMMAND_EXECUTE, name);
        command->result_format = known->result_format;
    }
    else if (pgconn_statement_cache_name(executor->statements, known)) {
        pgconn_execution_preparation_add(execution, name, parameters);
        command = pgconn_execution_command_add(execution, PGCONN_COMMAND_EXECUTE, name);
    }
    else {
        command = pgconn_execution_command_add(execution, PGCONN_COMMAND_QUERY, "");
    }
    params_add(execution, command, parameters);
}

/* Whatever they are, they may change the session's state, and drop its prepared statements. */
static void
statements_add(struct pgconn_execution *execution)
{
    struct pgconn_flight *flight = execution->flight;

    pgconn_execution_command_add(execution, PGCONN_COMMAND_STATEMENTS, "");
    flight->simple = flight->barrier = flight->forgets = true;
    flight->may_end = execution->known->sql.may_end;
}

/* What the request says of resources, and the portal that the statement opens. */
static void
portal_add(struct pgconn_execution *execution)
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

/* Its rows go through a transfer; it has the line for itself meanwhile. */
static void
transfer_add(struct pgconn_flight *flight, const struct pgconn_request *request)
{
    flight->transfer = pgconn_transfer_new(request->enumerator, request->deadline);
    if (!flight->transfer) rb_memerror();
    flight->barrier = true;
}

VALUE
pgconn_execution_fill(VALUE arg)
{
    struct pgconn_execution *execution = (struct pgconn_execution *)arg;
    long count = RARRAY_LEN(execution->arguments.values);
    VALUE buffer;
    struct pgconn_parameter *copy = ALLOCV_N(struct pgconn_parameter, buffer, count);

    if (execution->known->sql.several) statements_add(execution);
    else commands_add(execution, pgconn_execution_parameters_copy(execution, copy));
    ALLOCV_END(buffer);
    if (execution->request->resource) portal_add(execution);
    if (execution->request->paused) transfer_add(execution->flight, execution->request);
    return Qnil;
}

VALUE
pgconn_execution_fill_to_ask(VALUE arg)
{
    struct pgconn_execution *execution = (struct pgconn_execution *)arg;
    struct pgconn_statement *known = execution->known;

    bool named = pgconn_statement_cache_name(execution->executor->statements, known);

    pgconn_execution_preparation_add(execution, named ? known->prepared->name : "", NULL);
    return Qnil;
}

int
pgconn_execution_try_to_fill(struct pgconn_execution *execution, VALUE (*fill)(VALUE))
{
    int state;

    rb_protect(fill, (VALUE)execution, &state);
    if (state && execution->known->descriptions > 0) execution->known->prepared->stale = true;
    return state;
}

struct pgconn_flight *
pgconn_execution_flight_make(struct pgconn_execution *execution, VALUE (*fill)(VALUE))
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
    state = pgconn_execution_try_to_fill(execution, fill);
    if (state) {
        pgconn_flight_free(flight);
        rb_jump_tag(state);
    }
    return flight;
}
