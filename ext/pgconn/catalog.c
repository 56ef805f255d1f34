#include "cursor.h"

/*
 * Rows that the driver wants for itself, as an Array of Arrays: read in the transaction that is
 * open if one is, and as built-in types, whatever the user has made of those.
 */
static VALUE
connection_catalog_rows(VALUE self, VALUE sql, VALUE arguments)
{
    struct pgconn_executor executor = pgconn_connection_executor(self);
    struct pgconn_request request = pgconn_answer_request(pgconn_connection_timeout(self, Qnil));
    const struct pgconn_row_shape shape = {.kind = PGCONN_ROW_ARRAY, .callable = Qnil};
    VALUE cursor = rb_class_new_instance(1, &self, rb_cPgconnCursor), result;
    long position = 0;

    executor.registry = Qnil;
    request.sql = rb_str_new_frozen(sql);
    request.arguments = arguments;
    request.cursor = cursor;
    request.joins = request.quiet = true;
    result = pgconn_execute(&executor, &request, &pgconn_cursor_get_open(cursor)->query);
    RB_GC_GUARD(self);
    return pgconn_rows_many(&result, &position, pgconn_result_row_count(result), &shape);
}

void
Init_pgconn_catalog(void)
{
    rb_define_private_method(rb_cPgconnConnection, "catalog_rows", connection_catalog_rows, 2);
}
