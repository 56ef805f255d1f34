#include "copy.h"

#include "encoding.h"
#include "error.h"
#include "transaction.h"

static VALUE rb_cPgconnCopy;
static ID id_call;

static void
copy_mark(void *data)
{
    const struct pgconn_copy *copy = data;

    rb_gc_mark(copy->connection);
    rb_gc_mark(copy->cursor);
    rb_gc_mark(copy->text);
    rb_gc_mark(copy->sql);
    rb_gc_mark(copy->text_sql);
    rb_gc_mark(copy->plan);
    rb_gc_mark(copy->progress);
    rb_gc_mark(copy->result);
    pgconn_answer_mark_request(&copy->request);
    if (copy->flight) rb_gc_mark(copy->flight->transfer->thread);
}

static void
copy_free(void *data)
{
    struct pgconn_copy *copy = data;

    if (copy->flight) pgconn_driver_forsake(copy->flight);
    pgconn_transfer_release(copy->transfer);
    pgconn_buffer_free(&copy->bytes);
    pgconn_buffer_free(&copy->rows.scratch);
    xfree(copy);
}

static size_t
copy_memsize(const void *data)
{
    const struct pgconn_copy *copy = data;

    return sizeof(*copy) + copy->bytes.capacity + copy->rows.scratch.capacity;
}

/* Without compaction: the request is looked at while others run. Not WB_PROTECTED for the same. */
static const rb_data_type_t copy_type = {
    .wrap_struct_name = "Pgconn::Copy",
    .function = {.dmark = copy_mark, .dfree = copy_free, .dsize = copy_memsize},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY,
};

static VALUE
copy_allocate(VALUE class)
{
    struct pgconn_copy *copy;
    VALUE self = TypedData_Make_Struct(class, struct pgconn_copy, &copy_type, copy);

    copy->connection = copy->cursor = copy->text = copy->sql = copy->text_sql = Qnil;
    copy->plan = copy->progress = copy->result = Qnil;
    copy->request = pgconn_answer_request(Qnil);
    return self;
}

struct pgconn_copy *
pgconn_copy_get(VALUE self)
{
    return pgconn_typed_data(self, &copy_type);
}

struct pgconn_copy *
pgconn_copy_get_open(VALUE self)
{
    struct pgconn_copy *copy = pgconn_copy_get(self);

    if (copy->started && NIL_P(copy->result)) pgconn_copy_check_time(copy);
    if (copy->busy || (copy->started && !copy->flight)) {
        pgconn_error_raise(rb_ePgconnProgrammingError, "the COPY %s",
                           copy->busy ? "is in the middle of a row"
                                      : "has ended, or another thread sends its rows");
    }
    return copy;
}

/*
 * A cursor, which gets the result; what errors tell of it, or nil where that is the statement;
 * seconds or nil; a callable or nil.
 */
static VALUE
copy_initialize(VALUE self, VALUE cursor, VALUE text, VALUE timeout, VALUE progress)
{
    struct pgconn_copy *copy = pgconn_copy_get(self);

    copy->cursor = cursor;
    copy->text = text;
    copy->connection = pgconn_cursor_get_open(cursor)->connection;
    copy->progress = progress;
    if (NIL_P(timeout)) timeout = pgconn_cursor_get(cursor)->timeout;
    copy->request = pgconn_answer_request(pgconn_connection_timeout(copy->connection, timeout));
    copy->request.cursor = cursor;
    copy->request.text = text;
    copy->request.registry = pgconn_connection_registry(copy->connection);
    return self;
}

/* The statement, and that for text where it may come to that; or nil. */
static VALUE
copy_set_statement(VALUE self, VALUE sql, VALUE text_sql)
{
    struct pgconn_copy *copy = pgconn_copy_get_open(self);

    copy->sql = rb_str_new_frozen(sql);
    copy->text_sql = text_sql;
    return self;
}

/* One statement that begins with COPY, as it is sent. */
static VALUE
sql_export(VALUE sql, const struct pgconn_text_settings *settings)
{
    struct pgconn_sql parsed = pgconn_params_parse(sql, false, settings->standard_strings);
    enum pgconn_keyword keyword = pgconn_sql_statements_keyword(RSTRING_PTR(parsed.text),
                                                                (size_t)RSTRING_LEN(parsed.text),
                                                                settings->standard_strings);

    if (keyword != PGCONN_KEYWORD_COPY || parsed.several) {
        pgconn_error_raise(rb_ePgconnProgrammingError, "not one COPY statement: %" PRIsVALUE, sql);
    }
    return pgconn_encoding_export(parsed.text, settings->encoding_index, "SQL");
}

/* False when out of memory. */
static bool
flight_fill(struct pgconn_flight *flight, const char *sql, const struct pgconn_copy *copy)
{
    struct pgconn_command *command = pgconn_flight_append(flight, PGCONN_COMMAND_STATEMENTS, sql);
    const struct pgconn_cursor *cursor = pgconn_cursor_get(copy->cursor);

    flight->transfer = pgconn_transfer_new(cursor->enumerator, copy->request.deadline);
    if (command) command->cursor = cursor;
    return command && flight->transfer;
}

/* Who has begun a COPY has begun it again, whoever wrote the row for which that has to be. */
static void
flight_succeed(struct pgconn_flight *flight, const struct pgconn_transfer *before)
{
    flight->caller = flight->transfer->caller = before->caller;
    flight->transfer->enumerator = before->enumerator;
    flight->transfer->thread = before->thread;
}

static struct pgconn_flight *
flight_make(struct pgconn_copy *copy, const struct pgconn_session *session)
{
    struct pgconn_text_settings settings = session->settings;
    VALUE wire = sql_export(copy->request.sql, &settings);
    const char *sql = StringValueCStr(wire);
    struct pgconn_flight *flight = pgconn_flight_new();

    if (!flight) rb_memerror();
    flight->settings = settings;
    flight->begins = PGCONN_BEGINS;
    flight->simple = flight->barrier = true;
    if (!flight_fill(flight, sql, copy)) {
        pgconn_flight_free(flight);
        rb_memerror();
    }
    if (copy->transfer) flight_succeed(flight, copy->transfer);
    RB_GC_GUARD(wire);
    return flight;
}

/* The flight's transfer is asked also when the flight has gone. */
static void
copy_follow(struct pgconn_copy *copy, struct pgconn_flight *flight)
{
    if (copy->transfer) pgconn_transfer_release(copy->transfer);
    copy->transfer = flight->transfer;
    copy->transfer->references++;
}

/* False where the flight must be made again. */
static bool
copy_try(struct pgconn_copy *copy, struct pgconn_session *session)
{
    struct pgconn_flight *flight = flight_make(copy, session);
    VALUE result;

    copy_follow(copy, flight);
    switch (pgconn_answer_wait(session, flight, &copy->request, &result)) {
    case PGCONN_ANSWER_PAUSED:
        pgconn_flight_link(flight, &copy->flight);
        return true;
    case PGCONN_ANSWER_RESULT:
        copy->result = result;
        return true;
    default:
        return false;
    }
}

static void
copy_check_encoding(const struct pgconn_copy *copy, const struct pgconn_session *session)
{
    if (NIL_P(copy->plan) || copy->rows.encoding_index == session->settings.encoding_index) return;
    pgconn_error_raise(rb_ePgconnProgrammingError,
                       "client_encoding was changed while the COPY began");
}

void
pgconn_copy_ask(struct pgconn_copy *copy, VALUE sql)
{
    VALUE ahead = Qnil;

    copy->request.sql = sql;
    copy->request.ahead = 0;
    if (NIL_P(copy->text)) return;
    ahead = rb_funcall(sql, rb_intern("index"), 1, copy->text);
    copy->request.ahead = NIL_P(ahead) ? rb_str_strlen(sql) : NUM2LONG(ahead);
}

void
pgconn_copy_start(struct pgconn_copy *copy)
{
    struct pgconn_session *session = pgconn_connection_get_open(copy->connection);
    struct pgconn_cursor *cursor = pgconn_cursor_get_open(copy->cursor);

    pgconn_cursor_reset(copy->cursor, cursor);
    pgconn_copy_ask(copy, copy->sql);
    copy->request.slot = &cursor->result;
    copy->request.further = &cursor->further;
    RB_OBJ_WRITE(copy->cursor, &cursor->query, copy->sql);
    copy->started = true;
    copy->resumed = pgconn_wait_now_roughly();
    do {
        copy_check_encoding(copy, session);
    } while (!copy_try(copy, session));
}

void
pgconn_copy_check_time(const struct pgconn_copy *copy)
{
    bool sends = copy->transfer && copy->transfer->kind == PGCONN_COPY_IN;

    pgconn_answer_check_time(&copy->request, sends ? "canceled" : "unknown");
}

void
pgconn_copy_resume(struct pgconn_copy *copy)
{
    struct pgconn_session *session = pgconn_connection_get_open(copy->connection);
    struct pgconn_flight *flight = copy->flight;
    VALUE result;

    pgconn_copy_check_time(copy);
    if (!flight) pgconn_error_raise(rb_ePgconnProgrammingError, "the COPY has ended");
    copy->resumed = pgconn_wait_now_roughly();
    switch (pgconn_answer_resume(session, flight, &copy->request, &result)) {
    case PGCONN_ANSWER_PAUSED:
        pgconn_flight_link(flight, &copy->flight);
        break;
    default:
        copy->result = result;
    }
}

void
pgconn_copy_tell_progress(const struct pgconn_copy *copy)
{
    if (NIL_P(copy->progress)) return;
    rb_funcall(copy->progress, id_call, 2, LL2NUM(copy->row_count), LL2NUM(copy->byte_count));
}

void
pgconn_copy_swap(struct pgconn_copy *copy)
{
    struct pgconn_buffer mine = copy->bytes;

    copy->bytes = copy->transfer->bytes;
    copy->transfer->bytes = mine;
}

void
pgconn_copy_check_memory(const struct pgconn_buffer *bytes)
{
    if (!bytes->failed) return;
    if (!bytes->too_large) rb_memerror();
    pgconn_error_raise(rb_ePgconnDataError, "a piece of data is larger than %d bytes", INT_MAX);
}

int
pgconn_copy_encoding_index(const struct pgconn_copy *copy)
{
    if (copy->transfer->binary) return rb_ascii8bit_encindex();
    return pgconn_connection_get(copy->connection)->session.settings.encoding_index;
}

/*
 * Begins the COPY.
 * @return [Symbol, nil] where its data goes, :in or :out; nil: there is none for the client
 */
static VALUE
copy_begin(VALUE self)
{
    struct pgconn_copy *copy = pgconn_copy_get_open(self);

    pgconn_copy_start(copy);
    RB_GC_GUARD(self);
    if (copy->transfer->kind == PGCONN_COPY_NONE) return Qnil;
    return ID2SYM(rb_intern(copy->transfer->kind == PGCONN_COPY_IN ? "in" : "out"));
}

/* How its rows are written or read: :binary, :text or :csv. */
static VALUE
copy_set_format(VALUE self, VALUE format)
{
    struct pgconn_copy *copy = pgconn_copy_get_open(self);
    ID id = SYM2ID(format);

    if (id == rb_intern("csv")) copy->rows.format = PGCONN_COPY_CSV;
    else if (id == rb_intern("text")) copy->rows.format = PGCONN_COPY_TEXT;
    else copy->rows.format = PGCONN_COPY_BINARY;
    return self;
}

static VALUE
copy_drop(VALUE self)
{
    struct pgconn_copy *copy = pgconn_copy_get(self);
    struct pgconn_flight *flight = copy->flight;

    copy->started = true; /* and has ended, also where it never began */
    if (flight) {
        pgconn_driver_drop(&pgconn_connection_get(copy->connection)->session, flight);
    }
    return Qnil;
}

static VALUE
copy_run_block(VALUE self)
{
    rb_ensure(rb_yield, self, copy_drop, self);
    return pgconn_copy_get(self)->result;
}

/*
 * What is described is what is copied only while a lock keeps others from changing it: handlers of
 * messages, and with them other statements, come once that is given up.
 */
static VALUE
copy_run_and_commit(VALUE self, struct pgconn_hold *hold)
{
    struct pgconn_copy *copy = pgconn_copy_get(self);
    VALUE result;

    copy->request.quiet = hold->open;
    result = copy_run_block(self);
    pgconn_transaction_commit(copy->connection, hold, &copy->request);
    return result;
}

static VALUE
copy_run_rows(VALUE self)
{
    const struct pgconn_copy *copy = pgconn_copy_get(self);

    return pgconn_transaction_run(copy->connection, &copy->request, copy_run_and_commit, self);
}

/*
 * Yields self; however that is left, what is still under way ends with it. The tracer is told of
 * the SQL. rows: they are described before they are copied.
 * @return [Integer] the number of rows that the server has counted
 */
static VALUE
copy_run(VALUE self, VALUE sql, VALUE rows)
{
    const struct pgconn_copy *copy = pgconn_copy_get(self);
    struct pgconn_session *session = pgconn_connection_get_open(copy->connection);
    VALUE result = pgconn_tracer_run(&session->tracer, sql,
                                     RTEST(rows) ? copy_run_rows : copy_run_block, self);

    RB_GC_GUARD(self);
    return NIL_P(result) ? Qnil : LONG2NUM(pgconn_result_affected(result));
}

/* The client encoding. */
static VALUE
copy_encoding(VALUE self)
{
    return rb_enc_from_encoding(
        rb_enc_from_index(pgconn_copy_encoding_index(pgconn_copy_get(self))));
}

void
Init_pgconn_copy(void)
{
    rb_cPgconnCopy = rb_define_class_under(rb_mPgconn, "Copy", rb_cObject);
    rb_gc_register_mark_object(rb_cPgconnCopy);
    id_call = rb_intern("call");
    rb_define_alloc_func(rb_cPgconnCopy, copy_allocate);
    rb_define_private_method(rb_cPgconnCopy, "initialize", copy_initialize, 4);
    rb_define_private_method(rb_cPgconnCopy, "initialize_copy", pgconn_connection_no_copy, 1);
    rb_define_private_method(rb_cPgconnCopy, "begin", copy_begin, 0);
    rb_define_private_method(rb_cPgconnCopy, "encoding", copy_encoding, 0);
    pgconn_copy_in_init(rb_cPgconnCopy);
    pgconn_copy_out_init(rb_cPgconnCopy);
    rb_define_private_method(rb_cPgconnCopy, "run", copy_run, 2);
    pgconn_copy_describe_init(rb_cPgconnCopy);
    rb_define_private_method(rb_cPgconnCopy, "format=", copy_set_format, 1);
    rb_define_private_method(rb_cPgconnCopy, "set_statement", copy_set_statement, 2);
}
