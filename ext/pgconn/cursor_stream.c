#include "cursor.h"
#include "transaction.h"

#include <limits.h>

static VALUE rb_cPgconnStream;

/*
 * One run of a stream, a Ruby object: an Enumerator that is read from outside has a Fiber of its
 * own, which may be collected in the middle of it.
 */
struct stream {
    struct pgconn_execute_call call;
    struct pgconn_request request;
    VALUE cursor;
    VALUE result;                 /* describes the rows; nil until some have come */
    struct pgconn_flight *flight; /* while it waits for us, linked; or NULL */
    struct pgconn_buffer bytes;   /* of rows that have come */
    size_t read;                  /* how many of them were */
    struct pgconn_row_maker maker;
};

static void
stream_mark(void *data)
{
    const struct stream *stream = data;

    rb_gc_mark(stream->call.sql);
    rb_gc_mark(stream->call.arguments);
    rb_gc_mark(stream->call.timeout);
    rb_gc_mark(stream->cursor);
    rb_gc_mark(stream->result);
    pgconn_answer_mark_request(&stream->request);
    pgconn_row_maker_mark(&stream->maker);
    if (stream->flight) rb_gc_mark(stream->flight->transfer->thread);
}

static void
stream_free(void *data)
{
    struct stream *stream = data;

    if (stream->flight) pgconn_driver_forsake(stream->flight);
    pgconn_buffer_free(&stream->bytes);
    pgconn_row_maker_finish(&stream->maker);
    xfree(stream);
}

static size_t
stream_memsize(const void *data)
{
    const struct stream *stream = data;

    return sizeof(*stream) + stream->bytes.capacity;
}

/* Without compaction: the request is looked at while others run. Not WB_PROTECTED for the same. */
static const rb_data_type_t stream_type = {
    .wrap_struct_name = "Pgconn::Stream",
    .function = {.dmark = stream_mark, .dfree = stream_free, .dsize = stream_memsize},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY,
};

static VALUE
stream_new(VALUE cursor, const struct pgconn_execute_call *call)
{
    struct stream *stream;
    VALUE self = TypedData_Make_Struct(rb_cPgconnStream, struct stream, &stream_type, stream);

    stream->call = *call;
    stream->cursor = cursor;
    stream->result = Qnil;
    stream->request = pgconn_answer_request(Qnil);
    return self;
}

static struct pgconn_cursor *
stream_cursor(const struct stream *stream)
{
    return pgconn_cursor_get(stream->cursor);
}

/* Whether the cursor's result is the stream's still: its block may have executed something. */
static bool
stream_is_current(const struct stream *stream)
{
    return !NIL_P(stream->result) && stream_cursor(stream)->result == stream->result;
}

/* Makes a description of its rows the cursor's result. */
static void
stream_begin(struct stream *stream, VALUE result)
{
    struct pgconn_cursor *cursor = stream_cursor(stream);

    stream->result = result;
    pgconn_result_get(result)->users++;
    pgconn_cursor_set_result(stream->cursor, cursor, result);
    stream->maker.shape = &cursor->shape;
    pgconn_row_maker_start(&stream->maker, result, LONG_MAX);
}

/* The result with which it has begun: of rows that are to come, or of a statement without any. */
static VALUE
stream_execute(struct stream *stream)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get_open(stream->cursor);
    struct pgconn_executor executor = pgconn_connection_executor(cursor->connection);
    VALUE result;

    pgconn_answer_check_caller(executor.session);
    stream->request = pgconn_cursor_request(stream->cursor, cursor, &stream->call);
    stream->request.paused = &stream->flight;
    stream->request.enumerator = cursor->enumerator;
    result = pgconn_execute(&executor, &stream->request, &cursor->query);
    if (stream->flight) stream_begin(stream, result);
    return result;
}

/* Goes on until it waits for us again, or has ended: then its result is the cursor's. */
static void
stream_resume(struct stream *stream)
{
    VALUE connection = stream_cursor(stream)->connection, result;
    struct pgconn_session *session = pgconn_connection_get_open(connection);
    struct pgconn_flight *flight = stream->flight;
    long count = pgconn_result_affected(stream->result);

    switch (pgconn_answer_resume(session, flight, &stream->request, &result)) {
    case PGCONN_ANSWER_PAUSED:
        pgconn_flight_link(flight, &stream->flight);
        break;
    default:
        pgconn_result_set_affected(result, count);
    }
}

/* Others may have ended it once its time was over, and who rewinds its Enumerator from within. */
static void
stream_check(const struct stream *stream)
{
    pgconn_answer_check_time(&stream->request, "unknown");
    if (stream->flight) return;
    pgconn_error_raise(rb_ePgconnProgrammingError, "the stream was ended by rewind");
}

/* Takes what has come, once all that had come before was read. False at the end. */
static bool
stream_receive(struct stream *stream)
{
    struct pgconn_buffer come;

    stream_check(stream);
    if (stream->flight->transfer->bytes.length == 0) stream_resume(stream);
    if (!stream->flight) return false;
    stream->bytes.length = stream->read = 0;
    come = stream->flight->transfer->bytes;
    stream->flight->transfer->bytes = stream->bytes;
    stream->bytes = come;
    return true;
}

/* What is in the buffer is as pgconn_transfer_take_row puts it. */
static int
stream_take_int(struct stream *stream)
{
    int number;

    memcpy(&number, stream->bytes.data + stream->read, sizeof(number));
    stream->read += sizeof(number);
    return number;
}

static VALUE
stream_next_row(struct stream *stream, const struct pgconn_plan *plan, VALUE *values)
{
    const struct pgconn_result *result = pgconn_result_get(stream->result);

    stream_take_int(stream);
    for (int column = 0; column < plan->count; column++) {
        int length = stream_take_int(stream);
        struct pgconn_input input = {stream->bytes.data + stream->read, length,
                                     result->encoding_index};

        if (length >= 0) stream->read += (size_t)length + 1;
        values[column] = pgconn_plan_decode(plan, column, result->binary, input);
    }
    return pgconn_row_maker_make(&stream->maker, values);
}

/* What the cursor says of its place goes on with each row. */
static void
stream_count_row(struct stream *stream, long count)
{
    if (!stream_is_current(stream)) return;
    pgconn_result_set_affected(stream->result, count);
    stream_cursor(stream)->position = count;
}

static void
stream_yield(struct stream *stream)
{
    const struct pgconn_plan *plan = pgconn_plan_get(stream->maker.plan);
    VALUE buffer, row, *values = ALLOCV_N(VALUE, buffer, plan->count);
    long count = 0;

    /* A decoder may run the collector, which looks at all of a buffer on the heap. */
    rb_mem_clear(values, plan->count);
    while (stream_receive(stream)) {
        while (stream->read < stream->bytes.length) {
            pgconn_answer_check_time(&stream->request, "unknown");
            row = stream_next_row(stream, plan, values);
            stream_count_row(stream, ++count);
            rb_yield(row);
        }
    }
    ALLOCV_END(buffer);
}

static VALUE
stream_body(VALUE self)
{
    struct stream *stream = RTYPEDDATA_DATA(self);
    VALUE result = stream_execute(stream);

    if (!stream->flight) return result;
    stream_yield(stream);
    return stream_cursor(stream)->result;
}

/* However it was left: what is still to come is cancelled, and its rows aren't the cursor's. */
static VALUE
stream_end(VALUE self)
{
    struct stream *stream = RTYPEDDATA_DATA(self);
    struct pgconn_flight *flight = stream->flight;
    struct pgconn_cursor *cursor = stream_cursor(stream);

    if (flight) pgconn_driver_drop(&pgconn_connection_get(cursor->connection)->session, flight);
    if (NIL_P(stream->result)) return Qnil;
    pgconn_row_maker_finish(&stream->maker);
    pgconn_result_get(stream->result)->users--;
    if (stream_is_current(stream)) pgconn_cursor_set_result(stream->cursor, cursor, Qnil);
    return Qnil;
}

static VALUE
stream_run(VALUE self)
{
    return rb_ensure(stream_body, self, stream_end, self);
}

/* By one of its own methods, for who calls this. */
static VALUE
cursor_enumerator(VALUE self, const char *method, int argc, const VALUE *argv)
{
    pgconn_cursor_get(self)->enumerator = pgconn_caller_current();
    return rb_enumeratorize_with_size_kw(self, ID2SYM(rb_intern(method)), argc, argv, NULL,
                                         rb_keyword_given_p());
}

/*
 * @overload stream(sql, params = nil, timeout: nil, **named)
 *   Executes one statement and yields its rows as they arrive, however many there are, without
 *   keeping them. It holds the connection until its end: other callers wait for it, and what its
 *   own block executes on the connection raises ProgrammingError. While the block runs nothing is
 *   read, and the server waits.
 *
 *   Leaving the block early, by `break` or an exception, has the server cancel the statement; the
 *   connection can be used at once. But in a transaction that fails the transaction, unless all
 *   rows had arrived: where that may happen use autocommit, or a named cursor, which can also be
 *   read while other statements are executed.
 *
 *   {#rowcount} counts the rows as they are yielded; afterwards none are left to fetch.
 *   @param params (see #execute)
 *   @param timeout [Numeric, nil] seconds for all of it, what the block takes included; see
 *     {#execute}
 *   @param named (see #execute)
 *   @yieldparam row [Pgconn::Row, Object] as the cursor's `row:` says
 *   @return [self, Enumerator] without a block an Enumerator, which executes the statement each
 *     time that it is enumerated, and keeps to the same rules between two calls of `next`;
 *     `rewind` leaves it early. Under a Fiber scheduler it is for the fiber that has made it
 *   @raise [Pgconn::ProgrammingError] for several statements in one string, on async connections,
 *     and in the block of another stream or COPY of the same caller
 *   @raise [Pgconn::QueryCanceledError] once its time is over; whether the server had done the
 *     statement by then isn't known (`outcome` `:unknown`), unless it says that it has cancelled it
 *   @raise [Pgconn::DatabaseError] what the server says, after the rows that came before it
 *   @raise (see #execute)
 *   @example
 *     cur.stream("SELECT id, name FROM users") { |id, name| puts "#{id}: #{name}" }
 *     cur.stream("SELECT id FROM users ORDER BY id").lazy.select { |id,| id.odd? }.first(10)
 *   @see https://www.postgresql.org/docs/current/libpq-single-row-mode.html Retrieving Query
 *     Results in Chunks
 */
static VALUE
cursor_stream(int argc, VALUE *argv, VALUE self)
{
    VALUE connection = pgconn_cursor_get(self)->connection, stream;
    struct pgconn_execute_call call;

    if (!rb_block_given_p()) return cursor_enumerator(self, "stream", argc, argv);
    call = pgconn_execute_call_get(argc, argv, connection);
    stream = stream_new(self, &call);
    pgconn_tracer_run(&pgconn_connection_get(connection)->session.tracer, call.sql, stream_run,
                      stream);
    RB_GC_GUARD(stream);
    return self;
}

/* @return [Enumerator] of what copy_rows yields, which gets the same arguments */
static VALUE
cursor_copy_enumerator(int argc, VALUE *argv, VALUE self)
{
    return cursor_enumerator(self, "copy_rows", argc, argv);
}

/* This caller's stream or COPY OUT of this cursor, which waits for it; or NULL. */
static struct pgconn_flight *
cursor_paused_reading(const struct pgconn_cursor *cursor)
{
    const struct pgconn_session *session = &pgconn_connection_get(cursor->connection)->session;
    struct pgconn_flight *flight = session->queue.paused;

    if (!flight || flight->transfer->kind == PGCONN_COPY_IN) return NULL;
    if (!pgconn_transfer_waits_for(flight->transfer, pgconn_caller_current())) return NULL;
    return pgconn_flight_asked(flight)->cursor == cursor ? flight : NULL;
}

/*
 * Enumerator#rewind calls it. What was read by `next` is never gone on with then, and would hold
 * the connection until it is collected.
 */
static VALUE
cursor_rewind(VALUE self)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get(self);
    struct pgconn_session *session = &pgconn_connection_get(cursor->connection)->session;
    struct pgconn_flight *flight = cursor_paused_reading(cursor);
    bool copies;

    if (!flight) return Qnil;
    copies = flight->transfer->kind == PGCONN_COPY_OUT;
    pgconn_driver_drop(session, flight);
    if (copies) pgconn_transaction_abandon(session);
    pgconn_cursor_set_result(self, cursor, Qnil);
    return Qnil;
}

void
pgconn_cursor_stream_init(void)
{
    rb_cPgconnStream = rb_class_new(rb_cObject);
    rb_gc_register_mark_object(rb_cPgconnStream);
    rb_undef_alloc_func(rb_cPgconnStream);
    rb_define_method(rb_cPgconnCursor, "stream", cursor_stream, -1);
    rb_define_private_method(rb_cPgconnCursor, "rewind", cursor_rewind, 0);
    rb_define_private_method(rb_cPgconnCursor, "copy_enumerator", cursor_copy_enumerator, -1);
}
