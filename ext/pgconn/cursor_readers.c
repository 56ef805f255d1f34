#include "cursor.h"

static struct pgconn_cursor *
cursor_get_awaited(VALUE self)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get(self);

    pgconn_cursor_await(self, cursor);
    return cursor;
}

/*
 * @return [Array<Pgconn::Column>, nil] the columns of the result; nil if there is none, or for a
 *   command that gives no rows
 */
static VALUE
cursor_description(VALUE self)
{
    struct pgconn_cursor *cursor = cursor_get_awaited(self);

    if (NIL_P(cursor->result) || !pgconn_result_has_rows(cursor->result)) return Qnil;
    return pgconn_result_description(cursor->result);
}

/*
 * @return [Integer] the rows selected, inserted, updated or deleted; -1 before the first execute,
 *   after an error and for commands that don't say
 */
static VALUE
cursor_rowcount(VALUE self)
{
    struct pgconn_cursor *cursor = cursor_get_awaited(self);

    return LONG2NUM(NIL_P(cursor->result) ? -1 : pgconn_result_affected(cursor->result));
}

/*
 * @return [Integer, nil] the position of the next row to fetch, counted from 0; nil without a
 *   result
 */
static VALUE
cursor_rownumber(VALUE self)
{
    struct pgconn_cursor *cursor = cursor_get_awaited(self);

    if (NIL_P(cursor->result) || !pgconn_result_has_rows(cursor->result)) return Qnil;
    return LONG2NUM(cursor->before + cursor->position);
}

/*
 * @return [String, nil] the command tag that the server answered with, such as "INSERT 0 1"
 * @see https://www.postgresql.org/docs/current/libpq-exec.html#LIBPQ-PQCMDSTATUS PQcmdStatus
 */
static VALUE
cursor_statusmessage(VALUE self)
{
    struct pgconn_cursor *cursor = cursor_get_awaited(self);

    if (NIL_P(cursor->result)) return Qnil;
    return rb_utf8_str_new_cstr(PQcmdStatus((PGresult *)pgconn_result_pg(cursor->result)));
}

/*
 * @return [String, nil] the text of the last statement as it was sent
 */
static VALUE
cursor_query(VALUE self)
{
    return pgconn_cursor_get(self)->query;
}

/*
 * @return [Pgconn::Connection]
 */
static VALUE
cursor_connection(VALUE self)
{
    return pgconn_cursor_get(self)->connection;
}

/* A number of rows as FETCH takes it. */
static long
size_get(VALUE size, const char *name)
{
    VALUE number = rb_to_int(size);

    if (FIXNUM_P(number) && FIX2LONG(number) >= 1 && FIX2LONG(number) <= INT32_MAX) {
        return FIX2LONG(number);
    }
    rb_raise(rb_eArgError, "%s must be from 1 to %d, not %" PRIsVALUE, name, INT32_MAX, number);
}

/*
 * @return [Integer] how many rows {#fetch_many} gives by default: 1
 */
static VALUE
cursor_arraysize(VALUE self)
{
    return LONG2NUM(pgconn_cursor_get(self)->array_size);
}

/*
 * @param size [Integer] 1 to 2147483647
 * @raise [ArgumentError] for another
 */
static VALUE
cursor_set_arraysize(VALUE self, VALUE size)
{
    pgconn_cursor_get(self)->array_size = size_get(size, "arraysize");
    return size;
}

/*
 * @return [Integer] how many rows a named cursor asks the server for at a time when it is iterated:
 *   2000 at first
 */
static VALUE
cursor_itersize(VALUE self)
{
    return LONG2NUM(pgconn_cursor_get(self)->iter_size);
}

/*
 * @param size [Integer] 1 to 2147483647
 * @raise [ArgumentError] for another
 */
static VALUE
cursor_set_itersize(VALUE self, VALUE size)
{
    pgconn_cursor_get(self)->iter_size = size_get(size, "itersize");
    return size;
}

/*
 * @return [Boolean] whether the cursor or its connection was closed. A lost connection is not:
 *   rows that had arrived can still be read
 */
static VALUE
cursor_closed_p(VALUE self)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get(self);

    return RBOOL(cursor->closed || pgconn_connection_is_closed(cursor->connection));
}

/* Whether its last execute was in a pipeline that hasn't brought its result. */
static VALUE
cursor_in_pipeline_p(VALUE self)
{
    return RBOOL(!NIL_P(pgconn_cursor_get(self)->pipeline));
}

void
pgconn_cursor_readers_init(void)
{
    rb_define_private_method(rb_cPgconnCursor, "in_pipeline?", cursor_in_pipeline_p, 0);
    rb_define_method(rb_cPgconnCursor, "arraysize", cursor_arraysize, 0);
    rb_define_method(rb_cPgconnCursor, "arraysize=", cursor_set_arraysize, 1);
    rb_define_method(rb_cPgconnCursor, "closed?", cursor_closed_p, 0);
    rb_define_method(rb_cPgconnCursor, "connection", cursor_connection, 0);
    rb_define_method(rb_cPgconnCursor, "description", cursor_description, 0);
    rb_define_method(rb_cPgconnCursor, "itersize", cursor_itersize, 0);
    rb_define_method(rb_cPgconnCursor, "itersize=", cursor_set_itersize, 1);
    rb_define_method(rb_cPgconnCursor, "query", cursor_query, 0);
    rb_define_method(rb_cPgconnCursor, "rowcount", cursor_rowcount, 0);
    rb_define_method(rb_cPgconnCursor, "rownumber", cursor_rownumber, 0);
    rb_define_method(rb_cPgconnCursor, "statusmessage", cursor_statusmessage, 0);
}
