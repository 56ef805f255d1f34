#include "cursor.h"

#include "error.h"

VALUE rb_cPgconnCursor;

static void
cursor_mark(void *data)
{
    struct pgconn_cursor *cursor = data;

    rb_gc_mark_movable(cursor->connection);
    rb_gc_mark_movable(cursor->result);
    rb_gc_mark_movable(cursor->spare);
    rb_gc_mark_movable(cursor->query);
    rb_gc_mark_movable(cursor->timeout);
    rb_gc_mark_movable(cursor->shape.callable);
}

static void
cursor_compact(void *data)
{
    struct pgconn_cursor *cursor = data;

    cursor->connection = rb_gc_location(cursor->connection);
    cursor->result = rb_gc_location(cursor->result);
    cursor->spare = rb_gc_location(cursor->spare);
    cursor->query = rb_gc_location(cursor->query);
    cursor->timeout = rb_gc_location(cursor->timeout);
    cursor->shape.callable = rb_gc_location(cursor->shape.callable);
}

static size_t
cursor_memsize(const void *data)
{
    (void)data;
    return sizeof(struct pgconn_cursor);
}

static const rb_data_type_t cursor_type = {
    .wrap_struct_name = "Pgconn::Cursor",
    .function = {.dmark = cursor_mark,
                 .dfree = RUBY_DEFAULT_FREE,
                 .dsize = cursor_memsize,
                 .dcompact = cursor_compact},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static VALUE
cursor_allocate(VALUE class)
{
    struct pgconn_cursor *cursor;
    VALUE self = TypedData_Make_Struct(class, struct pgconn_cursor, &cursor_type, cursor);

    cursor->connection = cursor->query = cursor->result = cursor->spare = Qnil;
    cursor->timeout = cursor->shape.callable = Qnil;
    cursor->array_size = 1;
    return self;
}

struct pgconn_cursor *
pgconn_cursor_get(VALUE self)
{
    struct pgconn_cursor *cursor = rb_check_typeddata(self, &cursor_type);

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
    struct pgconn_cursor *cursor = rb_check_typeddata(self, &cursor_type);
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

static VALUE
cursor_timeout(const struct pgconn_cursor *cursor, VALUE timeout)
{
    if (NIL_P(timeout)) timeout = cursor->timeout;
    return pgconn_connection_timeout(cursor->connection, timeout);
}

/* The rows of the last execute go at once: the next ones can have their memory. */
static void
cursor_reset(VALUE self, struct pgconn_cursor *cursor)
{
    if (!NIL_P(cursor->result) && pgconn_result_release(cursor->result)) {
        RB_OBJ_WRITE(self, &cursor->spare, cursor->result);
    }
    RB_OBJ_WRITE(self, &cursor->result, Qnil);
    RB_OBJ_WRITE(self, &cursor->query, Qnil);
    cursor->position = 0;
}

/* The arguments of execute, sorted out. */
struct execute_call {
    VALUE sql;
    VALUE arguments; /* nil, an Array or a Hash */
    VALUE timeout;
};

static VALUE
sql_get(VALUE sql)
{
    VALUE string = rb_check_string_type(sql);

    if (NIL_P(sql)) {
        pgconn_error_raise(rb_ePgconnProgrammingError, "can't execute an empty query");
    }
    if (NIL_P(string)) {
        rb_raise(rb_eTypeError, "SQL must be a String, not %" PRIsVALUE, rb_obj_class(sql));
    }
    return rb_str_new_frozen(string);
}

static VALUE
arguments_get(VALUE params)
{
    VALUE arguments = rb_check_array_type(params);

    if (NIL_P(arguments)) arguments = rb_check_hash_type(params);
    if (NIL_P(arguments)) {
        rb_raise(rb_eTypeError, "parameters must be an Array or a Hash, not %" PRIsVALUE,
                 rb_obj_class(params));
    }
    return arguments;
}

/* Takes timeout: out of the keywords; the others, if any, are parameters by name. */
static void
keywords_take(struct execute_call *call, VALUE keywords)
{
    VALUE named = rb_hash_dup(keywords), timeout = ID2SYM(rb_intern("timeout"));

    call->timeout = rb_hash_delete(named, timeout);
    if (RHASH_EMPTY_P(named)) return;
    if (!NIL_P(call->arguments)) {
        rb_raise(rb_eArgError, "give parameters as an Array, a Hash or keywords, not two of them");
    }
    call->arguments = named;
}

/*
 * Keywords are read here and not by a method in Ruby, which would make a Hash for each call that
 * has none: on the way of every query that is as much as all the rest of the driver's work.
 */
static struct execute_call
execute_call_get(int argc, VALUE *argv)
{
    struct execute_call call = {.arguments = Qnil, .timeout = Qnil};
    VALUE keywords = Qnil;

    if (rb_keyword_given_p()) keywords = argv[--argc];
    rb_check_arity(argc, 1, 2);
    call.sql = sql_get(argv[0]);
    if (argc == 2 && !NIL_P(argv[1])) call.arguments = arguments_get(argv[1]);
    if (!NIL_P(keywords)) keywords_take(&call, keywords);
    return call;
}

static void
cursor_run(VALUE self, const struct execute_call *call)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get_open(self);
    struct pgconn_executor executor = pgconn_connection_executor(cursor->connection);
    struct pgconn_request request;
    VALUE result;

    cursor_reset(self, cursor);
    request = pgconn_answer_request(cursor_timeout(cursor, call->timeout));
    request.sql = call->sql;
    request.arguments = call->arguments;
    request.cursor = self;
    request.registry = executor.registry;
    request.spare = cursor->spare;
    cursor->spare = Qnil;
    result = pgconn_execute(&executor, &request, &cursor->query);
    RB_OBJ_WRITE(self, &cursor->result, result);
    RB_GC_GUARD(self);
}

/*
 * @overload execute(sql, params = nil, timeout: nil, **named)
 *   Executes a statement. Its parameters are bound on the server, as `$1` (then `params` is an
 *   Array) or as `:name` (then they are keywords or a Hash).
 *   @param sql [String] one statement
 *   @param params [Array, Hash, nil] the values of `$1`, `$2`... or of the names
 *   @param timeout [Numeric, nil] seconds after which the statement is cancelled; the cursor's, or
 *     the connection's `statement_timeout`, by default
 *   @param named [Hash{Symbol => Object}] the values of the names; a parameter called `timeout`
 *     needs a Hash as `params`
 *   @return [self]
 *   @raise [Pgconn::ProgrammingError] for empty SQL, COPY, and parameters that don't fit the
 *     statement's
 *   @raise [Pgconn::DataError] for a value that can't be sent
 *   @raise [Pgconn::QueryCanceledError] at the timeout, or when somebody cancelled the statement
 *   @raise [Pgconn::ConnectionLost] if the connection is lost
 *   @raise [Pgconn::InterfaceError] if the cursor or the connection is closed
 *   @raise [Pgconn::DatabaseError] what the server says; see {Pgconn::Errors}
 *   @see https://www.postgresql.org/docs/current/libpq-async.html#LIBPQ-PQSENDQUERYPARAMS
 *     PQsendQueryParams
 */
static VALUE
cursor_execute(int argc, VALUE *argv, VALUE self)
{
    struct execute_call call = execute_call_get(argc, argv);

    cursor_run(self, &call);
    RB_GC_GUARD(call.arguments);
    return self;
}

/* Whether conn.cursor.execute does nothing but what is done here. */
static bool
connection_is_plain(VALUE connection)
{
    return CLASS_OF(connection) == rb_cPgconnConnection &&
           pgconn_connection_cursor_factory(connection) == rb_cPgconnCursor;
}

/*
 * @overload execute(sql, params = nil, timeout: nil, **named)
 *   Executes a statement on a new cursor.
 *   @param (see Pgconn::Cursor#execute)
 *   @return [Pgconn::Cursor] with the result
 *   @raise (see Pgconn::Cursor#execute)
 *   @example
 *     conn.execute("SELECT name FROM users WHERE id = $1", [42]).fetch # => #<Pgconn::Row ...>
 */
static VALUE
connection_execute(int argc, VALUE *argv, VALUE self)
{
    struct execute_call call;
    VALUE cursor;

    if (!connection_is_plain(self)) {
        cursor = rb_funcallv(self, rb_intern("cursor"), 0, NULL);
        return rb_funcallv_kw(cursor, rb_intern("execute"), argc, argv, rb_keyword_given_p());
    }
    call = execute_call_get(argc, argv);
    cursor = cursor_allocate(rb_cPgconnCursor);
    RB_OBJ_WRITE(cursor, &((struct pgconn_cursor *)RTYPEDDATA_DATA(cursor))->connection, self);
    cursor_run(cursor, &call);
    RB_GC_GUARD(call.arguments);
    return cursor;
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
 * @return [Array<Pgconn::Column>, nil] the columns of the result; nil if there is none, or for a
 *   command that gives no rows
 */
static VALUE
cursor_description(VALUE self)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get(self);

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
    struct pgconn_cursor *cursor = pgconn_cursor_get(self);

    return LONG2NUM(NIL_P(cursor->result) ? -1 : pgconn_result_affected(cursor->result));
}

/*
 * @return [Integer, nil] the position of the next row to fetch, counted from 0; nil without a
 *   result
 */
static VALUE
cursor_rownumber(VALUE self)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get(self);

    if (NIL_P(cursor->result) || !pgconn_result_has_rows(cursor->result)) return Qnil;
    return LONG2NUM(cursor->position);
}

/*
 * @return [String, nil] the command tag that the server answered with, such as "INSERT 0 1"
 * @see https://www.postgresql.org/docs/current/libpq-exec.html#LIBPQ-PQCMDSTATUS PQcmdStatus
 */
static VALUE
cursor_statusmessage(VALUE self)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get(self);

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

/*
 * @return [Integer] how many rows {#fetch_many} gives by default: 1
 */
static VALUE
cursor_arraysize(VALUE self)
{
    return LONG2NUM(pgconn_cursor_get(self)->array_size);
}

/*
 * @param size [Integer]
 */
static VALUE
cursor_set_arraysize(VALUE self, VALUE size)
{
    pgconn_cursor_get(self)->array_size = NUM2LONG(size);
    return size;
}

/*
 * Drops the result. A closed cursor can't be used again. Calling it again does nothing.
 * @return [nil]
 */
static VALUE
cursor_close(VALUE self)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get(self);

    cursor_reset(self, cursor);
    cursor->closed = true;
    return Qnil;
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

static void
init_readers(void)
{
    rb_define_method(rb_cPgconnCursor, "arraysize", cursor_arraysize, 0);
    rb_define_method(rb_cPgconnCursor, "closed?", cursor_closed_p, 0);
    rb_define_method(rb_cPgconnCursor, "connection", cursor_connection, 0);
    rb_define_method(rb_cPgconnCursor, "description", cursor_description, 0);
    rb_define_method(rb_cPgconnCursor, "query", cursor_query, 0);
    rb_define_method(rb_cPgconnCursor, "rowcount", cursor_rowcount, 0);
    rb_define_method(rb_cPgconnCursor, "rownumber", cursor_rownumber, 0);
    rb_define_method(rb_cPgconnCursor, "statusmessage", cursor_statusmessage, 0);
}

void
Init_pgconn_cursor(void)
{
    rb_cPgconnCursor = rb_define_class_under(rb_mPgconn, "Cursor", rb_cObject);
    rb_gc_register_mark_object(rb_cPgconnCursor);
    rb_define_alloc_func(rb_cPgconnCursor, cursor_allocate);
    rb_define_private_method(rb_cPgconnCursor, "initialize_copy", pgconn_connection_no_copy, 1);
    init_readers();
    rb_define_private_method(rb_cPgconnCursor, "configure", cursor_configure, 3);
    rb_define_method(rb_cPgconnCursor, "arraysize=", cursor_set_arraysize, 1);
    rb_define_method(rb_cPgconnCursor, "cast", cursor_cast, 2);
    rb_define_method(rb_cPgconnCursor, "close", cursor_close, 0);
    rb_define_method(rb_cPgconnCursor, "execute", cursor_execute, -1);
    rb_define_method(rb_cPgconnConnection, "execute", connection_execute, -1);
    pgconn_cursor_rows_init();
}
