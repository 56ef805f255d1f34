#include "copy.h"

#include "encoding.h"
#include "error.h"

/* Nanoseconds after which a slow source's rows are sent, and the server heard, few as they are. */
#define SOURCE_PATIENCE 100000000

/* Sends what was gathered. */
static void
copy_send(struct pgconn_copy *copy)
{
    copy->byte_count += (long long)copy->bytes.length;
    pgconn_copy_swap(copy);
    pgconn_copy_resume(copy);
}

/* Sends what is left, and the end of the data. */
static void
copy_end_data(struct pgconn_copy *copy)
{
    if (!NIL_P(copy->plan)) pgconn_copy_encode_end(&copy->rows, &copy->bytes);
    pgconn_copy_check_memory(&copy->bytes);
    copy->transfer->last = true;
    copy_send(copy);
}

/* What ended it elsewhere, a cancel or the server's error, is heard of at once. */
static bool
copy_is_due(const struct pgconn_copy *copy)
{
    return copy->bytes.length >= PGCONN_TRANSFER_WRITE_SIZE || !copy->flight ||
           copy->flight->unwanted || copy->transfer->refused ||
           pgconn_wait_now_roughly() - copy->resumed >= SOURCE_PATIENCE;
}

static void
copy_send_if_due(struct pgconn_copy *copy)
{
    if (!copy_is_due(copy)) return;
    copy_send(copy);
    pgconn_copy_tell_progress(copy);
}

static bool
copy_may_turn_to_text(const struct pgconn_copy *copy)
{
    return copy->row_count == 0 && !NIL_P(copy->text_sql);
}

/*
 * In text, from the first row on: the COPY in binary ends without a row, and another one begins.
 */
static void
copy_turn_to_text(struct pgconn_copy *copy)
{
    copy->bytes.length = 0;
    pgconn_copy_encode_start(&copy->rows, &copy->bytes);
    copy_end_data(copy);
    copy->sql = copy->text_sql;
    copy->text_sql = copy->result = Qnil;
    copy->rows.format = PGCONN_COPY_TEXT;
    pgconn_copy_start(copy);
}

static VALUE
column_name(const struct pgconn_copy *copy, int column)
{
    VALUE names = pgconn_columns_get(copy->rows.plan->columns)->names;

    return rb_ary_entry(names, column);
}

RBIMPL_ATTR_NORETURN()
static void
value_raise_unfit(const struct pgconn_copy *copy, VALUE row, int column)
{
    pgconn_error_raise(rb_ePgconnDataError,
                       "row %lld, counted from 0: column %" PRIsVALUE ": %" PRIsVALUE
                       " has no binary form as %s; format: :text takes it",
                       copy->row_count, column_name(copy, column),
                       rb_obj_class(rb_ary_entry(row, column)),
                       copy->rows.plan->codecs[column]->name);
}

struct writing {
    struct pgconn_copy *copy;
    VALUE row;
    size_t start;
    int column;
    int unfit; /* the column whose value has no binary form, or -1 */
};

static VALUE
writing_run(VALUE arg)
{
    struct writing *writing = (struct writing *)arg;
    struct pgconn_copy *copy = writing->copy;

    writing->unfit = pgconn_copy_encode_row(&copy->rows, writing->row, &copy->bytes,
                                            &writing->column);
    if (writing->unfit < 0 || copy_may_turn_to_text(copy)) return Qnil;
    value_raise_unfit(copy, writing->row, writing->unfit);
}

/* Says in which row and column. Values are the parameters of other statements. */
RBIMPL_ATTR_NORETURN()
static void
writing_raise(const struct writing *writing, VALUE error)
{
    VALUE text = rb_funcall(error, rb_intern("message"), 0);

    if (strncmp(StringValueCStr(text), "row ", 4) == 0) rb_exc_raise(error);
    pgconn_error_raise(rb_ePgconnDataError,
                       "row %lld, counted from 0: column %" PRIsVALUE " ($%d): %" PRIsVALUE,
                       writing->copy->row_count, column_name(writing->copy, writing->column),
                       writing->column + 1, text);
}

/* Of a row that raises nothing is left. What a throw leaves as errinfo is no object of Ruby's. */
RBIMPL_ATTR_NORETURN()
static void
writing_failed(const struct writing *writing, int state)
{
    VALUE error = rb_errinfo();

    writing->copy->bytes.length = writing->start;
    if (RB_TYPE_P(error, T_OBJECT) && RTEST(rb_obj_is_kind_of(error, rb_ePgconnDataError))) {
        writing_raise(writing, error);
    }
    rb_jump_tag(state);
}

/* One rb_protect and no rb_rescue2 within rb_ensure: that is a twentieth of what a row costs. */
static void
writing_protected(struct writing *writing)
{
    int state;

    writing->start = writing->copy->bytes.length;
    writing->copy->busy = true;
    rb_protect(writing_run, (VALUE)writing, &state);
    writing->copy->busy = false;
    if (state) writing_failed(writing, state);
}

static VALUE
row_get(const struct pgconn_copy *copy, VALUE row)
{
    VALUE array = rb_check_array_type(row);

    if (NIL_P(array)) {
        rb_raise(rb_eTypeError,
                 "row %lld, counted from 0: must be an Array or a Row, not %" PRIsVALUE,
                 copy->row_count, rb_obj_class(row));
    }
    if (RARRAY_LEN(array) == copy->rows.plan->count) return array;
    pgconn_error_raise(rb_ePgconnDataError,
                       "row %lld, counted from 0: has %ld values, but there are %d columns",
                       copy->row_count, RARRAY_LEN(array), copy->rows.plan->count);
}

static void
copy_write_row(struct pgconn_copy *copy, VALUE row)
{
    struct writing writing = {.copy = copy, .row = row_get(copy, row)};

    writing_protected(&writing);
    if (writing.unfit >= 0) {
        copy_turn_to_text(copy);
        writing_protected(&writing);
    }
    pgconn_copy_check_memory(&copy->bytes);
    copy->row_count++;
    RB_GC_GUARD(writing.row);
}

/* Text is transcoded, bytes (ASCII-8BIT) go as they are. */
static void
copy_write_string(struct pgconn_copy *copy, VALUE piece)
{
    VALUE string = rb_check_string_type(piece);

    if (NIL_P(string)) {
        rb_raise(rb_eTypeError,
                 "a COPY in the caller's own SQL takes Strings of its data, not %" PRIsVALUE,
                 rb_obj_class(piece));
    }
    string = pgconn_encoding_export(string, pgconn_copy_encoding_index(copy), "the data of COPY");
    pgconn_buffer_append(&copy->bytes, RSTRING_PTR(string), (size_t)RSTRING_LEN(string));
    pgconn_copy_check_memory(&copy->bytes);
    RB_GC_GUARD(string);
}

/*
 * Sends a row or, where the SQL was given, a piece of data in the format that it names.
 *
 * @overload <<(row)
 *   @param row [Array, Pgconn::Row, String]
 *   @return [self]
 *   @raise [Pgconn::DataError] that names the row, and the column, for a value that can't be sent,
 *     and for too few or too many values
 *   @raise [TypeError] for anything else
 *   @raise [Pgconn::ProgrammingError] if the COPY has ended
 *   @raise [Pgconn::DatabaseError] what the server has said of the rows before
 *   @see https://www.postgresql.org/docs/current/libpq-copy.html#LIBPQ-PQPUTCOPYDATA PQputCopyData
 */
static VALUE
copy_append(VALUE self, VALUE row)
{
    struct pgconn_copy *copy = pgconn_copy_get_open(self);

    pgconn_copy_check_time(copy);
    if (NIL_P(copy->plan)) copy_write_string(copy, row);
    else copy_write_row(copy, row);
    copy_send_if_due(copy);
    RB_GC_GUARD(self);
    return self;
}

/* Begins the COPY, and its data, which is still without a row. */
static VALUE
copy_begin_rows(VALUE self)
{
    struct pgconn_copy *copy = pgconn_copy_get_open(self);

    pgconn_copy_start(copy);
    pgconn_copy_encode_start(&copy->rows, &copy->bytes);
    RB_GC_GUARD(self);
    return Qnil;
}

/* The source has come to its end. */
static VALUE
copy_finish(VALUE self)
{
    struct pgconn_copy *copy = pgconn_copy_get_open(self);

    copy_end_data(copy);
    pgconn_copy_tell_progress(copy);
    RB_GC_GUARD(self);
    return Qnil;
}

void
pgconn_copy_in_init(VALUE rb_cPgconnCopy)
{
    rb_define_method(rb_cPgconnCopy, "<<", copy_append, 1);
    rb_define_private_method(rb_cPgconnCopy, "begin_rows", copy_begin_rows, 0);
    rb_define_private_method(rb_cPgconnCopy, "finish", copy_finish, 0);
}
