#include "catalog.h"

#include "cursor.h"

VALUE
pgconn_catalog_rows(VALUE connection, VALUE sql, VALUE arguments,
                    const struct pgconn_request *timed)
{
    struct pgconn_executor executor = pgconn_connection_executor(connection);
    struct pgconn_request request = pgconn_answer_request(Qnil);
    const struct pgconn_row_shape shape = {.kind = PGCONN_ROW_ARRAY, .callable = Qnil};
    VALUE cursor = rb_class_new_instance(1, &connection, rb_cPgconnCursor), result;
    long position = 0;

    executor.registry = Qnil;
    request.sql = rb_str_new_frozen(sql);
    request.arguments = arguments;
    request.cursor = cursor;
    request.timeout = timed->timeout;
    request.deadline = timed->deadline;
    request.joins = request.quiet = true;
    result = pgconn_execute(&executor, &request, &pgconn_cursor_get_open(cursor)->query);
    RB_GC_GUARD(connection);
    return pgconn_rows_many(&result, &position, pgconn_result_row_count(result), &shape);
}

/* Within the connection's statement_timeout. */
static VALUE
connection_catalog_rows(VALUE self, VALUE sql, VALUE arguments)
{
    struct pgconn_request timed = pgconn_answer_request(pgconn_connection_timeout(self, Qnil));

    return pgconn_catalog_rows(self, sql, arguments, &timed);
}

void
Init_pgconn_catalog(void)
{
    rb_define_private_method(rb_cPgconnConnection, "catalog_rows", connection_catalog_rows, 2);
}
