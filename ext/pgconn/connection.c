#include "connection.h"

#include "block.h"
#include "connection_info.h"
#include "control.h"

VALUE rb_cPgconnConnection;

static void
connection_mark(void *data)
{
    const struct pgconn_connection *connection = data;
    const struct pgconn_gathered *gathered = connection->session.gathered;

    for (; gathered; gathered = gathered->outer) rb_gc_mark(gathered->object);
    rb_gc_mark_movable(connection->statement_timeout);
    rb_gc_mark_movable(connection->registry);
    rb_gc_mark_movable(connection->cursor_factory);
    rb_gc_mark_movable(connection->xid);
    pgconn_tracer_mark(&connection->session.tracer);
    pgconn_statement_cache_mark(&connection->statements);
    pgconn_inbox_mark(&connection->session.inbox);
    pgconn_line_mark(&connection->session.line);
    pgconn_failures_mark(&connection->session.failures);
}

static void
connection_compact(void *data)
{
    struct pgconn_connection *connection = data;

    connection->statement_timeout = rb_gc_location(connection->statement_timeout);
    connection->registry = rb_gc_location(connection->registry);
    connection->cursor_factory = rb_gc_location(connection->cursor_factory);
    connection->xid = rb_gc_location(connection->xid);
    pgconn_tracer_compact(&connection->session.tracer);
    pgconn_statement_cache_compact(&connection->statements);
    pgconn_inbox_compact(&connection->session.inbox);
}

static void
connection_free(void *data)
{
    struct pgconn_connection *connection = data;

    pgconn_session_destroy(&connection->session);
    xfree(connection);
}

static size_t
connection_memsize(const void *data)
{
    (void)data;
    return sizeof(struct pgconn_connection);
}

/* Not FREE_IMMEDIATELY: PQfinish writes to the socket. */
static const rb_data_type_t connection_type = {
    .wrap_struct_name = "Pgconn::Connection",
    .function = {.dmark = connection_mark,
                 .dfree = connection_free,
                 .dsize = connection_memsize,
                 .dcompact = connection_compact},
    .flags = RUBY_TYPED_WB_PROTECTED,
};

static VALUE
connection_allocate(VALUE class)
{
    struct pgconn_connection *connection;
    VALUE self = TypedData_Make_Struct(class, struct pgconn_connection, &connection_type,
                                       connection);

    pgconn_session_init(&connection->session);
    pgconn_inbox_init(&connection->session.inbox, self);
    pgconn_statement_cache_init(&connection->statements, self, &connection->session);
    connection->statement_timeout = connection->registry = connection->cursor_factory = Qnil;
    connection->xid = Qnil;
    pgconn_tracer_init(&connection->session.tracer, self);
    return self;
}

struct pgconn_connection *
pgconn_connection_get(VALUE self)
{
    struct pgconn_connection *connection = pgconn_typed_data(self, &connection_type);

    if (connection->session.life == PGCONN_SESSION_NEW) {
        pgconn_error_raise(rb_ePgconnInterfaceError,
                           "connection not initialized: does initialize call super?");
    }
    return connection;
}

struct pgconn_session *
pgconn_connection_get_open(VALUE self)
{
    struct pgconn_session *session = &pgconn_connection_get(self)->session;

    if (pgconn_session_inherited(session)) {
        pgconn_error_raise(rb_ePgconnInterfaceError,
                           "connection belongs to the parent process: connect again after fork");
    }
    if (session->life == PGCONN_SESSION_CLOSED) {
        pgconn_error_raise(rb_ePgconnInterfaceError, "connection already closed");
    }
    if (session->life == PGCONN_SESSION_CONNECTING) {
        pgconn_error_raise(rb_ePgconnProgrammingError,
                           "the connection isn't made yet: poll until POLL_OK");
    }
    if (session->life == PGCONN_SESSION_BROKEN) rb_exc_raise(pgconn_answer_loss(session));
    return session;
}

struct pgconn_executor
pgconn_connection_executor(VALUE self)
{
    struct pgconn_executor executor = {.session = pgconn_connection_get_open(self)};
    struct pgconn_connection *connection = pgconn_connection_get(self);

    executor.statements = &connection->statements;
    executor.registry = connection->registry;
    return executor;
}

VALUE
pgconn_connection_cursor_factory(VALUE self)
{
    return pgconn_connection_get(self)->cursor_factory;
}

VALUE
pgconn_connection_registry(VALUE self)
{
    return pgconn_connection_get(self)->registry;
}

bool
pgconn_connection_is_closed(VALUE self)
{
    return pgconn_connection_get(self)->session.life == PGCONN_SESSION_CLOSED;
}

VALUE
pgconn_connection_timeout(VALUE self, VALUE timeout)
{
    return NIL_P(timeout) ? pgconn_connection_get(self)->statement_timeout : timeout;
}

/* Connects to one address: nil, or libpq's text on why not, or :timed_out. */
static VALUE
connection_open_address(VALUE self, VALUE parameters, VALUE timeout)
{
    struct pgconn_connection *connection = pgconn_connection_get(self);
    pgconn_time deadline = NIL_P(timeout) ? PGCONN_NEVER : pgconn_wait_after(NUM2DBL(timeout));
    VALUE failure = pgconn_driver_connect(&connection->session, parameters, deadline);
    PGconn *pg = connection->session.pg;

    if (!NIL_P(failure)) return failure;
    connection->backend_pid = PQbackendPID(pg);
    connection->server_version = PQserverVersion(pg);
    connection->protocol_version = PQprotocolVersion(pg);
    rb_iv_set(self, "@connected_to", pgconn_connection_info(pg));
    return Qnil;
}

/*
 * What connect was told: seconds or nil, seconds, three booleans, a class of cursors. The
 * connection is a closed one from here on, until it is open, and stays so when that fails.
 */
static VALUE
connection_configure(VALUE self, VALUE statement_timeout, VALUE cancel_timeout, VALUE autocommit,
                     VALUE busy_poll, VALUE async, VALUE cursor_factory)
{
    struct pgconn_connection *connection = pgconn_typed_data(self, &connection_type);
    struct pgconn_session *session = &connection->session;

    if (session->life != PGCONN_SESSION_NEW) {
        pgconn_error_raise(rb_ePgconnInterfaceError, "connection already initialized");
    }
    if (!NIL_P(statement_timeout)) {
        session->statement_timeout = pgconn_wait_seconds(statement_timeout, "statement_timeout");
    }
    RB_OBJ_WRITE(self, &connection->statement_timeout, statement_timeout);
    session->cancel_timeout = pgconn_wait_seconds(cancel_timeout, "cancel_timeout");
    session->async = RTEST(async);
    session->autocommit = session->autocommit_by_default = RTEST(autocommit) || session->async;
    session->busy_poll.off = !RTEST(busy_poll);
    RB_OBJ_WRITE(self, &connection->cursor_factory, cursor_factory);
    session->life = PGCONN_SESSION_CLOSED;
    return self;
}

/* A number that the user chose: from minimum on, and such that it fits into an int. */
static int
count_get(VALUE value, const char *name, int minimum)
{
    if (!RB_INTEGER_TYPE_P(value)) {
        rb_raise(rb_eTypeError, "%s must be an Integer, not %" PRIsVALUE, name,
                 rb_obj_class(value));
    }
    if (!FIXNUM_P(value) || FIX2LONG(value) < minimum || FIX2LONG(value) > INT_MAX) {
        rb_raise(rb_eArgError, "%s must be from %d to %d, not %" PRIsVALUE, name, minimum, INT_MAX,
                 value);
    }
    return FIX2INT(value);
}

/*
 * What it was told of statements: how many are kept, when they get a name (or nil), of what types.
 */
static VALUE
connection_configure_statements(VALUE self, VALUE size, VALUE threshold, VALUE registry)
{
    struct pgconn_connection *connection = pgconn_typed_data(self, &connection_type);
    int count = NIL_P(threshold) ? 0 : count_get(threshold, "prepare_threshold", 1);

    pgconn_statement_cache_open(&connection->statements, count_get(size, "statement_cache_size", 0),
                                count);
    RB_OBJ_WRITE(self, &connection->registry, registry);
    return self;
}

VALUE
pgconn_connection_no_copy(VALUE self, VALUE original)
{
    (void)original;
    rb_raise(rb_eTypeError, "can't copy a %" PRIsVALUE, rb_obj_class(self));
}

/*
 * Ends the session. The server rolls back what was not committed. Callers that wait for an
 * answer get an InterfaceError. Calling it again does nothing.
 * @return [nil]
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PQFINISH PQfinish
 */
static VALUE
connection_close(VALUE self)
{
    struct pgconn_session *session = &pgconn_connection_get(self)->session;

    pgconn_session_close(session);
    if (session->async && !pgconn_session_inherited(session)) {
        rb_funcall(self, rb_intern("abandon_operation"), 0);
    }
    return Qnil;
}

/*
 * @return [Boolean] whether the connection was closed or lost. Asks nobody: see {#alive?}
 */
static VALUE
connection_closed_p(VALUE self)
{
    enum pgconn_session_life life = pgconn_connection_get(self)->session.life;

    return RBOOL(life != PGCONN_SESSION_CONNECTING && life != PGCONN_SESSION_OPEN);
}

/*
 * @return [Boolean] whether the connection was lost, as far as is known. Stays true after {#close}
 */
static VALUE
connection_broken_p(VALUE self)
{
    const struct pgconn_session *session = &pgconn_connection_get(self)->session;

    return RBOOL(session->life == PGCONN_SESSION_BROKEN || session->loss);
}

/* A round trip, behind all that is queued: what alive? needs. */
static VALUE
connection_round_trip(VALUE self, VALUE timeout)
{
    pgconn_control_sync(pgconn_connection_get_open(self), timeout);
    RB_GC_GUARD(self);
    return Qnil;
}

/*
 * @return [Integer] the version of libpq that is in use, 150020 for 15.20
 * @see https://www.postgresql.org/docs/current/libpq-misc.html#LIBPQ-PQLIBVERSION PQlibVersion
 */
static VALUE
pgconn_libpq_version(VALUE self)
{
    (void)self;
    return INT2NUM(PQlibVersion());
}

void
Init_pgconn_connection(void)
{
    rb_cPgconnConnection = rb_define_class_under(rb_mPgconn, "Connection", rb_cObject);
    rb_gc_register_mark_object(rb_cPgconnConnection);
    rb_define_alloc_func(rb_cPgconnConnection, connection_allocate);
    rb_define_private_method(rb_cPgconnConnection, "initialize_copy", pgconn_connection_no_copy, 1);
    pgconn_connection_readers_init();
    pgconn_connection_session_init();
    pgconn_connection_transactions_init();
    pgconn_connection_two_phase_init();
    pgconn_connection_tracer_init();
    pgconn_connection_messages_init();
    pgconn_connection_polling_init();
    rb_define_method(rb_cPgconnConnection, "broken?", connection_broken_p, 0);
    rb_define_method(rb_cPgconnConnection, "closed?", connection_closed_p, 0);
    rb_define_method(rb_cPgconnConnection, "close", connection_close, 0);
    rb_define_private_method(rb_cPgconnConnection, "configure", connection_configure, 6);
    rb_define_private_method(rb_cPgconnConnection, "default_cursor_factory",
                             pgconn_connection_cursor_factory, 0);
    rb_define_private_method(rb_cPgconnConnection, "configure_statements",
                             connection_configure_statements, 3);
    rb_define_private_method(rb_cPgconnConnection, "end_transaction_after", pgconn_block_yield, 0);
    rb_define_private_method(rb_cPgconnConnection, "open_address", connection_open_address, 2);
    rb_define_private_method(rb_cPgconnConnection, "round_trip", connection_round_trip, 1);
    rb_define_singleton_method(rb_mPgconn, "libpq_version", pgconn_libpq_version, 0);
}
