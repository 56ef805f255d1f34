#include "cursor.h"

#include "error.h"
#include "pipeline.h"

VALUE rb_cPgconnCursor;

static void
cursor_mark(void *data)
{
    struct pgconn_cursor *cursor = data;

    rb_gc_mark_movable(cursor->connection);
    rb_gc_mark_movable(cursor->result);
    rb_gc_mark_movable(cursor->further);
    rb_gc_mark_movable(cursor->spare);
    rb_gc_mark_movable(cursor->query);
    rb_gc_mark_movable(cursor->pipeline);
    rb_gc_mark_movable(cursor->failure);
    rb_gc_mark_movable(cursor->timeout);
    rb_gc_mark_movable(cursor->shape.callable);
}

static void
cursor_compact(void *data)
{
    struct pgconn_cursor *cursor = data;

    cursor->connection = rb_gc_location(cursor->connection);
    cursor->result = rb_gc_location(cursor->result);
    cursor->further = rb_gc_location(cursor->further);
    cursor->spare = rb_gc_location(cursor->spare);
    cursor->query = rb_gc_location(cursor->query);
    cursor->pipeline = rb_gc_location(cursor->pipeline);
    cursor->failure = rb_gc_location(cursor->failure);
    cursor->timeout = rb_gc_location(cursor->timeout);
    cursor->shape.callable = rb_gc_location(cursor->shape.callable);
}

static void
cursor_free(void *data)
{
    pgconn_portal_free(((struct pgconn_cursor *)data)->portal);
    xfree(data);
}

static size_t
cursor_memsize(const void *data)
{
    const struct pgconn_cursor *cursor = data;

    return sizeof(*cursor) + (cursor->portal ? sizeof(*cursor->portal) : 0);
}

static const rb_data_type_t cursor_type = {
    .wrap_struct_name = "Pgconn::Cursor",
    .function = {.dmark = cursor_mark,
                 .dfree = cursor_free,
                 .dsize = cursor_memsize,
                 .dcompact = cursor_compact},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

VALUE
pgconn_cursor_allocate(VALUE class)
{
    struct pgconn_cursor *cursor;
    VALUE self = TypedData_Make_Struct(class, struct pgconn_cursor, &cursor_type, cursor);

    cursor->connection = cursor->query = cursor->result = cursor->spare = Qnil;
    cursor->further = cursor->timeout = cursor->shape.callable = Qnil;
    cursor->pipeline = cursor->failure = Qnil;
    cursor->array_size = 1;
    cursor->iter_size = 2000;
    return self;
}

struct pgconn_cursor *
pgconn_cursor_get(VALUE self)
{
    struct pgconn_cursor *cursor = pgconn_typed_data(self, &cursor_type);

    if (NIL_P(cursor->connection)) {
        pgconn_error_raise(rb_ePgconnInterfaceError,
                           "cursor not initialized: does initialize call super?");
    }
    return cursor;
}

struct pgconn_cursor *
pgconn_cursor_get_open(VALUE self)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get(self);

    if (cursor->closed) pgconn_error_raise(rb_ePgconnInterfaceError, "cursor already closed");
    return cursor;
}

struct pgconn_cursor *
pgconn_cursor_get_readable(VALUE self)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get_open(self);

    if (pgconn_connection_is_closed(cursor->connection)) {
        pgconn_connection_get_open(cursor->connection);
    }
    pgconn_cursor_await(self, cursor);
    return cursor;
}

void
pgconn_cursor_await(VALUE self, const struct pgconn_cursor *cursor)
{
    if (!NIL_P(cursor->pipeline)) pgconn_pipeline_await(cursor->pipeline, self);
}

/* What row: may be, besides something with call. */
static const struct shape_name {
    const char *name;
    enum pgconn_row_kind kind;
} shape_names[] = {
    {"array",  PGCONN_ROW_ARRAY },
    {"hash",   PGCONN_ROW_HASH  },
    {"struct", PGCONN_ROW_STRUCT},
};

#define SHAPE_NAMES (sizeof(shape_names) / sizeof(shape_names[0]))

static struct pgconn_row_shape
shape_get(VALUE row)
{
    struct pgconn_row_shape shape = {.kind = PGCONN_ROW, .callable = Qnil};

    if (NIL_P(row)) return shape;
    for (size_t i = 0; i < SHAPE_NAMES; i++) {
        shape.kind = shape_names[i].kind;
        if (row == ID2SYM(rb_intern(shape_names[i].name))) return shape;
    }
    if (!rb_respond_to(row, rb_intern("call"))) {
        rb_raise(rb_eArgError,
                 "row must be nil, :array, :hash, :struct or respond to call(columns, values), not "
                 "%+" PRIsVALUE,
                 row);
    }
    shape.kind = PGCONN_ROW_CALL;
    shape.callable = row;
    return shape;
}

/* Cursor#initialize, with its keywords sorted out. */
static VALUE
cursor_configure(VALUE self, VALUE connection, VALUE row, VALUE timeout)
{
    struct pgconn_cursor *cursor = pgconn_typed_data(self, &cursor_type);
    struct pgconn_row_shape shape = shape_get(row);

    if (!RTEST(rb_obj_is_kind_of(connection, rb_cPgconnConnection))) {
        rb_raise(rb_eTypeError, "a cursor needs a Pgconn::Connection, not %" PRIsVALUE,
                 rb_obj_class(connection));
    }
    pgconn_connection_get_open(connection);
    if (!NIL_P(timeout)) pgconn_wait_seconds(timeout, "timeout");
    cursor->shape.kind = shape.kind;
    RB_OBJ_WRITE(self, &cursor->shape.callable, shape.callable);
    RB_OBJ_WRITE(self, &cursor->timeout, timeout);
    RB_OBJ_WRITE(self, &cursor->connection, connection);
    return self;
}

/* Its rows go at once: the next ones can have their memory. */
void
pgconn_cursor_set_result(VALUE self, struct pgconn_cursor *cursor, VALUE result)
{
    if (!NIL_P(cursor->result) && pgconn_result_release(cursor->result)) {
        RB_OBJ_WRITE(self, &cursor->spare, cursor->result);
    }
    RB_OBJ_WRITE(self, &cursor->result, result);
    cursor->position = 0;
}

static void
cursor_drop_further(VALUE self, struct pgconn_cursor *cursor)
{
    if (NIL_P(cursor->further)) return;
    for (long i = 0; i < RARRAY_LEN(cursor->further); i++) {
        pgconn_result_release(RARRAY_AREF(cursor->further, i));
    }
    RB_OBJ_WRITE(self, &cursor->further, Qnil);
}

void
pgconn_cursor_reset(VALUE self, struct pgconn_cursor *cursor)
{
    pgconn_cursor_set_result(self, cursor, Qnil);
    cursor_drop_further(self, cursor);
    RB_OBJ_WRITE(self, &cursor->query, Qnil);
    RB_OBJ_WRITE(self, &cursor->pipeline, Qnil);
    RB_OBJ_WRITE(self, &cursor->failure, Qnil);
}

/*
 * Reads a value from its text as results of this connection are read.
 * @param oid [Integer] the type's OID
 * @param text [String, nil] as the server writes it, in the client encoding
 * @return [Object, nil] nil for nil
 * @raise [Pgconn::DataError] if the text isn't one of the type
 */
static VALUE
cursor_cast(VALUE self, VALUE oid, VALUE text)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get_open(self);
    VALUE registry = pgconn_connection_registry(cursor->connection), frozen;
    const struct pgconn_codec *codec = pgconn_types_find(registry, NUM2UINT(oid));
    struct pgconn_input input;
    VALUE value;

    if (NIL_P(text)) return Qnil;
    frozen = rb_str_new_frozen(StringValue(text));
    input.data = RSTRING_PTR(frozen);
    input.length = RSTRING_LENINT(frozen);
    input.encoding_index = rb_enc_get_index(frozen);
    value = codec->decode_text(codec, input);
    RB_GC_GUARD(frozen);
    return value;
}

/*
 * Drops the result. A closed cursor can't be used again. Calling it again does nothing.
 * @return [nil]
 */
static VALUE
cursor_close(VALUE self)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get(self);

    pgconn_cursor_reset(self, cursor);
    cursor->closed = true;
    return Qnil;
}

void
Init_pgconn_cursor(void)
{
    rb_cPgconnCursor = rb_define_class_under(rb_mPgconn, "Cursor", rb_cObject);
    rb_gc_register_mark_object(rb_cPgconnCursor);
    rb_define_alloc_func(rb_cPgconnCursor, pgconn_cursor_allocate);
    rb_define_private_method(rb_cPgconnCursor, "initialize_copy", pgconn_connection_no_copy, 1);
    rb_define_private_method(rb_cPgconnCursor, "configure", cursor_configure, 3);
    rb_define_method(rb_cPgconnCursor, "cast", cursor_cast, 2);
    rb_define_method(rb_cPgconnCursor, "close", cursor_close, 0);
    pgconn_cursor_readers_init();
    pgconn_cursor_execute_init();
    pgconn_cursor_execute_many_init();
    pgconn_cursor_pages_init();
    pgconn_cursor_portal_init();
    pgconn_cursor_rows_init();
    pgconn_cursor_stream_init();
}
