#include "cursor.h"

#include "error.h"

/* Rows that had arrived can be read after a loss, but not after close. */
static struct pgconn_cursor *
cursor_get_fetchable(VALUE self)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get_readable(self);

    if (NIL_P(cursor->result) || !pgconn_result_has_rows(cursor->result)) {
        bool yet = RTEST(rb_funcall(cursor->connection, rb_intern("executing?"), 0));

        pgconn_error_raise(rb_ePgconnProgrammingError, "no results to fetch%s",
                           yet ? ": a statement is underway: poll until POLL_OK" : "");
    }
    return cursor;
}

static bool
cursor_has_more(const struct pgconn_cursor *cursor)
{
    return cursor->position < pgconn_result_row_count(cursor->result);
}

/*
 * @return [Pgconn::Row, Object, nil] the next row, as the cursor's `row:` says; nil after the last
 * @raise [Pgconn::ProgrammingError] if there are no rows to fetch
 * @raise [Pgconn::DataError] if a value can't be read
 */
static VALUE
cursor_fetch(VALUE self)
{
    struct pgconn_cursor *cursor = cursor_get_fetchable(self);
    VALUE result = cursor->result;

    if (!cursor_has_more(cursor)) return Qnil;
    return pgconn_rows_one(result, cursor->position++, &cursor->shape);
}

/* None also where the position has been moved by a callable that makes rows, or by a stream. */
static long
cursor_rows_left(const struct pgconn_cursor *cursor)
{
    long left = pgconn_result_row_count(cursor->result) - cursor->position;

    return left < 0 ? 0 : left;
}

/* The rows from here on, at most `limit`, as an Array. */
static VALUE
cursor_fetch_rows(struct pgconn_cursor *cursor, long limit)
{
    VALUE result = cursor->result, rows;
    long left = cursor_rows_left(cursor), count;

    count = limit < 0 || limit > left ? left : limit;
    rows = pgconn_rows_many(&cursor->result, &cursor->position, count, &cursor->shape);
    RB_GC_GUARD(result);
    return rows;
}

/*
 * @return [Array<Pgconn::Row, Object>] all rows that are left
 * @raise (see #fetch)
 */
static VALUE
cursor_fetch_all(VALUE self)
{
    return cursor_fetch_rows(cursor_get_fetchable(self), -1);
}

/*
 * @overload fetch_many(count = arraysize)
 *   @param count [Integer] how many rows at most; negative: all that are left
 *   @return [Array<Pgconn::Row, Object>] the next rows, none after the last
 *   @raise (see #fetch)
 */
static VALUE
cursor_fetch_many(int argc, VALUE *argv, VALUE self)
{
    struct pgconn_cursor *cursor = cursor_get_fetchable(self);

    rb_check_arity(argc, 0, 1);
    return cursor_fetch_rows(cursor, argc ? NUM2LONG(argv[0]) : cursor->array_size);
}

/*
 * @return [Object, nil] the first column of the next row; nil after the last row
 * @raise (see #fetch)
 */
static VALUE
cursor_fetch_value(VALUE self)
{
    struct pgconn_cursor *cursor = cursor_get_fetchable(self);
    VALUE result = cursor->result;

    if (!cursor_has_more(cursor)) return Qnil;
    return pgconn_rows_value(result, cursor->position++, pgconn_result_column(result, INT2FIX(0)));
}

/*
 * @param column [Integer, String, Symbol] position or name
 * @return [Array] the column's values in all rows that are left
 * @raise [KeyError, IndexError] for a column that the result doesn't have
 * @raise (see #fetch)
 */
static VALUE
cursor_column(VALUE self, VALUE column)
{
    struct pgconn_cursor *cursor = cursor_get_fetchable(self);
    VALUE result = cursor->result;
    long at = pgconn_result_column(result, column), left = cursor_rows_left(cursor);

    cursor->position += left;
    return pgconn_rows_column(result, cursor->position - left, at, left);
}

static VALUE
cursor_enumerator_size(VALUE self, VALUE arguments, VALUE enumerator)
{
    struct pgconn_cursor *cursor = cursor_get_fetchable(self);

    (void)arguments;
    (void)enumerator;
    return LONG2NUM(cursor_rows_left(cursor));
}

/*
 * Yields the rows that are left.
 * @yieldparam row [Pgconn::Row, Object]
 * @return [self, Enumerator] an Enumerator without a block
 * @raise (see #fetch)
 */
static VALUE
cursor_each(VALUE self)
{
    RETURN_SIZED_ENUMERATOR(self, 0, NULL, cursor_enumerator_size);
    /* A callable may have made nil of a row. */
    while (cursor_has_more(cursor_get_fetchable(self))) rb_yield(cursor_fetch(self));
    return self;
}

/* Where scroll leads, by its mode, a Symbol or a String: any Integer. */
static VALUE
scroll_target(const struct pgconn_cursor *cursor, VALUE rows, VALUE mode)
{
    VALUE name = RB_SYMBOL_P(mode) ? rb_sym2str(mode) : mode;

    if (RB_TYPE_P(name, T_STRING)) {
        if (strcmp(StringValueCStr(name), "absolute") == 0) return rows;
        if (strcmp(StringValueCStr(name), "relative") == 0) {
            return rb_funcall(LONG2NUM(cursor->position), '+', 1, rows);
        }
    }
    rb_raise(rb_eArgError, "mode must be :relative or :absolute, not %+" PRIsVALUE, mode);
}

/*
 * @overload scroll(rows, mode = :relative)
 *   Goes to another row of the result, which the next fetch gives.
 *   @param rows [Integer] how many rows to go on, or back where it is negative; with `:absolute`
 *     the row's position, from 0
 *   @param mode [Symbol, String] `:relative` or `:absolute`
 *   @return [self]
 *   @raise [Pgconn::ProgrammingError] for a position outside of the result: nothing moves then
 *   @raise [ArgumentError] for another mode
 */
static VALUE
cursor_scroll(int argc, VALUE *argv, VALUE self)
{
    struct pgconn_cursor *cursor = cursor_get_fetchable(self);
    long rows = pgconn_result_row_count(cursor->result);
    VALUE target;

    rb_check_arity(argc, 1, 2);
    target = scroll_target(cursor, rb_to_int(argv[0]),
                           argc > 1 ? argv[1] : ID2SYM(rb_intern("relative")));
    if (!FIXNUM_P(target) || FIX2LONG(target) < 0 || FIX2LONG(target) >= rows) {
        pgconn_error_raise(rb_ePgconnProgrammingError,
                           "can't scroll to row %" PRIsVALUE
                           ": the result has %ld rows, counted from 0",
                           target, rows);
    }
    cursor->position = FIX2LONG(target);
    return self;
}

void
pgconn_cursor_rows_init(void)
{
    rb_define_method(rb_cPgconnCursor, "column", cursor_column, 1);
    rb_define_method(rb_cPgconnCursor, "each", cursor_each, 0);
    rb_define_method(rb_cPgconnCursor, "fetch", cursor_fetch, 0);
    rb_define_method(rb_cPgconnCursor, "fetch_all", cursor_fetch_all, 0);
    rb_define_method(rb_cPgconnCursor, "fetch_many", cursor_fetch_many, -1);
    rb_define_method(rb_cPgconnCursor, "fetch_value", cursor_fetch_value, 0);
    rb_define_method(rb_cPgconnCursor, "scroll", cursor_scroll, -1);
}
