#include "error.h"
#include "execution_flight.h"

/* Rows that are encoded before an interrupt is looked for. */
#define ROWS_BETWEEN_CHECKS 1024

/* The values of a row for the statement, which the first row has chosen. */
static struct pgconn_arguments
row_arguments(const struct pgconn_execution *execution, VALUE row)
{
    const struct pgconn_sql *sql = &execution->known->sql;
    bool by_name = RB_TYPE_P(row, T_HASH);
    struct pgconn_arguments arguments;

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
many_add(struct pgconn_execution *execution, struct pgconn_many *many, VALUE row,
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
many_start(struct pgconn_execution *execution, const struct pgconn_parameter *parameters)
{
    const struct pgconn_executor *executor = execution->executor;
    struct pgconn_statement *known = execution->known;
    bool named = pgconn_names_know(&executor->session->names, known->prepared);
    struct pgconn_command *command;

    if (!named) {
        named = pgconn_statement_cache_name(executor->statements, known);
        pgconn_execution_preparation_add(execution, named ? known->prepared->name : "", parameters);
    }
    command = pgconn_execution_command_add(execution, PGCONN_COMMAND_EXECUTE,
                                           named ? known->prepared->name : "");
    command->result_format = known->result_format;
    command->many = pgconn_many_new();
    if (!command->many) rb_memerror();
    return command->many;
}

static VALUE
flight_fill_with_many(VALUE arg)
{
    struct pgconn_execution *execution = (struct pgconn_execution *)arg;
    long count = RARRAY_LEN(execution->arguments.values);
    VALUE buffer, rows = execution->rows;
    struct pgconn_parameter *copy = ALLOCV_N(struct pgconn_parameter, buffer, count);
    const struct pgconn_parameter *parameters = pgconn_execution_parameters_copy(execution, copy);
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
many_make(VALUE arg)
{
    return (VALUE)pgconn_execution_flight_make((struct pgconn_execution *)arg,
                                               flight_fill_with_many);
}

/* Says which row can't be encoded. */
static VALUE
many_blame(VALUE arg, VALUE error)
{
    const struct pgconn_execution *execution = (struct pgconn_execution *)arg;
    VALUE message = rb_funcall(error, rb_intern("message"), 0);

    if (execution->row >= 0) {
        message = rb_sprintf("row %ld, counted from 0: %" PRIsVALUE, execution->row, message);
        error = rb_funcall(error, rb_intern("exception"), 1, message);
    }
    rb_exc_raise(error);
}

static struct pgconn_flight *
many_make_blaming(struct pgconn_execution *execution)
{
    return (struct pgconn_flight *)rb_rescue2(many_make, (VALUE)execution, many_blame,
                                              (VALUE)execution, rb_path2class("Pgconn::Error"),
                                              (VALUE)0);
}

/* False where it has to be tried again. The types, which hold for all rows, are known first. */
static bool
many_try(struct pgconn_execution *execution, VALUE *query, VALUE *result)
{
    if (!pgconn_execution_prepare(execution, query)) return false;
    if (execution->known->sql.several) {
        pgconn_error_raise(rb_ePgconnProgrammingError,
                           "execute_many takes one statement, not several in one string");
    }
    if (!pgconn_execution_send(execution, many_make_blaming(execution), result)) return false;
    execution->known->plan = execution->request->plan;
    execution->known->executions += RARRAY_LEN(execution->rows);
    return true;
}

VALUE
pgconn_execute_many(const struct pgconn_executor *executor, struct pgconn_request *request,
                    VALUE rows, VALUE *query)
{
    struct pgconn_execution execution = {.executor = executor,
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
