#include "cursor.h"

/*
 * Rows that the driver wants for itself, as an Array of Arrays: read in the transaction that is
 * open if one is, and as built-in types, whatever the user has made of those.
 */
static VALUE
catalog_rows(VALUE self, VALUE connection, VALUE sql, VALUE arguments)
{
    struct pgconn_executor executor = pgconn_connection_executor(connection);
    struct pgconn_request request = pgconn_answer_request(
        pgconn_connection_timeout(connection, Qnil));
    const struct pgconn_row_shape shape = {.kind = PGCONN_ROW_ARRAY, .callable = Qnil};
    VALUE cursor = rb_class_new_instance(1, &connection, rb_cPgconnCursor), result;
    long position = 0;

    (void)self;
    executor.registry = Qnil;
    request.sql = rb_str_new_frozen(sql);
    request.arguments = arguments;
    request.cursor = cursor;
    request.joins = true;
    result = pgconn_execute(&executor, &request, &pgconn_cursor_get_open(cursor)->query);
    RB_GC_GUARD(connection);
    return pgconn_rows_many(&result, &position, pgconn_result_row_count(result), &shape);
}

void
Init_pgconn_catalog(void)
{
    VALUE class = rb_define_class_under(rb_path2class("Pgconn::Types"), "Catalog", rb_cObject);

    rb_define_private_method(class, "rows", catalog_rows, 3);
}
