#include "cursor.h"

struct run {
    VALUE self;
    const struct pgconn_execute_call *call;
    VALUE rows;
};

static VALUE
run_execute_many(VALUE argument)
{
    const struct run *run = (const struct run *)argument;
    struct pgconn_cursor *cursor = pgconn_cursor_get_open(run->self);
    struct pgconn_executor executor = pgconn_connection_executor(cursor->connection);
    struct pgconn_request request = pgconn_cursor_start(run->self, cursor, run->call);

    request.registry = executor.registry;
    request.slot = &cursor->result;
    request.further = &cursor->further;
    return pgconn_execute_many(&executor, &request, run->rows, &cursor->query);
}

/* Cursor#execute_many, with its rows as an Array of at least one. */
static VALUE
cursor_run_many(VALUE self, VALUE sql, VALUE rows, VALUE timeout)
{
    VALUE connection = pgconn_cursor_get(self)->connection;
    struct pgconn_session *session = pgconn_connection_get_open(connection);
    struct pgconn_execute_call call = {.arguments = Qnil, .timeout = timeout};
    struct run run = {self, &call, rb_ary_freeze(rb_ary_dup(rows))};

    pgconn_answer_check_caller(session);
    call.sql = pgconn_execute_sql_get(sql, connection);
    pgconn_tracer_run(&session->tracer, call.sql, run_execute_many, (VALUE)&run);
    RB_GC_GUARD(run.rows);
    return self;
}

void
pgconn_cursor_execute_many_init(void)
{
    rb_define_private_method(rb_cPgconnCursor, "run_many", cursor_run_many, 3);
}
