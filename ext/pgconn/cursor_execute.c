#include "cursor.h"

#include "error.h"
#include "pipeline.h"

static VALUE
cursor_timeout(const struct pgconn_cursor *cursor, VALUE timeout)
{
    if (NIL_P(timeout)) timeout = cursor->timeout;
    return pgconn_connection_timeout(cursor->connection, timeout);
}

static VALUE rb_mPgconnComposable;

static VALUE
sql_render(VALUE sql, VALUE connection)
{
    if (NIL_P(sql)) pgconn_error_raise(rb_ePgconnProgrammingError, PGCONN_EXECUTION_EMPTY);
    if (!RTEST(rb_obj_is_kind_of(sql, rb_mPgconnComposable))) {
        rb_raise(rb_eTypeError, "SQL must be a String or composed by Pgconn::SQL, not %" PRIsVALUE,
                 rb_obj_class(sql));
    }
    return rb_funcall(sql, rb_intern("to_sql"), 1, connection);
}

VALUE
pgconn_execute_sql_get(VALUE sql, VALUE connection)
{
    VALUE string = rb_check_string_type(sql);

    if (NIL_P(string)) string = sql_render(sql, connection);
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
keywords_take(struct pgconn_execute_call *call, VALUE keywords)
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
struct pgconn_execute_call
pgconn_execute_call_get(int argc, VALUE *argv, VALUE connection)
{
    struct pgconn_execute_call call = {.arguments = Qnil, .timeout = Qnil};
    VALUE keywords = Qnil;

    if (rb_keyword_given_p()) keywords = argv[--argc];
    rb_check_arity(argc, 1, 2);
    call.sql = pgconn_execute_sql_get(argv[0], connection);
    if (argc == 2 && !NIL_P(argv[1])) call.arguments = arguments_get(argv[1]);
    if (!NIL_P(keywords)) keywords_take(&call, keywords);
    return call;
}

struct pgconn_request
pgconn_cursor_start(VALUE self, struct pgconn_cursor *cursor,
                    const struct pgconn_execute_call *call)
{
    struct pgconn_request request;

    pgconn_cursor_reset(self, cursor);
    request = pgconn_answer_request(cursor_timeout(cursor, call->timeout));
    request.sql = call->sql;
    request.arguments = call->arguments;
    request.cursor = self;
    return request;
}

struct pgconn_request
pgconn_cursor_request(VALUE self, struct pgconn_cursor *cursor,
                      const struct pgconn_execute_call *call)
{
    struct pgconn_request request = pgconn_cursor_start(self, cursor, call);

    request.registry = pgconn_connection_registry(cursor->connection);
    request.spare = cursor->spare;
    request.slot = &cursor->result;
    request.further = &cursor->further;
    cursor->spare = Qnil;
    return request;
}

struct run {
    VALUE self;
    const struct pgconn_execute_call *call;
};

static VALUE
run_execute(VALUE argument)
{
    const struct run *run = (const struct run *)argument;
    const struct pgconn_execute_call *call = run->call;
    VALUE self = run->self, result;
    struct pgconn_cursor *cursor = pgconn_cursor_get_open(self);
    struct pgconn_executor executor = pgconn_connection_executor(cursor->connection);
    struct pgconn_request request = pgconn_cursor_request(self, cursor, call);

    result = pgconn_execute(&executor, &request, &cursor->query);
    RB_GC_GUARD(self);
    return result;
}

static void
cursor_run_now(VALUE self, const struct pgconn_execute_call *call)
{
    struct run run = {self, call};
    struct pgconn_cursor *cursor = pgconn_cursor_get(self);
    struct pgconn_session *session = &pgconn_connection_get(cursor->connection)->session;
    struct pgconn_gathered *gathered = pgconn_session_gathered(session);

    if (gathered && pgconn_pipeline_add(gathered, self, call)) return;
    pgconn_tracer_run(&session->tracer, call->sql, run_execute, (VALUE)&run);
    RB_GC_GUARD(self);
}

/* In the operation's fiber, which outlives the call. */
static VALUE
operation_run(VALUE yielded, VALUE array, int argc, const VALUE *argv, VALUE block)
{
    struct pgconn_execute_call call = {
        .sql = rb_ary_entry(array, 1),
        .arguments = rb_ary_entry(array, 2),
        .timeout = rb_ary_entry(array, 3),
    };

    (void)yielded, (void)argc, (void)argv, (void)block;
    cursor_run_now(rb_ary_entry(array, 0), &call);
    RB_GC_GUARD(array);
    return Qnil;
}

static void
cursor_run(VALUE self, const struct pgconn_execute_call *call)
{
    VALUE connection = pgconn_cursor_get(self)->connection, array;

    if (!pgconn_connection_get(connection)->session.async) {
        cursor_run_now(self, call);
        return;
    }
    pgconn_connection_get_open(connection);
    array = rb_ary_new_from_args(4, self, call->sql, call->arguments, call->timeout);
    rb_block_call(connection, rb_intern("begin_operation"), 0, NULL, operation_run, array);
}

/*
 * @overload execute(sql, params = nil, timeout: nil, **named)
 *   Executes a statement. Its parameters are bound on the server, as `$1` (then `params` is an
 *   Array) or as `:name` (then they are keywords or a Hash).
 *
 *   Without parameters the SQL may be several statements, with `;` in between. They go as one
 *   simple query: the first that fails ends them all, its error is raised, and in autocommit what
 *   those before it did is rolled back unless there is a COMMIT among them. The first result is
 *   the current one; {#next_result} goes on to the others. A COPY among them can't be used: it is
 *   ended (FROM STDIN, which is an error) or read to its end (TO STDOUT, the others are executed),
 *   and ProgrammingError is raised.
 *   @param sql [String, Pgconn::SQL::Composable] one statement, or several
 *   @param params [Array, Hash, nil] the values of `$1`, `$2`... or of the names
 *   @param timeout [Numeric, nil] seconds after which the statement is cancelled; the cursor's, or
 *     the connection's `statement_timeout`, by default. Waiting for other callers' statements
 *     counts: a statement whose turn hasn't come by then raises at once, with :not_sent as the
 *     error's `outcome`, or :unknown where it was sent and is cancelled when its turn comes
 *   @param named [Hash{Symbol => Object}] the values of the names; a parameter called `timeout`
 *     needs a Hash as `params`
 *   @return [self]
 *   @raise [Pgconn::ProgrammingError] for empty SQL, COPY, parameters that don't fit the
 *     statement's, and several statements with parameters
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
    VALUE connection = pgconn_cursor_get(self)->connection;
    struct pgconn_execute_call call = pgconn_execute_call_get(argc, argv, connection);

    cursor_run(self, &call);
    RB_GC_GUARD(call.arguments);
    return self;
}

/*
 * Goes on to the result of the next of several statements that were executed in one string.
 * @return [Boolean] whether there was one; if not, there is nothing to fetch any more
 * @raise [Pgconn::InterfaceError] if the cursor or the connection is closed
 * @example
 *   cur.execute("SELECT 1; SELECT 2")
 *   cur.fetch_value # => 1
 *   cur.next_result # => true
 *   cur.fetch_value # => 2
 *   cur.next_result # => false
 */
static VALUE
cursor_next_result(VALUE self)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get_readable(self);
    bool more = !NIL_P(cursor->further) && RARRAY_LEN(cursor->further) > 0;

    pgconn_cursor_set_result(self, cursor, more ? rb_ary_shift(cursor->further) : Qnil);
    return RBOOL(more);
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
    struct pgconn_execute_call call;
    VALUE cursor;

    if (!connection_is_plain(self)) {
        cursor = rb_funcallv(self, rb_intern("cursor"), 0, NULL);
        return rb_funcallv_kw(cursor, rb_intern("execute"), argc, argv, rb_keyword_given_p());
    }
    call = pgconn_execute_call_get(argc, argv, self);
    cursor = pgconn_cursor_allocate(rb_cPgconnCursor);
    RB_OBJ_WRITE(cursor, &((struct pgconn_cursor *)RTYPEDDATA_DATA(cursor))->connection, self);
    cursor_run(cursor, &call);
    RB_GC_GUARD(call.arguments);
    return cursor;
}

void
pgconn_cursor_execute_init(void)
{
    rb_mPgconnComposable = rb_path2class("Pgconn::SQL::Composable");
    rb_gc_register_mark_object(rb_mPgconnComposable);
    rb_define_method(rb_cPgconnCursor, "execute", cursor_execute, -1);
    rb_define_method(rb_cPgconnCursor, "next_result", cursor_next_result, 0);
    rb_define_method(rb_cPgconnConnection, "execute", connection_execute, -1);
}
