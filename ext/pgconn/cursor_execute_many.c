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

static VALUE
row_get(VALUE rows, long index)
{
    VALUE row = rb_ary_entry(rows, index), values = rb_check_array_type(row);

    if (NIL_P(values)) values = rb_check_hash_type(row);
    if (NIL_P(values)) {
        rb_raise(rb_eTypeError,
                 "row %ld, counted from 0: must be an Array or a Hash of parameters, "
                 "not %" PRIsVALUE,
                 index, rb_obj_class(row));
    }
    return values;
}

/* As Arrays and Hashes, which each row is or can be made. */
static VALUE
rows_get(VALUE rows)
{
    VALUE all = rb_ary_new_capa(RARRAY_LEN(rows));

    for (long i = 0; i < RARRAY_LEN(rows); i++) rb_ary_push(all, row_get(rows, i));
    return rb_ary_freeze(all);
}

/* Nothing is sent: there is nothing to be fetched, and the sum of rows affected is 0. */
static void
cursor_take_no_rows(VALUE self)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get_open(self);
    VALUE result = pgconn_result_new(), plan = Qnil;
    PGresult *empty;

    pgconn_cursor_reset(self, cursor);
    empty = PQmakeEmptyPGresult(NULL, PGRES_COMMAND_OK);
    if (!empty) rb_memerror();
    pgconn_result_adopt(result, empty, rb_utf8_encindex(), Qnil, &plan);
    pgconn_result_set_affected(result, 0);
    RB_OBJ_WRITE(self, &cursor->result, result);
}

/* Cursor#execute_many, with its rows as an Array. */
static VALUE
cursor_run_many(VALUE self, VALUE sql, VALUE rows, VALUE timeout)
{
    VALUE connection = pgconn_cursor_get(self)->connection;
    struct pgconn_session *session = pgconn_connection_get_open(connection);
    struct pgconn_execute_call call = {.arguments = Qnil, .timeout = timeout};
    struct run run = {self, &call, rows_get(rows)};

    pgconn_answer_check_caller(session);
    call.sql = pgconn_execute_sql_get(sql, connection);
    if (RARRAY_LEN(run.rows) == 0) cursor_take_no_rows(self);
    else pgconn_tracer_run(&session->tracer, call.sql, run_execute_many, (VALUE)&run);
    RB_GC_GUARD(run.rows);
    return self;
}

void
pgconn_cursor_execute_many_init(void)
{
    rb_define_private_method(rb_cPgconnCursor, "run_many", cursor_run_many, 3);
}
