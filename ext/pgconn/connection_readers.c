#include "connection.h"

/*
 * @return [Integer, nil] the process ID of the server process, nil once the connection has ended
 * @see https://www.postgresql.org/docs/current/libpq-status.html#LIBPQ-PQBACKENDPID PQbackendPID
 */
static VALUE
connection_backend_pid(VALUE self)
{
    const struct pgconn_connection *connection = pgconn_connection_get(self);

    return connection->session.life == PGCONN_SESSION_OPEN ? INT2NUM(connection->backend_pid)
                                                           : Qnil;
}

/*
 * @return [Integer] the server's version, 150020 for 15.20
 * @see https://www.postgresql.org/docs/current/libpq-status.html#LIBPQ-PQSERVERVERSION
 *   PQserverVersion
 */
static VALUE
connection_server_version(VALUE self)
{
    return INT2NUM(pgconn_connection_get(self)->server_version);
}

/*
 * @return [Integer] the version of the frontend/backend protocol: 3
 * @see https://www.postgresql.org/docs/current/libpq-status.html#LIBPQ-PQPROTOCOLVERSION
 *   PQprotocolVersion
 */
static VALUE
connection_protocol_version(VALUE self)
{
    return INT2NUM(pgconn_connection_get(self)->protocol_version);
}

/*
 * @param name [String, Symbol] such as "server_encoding" or "TimeZone"
 * @return [String, nil] the value that the server last reported; nil for parameters it doesn't
 *   report
 * @see https://www.postgresql.org/docs/current/libpq-status.html#LIBPQ-PQPARAMETERSTATUS
 *   PQparameterStatus
 */
static VALUE
connection_parameter_status(VALUE self, VALUE name)
{
    VALUE string = RB_SYMBOL_P(name) ? rb_sym2str(name) : name;

    return pgconn_session_parameter(&pgconn_connection_get(self)->session, StringValueCStr(string));
}

/* Whether there are answers to come that nobody waits for: of what was left, say. */
static bool
session_is_left_to_itself(const struct pgconn_session *session)
{
    return session->life == PGCONN_SESSION_OPEN && session->queue.head && !session->driver &&
           !pgconn_session_inherited(session);
}

/*
 * @return [Integer] one of the TRANSACTION_STATUS constants, as of the last answer that has come; a
 *   statement that is under way makes it TRANSACTION_STATUS_ACTIVE
 * @see https://www.postgresql.org/docs/current/libpq-status.html#LIBPQ-PQTRANSACTIONSTATUS
 *   PQtransactionStatus
 */
static VALUE
connection_transaction_status(VALUE self)
{
    struct pgconn_session *session = &pgconn_connection_get(self)->session;

    if (session_is_left_to_itself(session)) pgconn_driver_take_in(session);
    if (session->life != PGCONN_SESSION_OPEN) return INT2NUM(PQTRANS_UNKNOWN);
    return INT2NUM(session->queue.head ? PQTRANS_ACTIVE : session->transaction);
}

/* The STATUS constants of lib/pgconn/constants.rb. */
enum connection_status {
    STATUS_SETUP = 0,
    STATUS_READY = 1,
    STATUS_BEGIN = 2,
    STATUS_PREPARED = 5,
};

/*
 * @return [Integer] one of the STATUS constants, as of the last answer: STATUS_BEGIN in a
 *   transaction, also in a failed one, and from {Connection#tpc_begin} on; STATUS_PREPARED from
 *   {Connection#tpc_prepare} to {Connection#tpc_commit} or {Connection#tpc_rollback};
 *   STATUS_READY otherwise. A connection that was closed or lost has its last one
 */
static VALUE
connection_status(VALUE self)
{
    const struct pgconn_session *session = &pgconn_connection_get(self)->session;

    if (session->transaction == PQTRANS_UNKNOWN) return INT2NUM(STATUS_SETUP);
    if (session->two_phase.stage == PGCONN_TWO_PHASE_PREPARED) return INT2NUM(STATUS_PREPARED);
    return INT2NUM(pgconn_session_is_in_transaction(session) ? STATUS_BEGIN : STATUS_READY);
}

/*
 * @return [Encoding] of the strings that the session sends and receives, whoever has chosen it;
 *   ASCII-8BIT where PostgreSQL's is SQL_ASCII
 */
static VALUE
connection_encoding(VALUE self)
{
    const struct pgconn_session *session = &pgconn_connection_get(self)->session;

    return rb_enc_from_encoding(rb_enc_from_index(session->settings.encoding_index));
}

/*
 * @return [String] PostgreSQL's name for it, such as "UTF8"
 * @see https://www.postgresql.org/docs/current/multibyte.html Character Set Support
 */
static VALUE
connection_client_encoding(VALUE self)
{
    const struct pgconn_session *session = &pgconn_connection_get(self)->session;

    return rb_utf8_str_new_cstr(pg_encoding_to_char(session->client_encoding));
}

void
pgconn_connection_readers_init(void)
{
    rb_define_method(rb_cPgconnConnection, "backend_pid", connection_backend_pid, 0);
    rb_define_method(rb_cPgconnConnection, "client_encoding", connection_client_encoding, 0);
    rb_define_method(rb_cPgconnConnection, "encoding", connection_encoding, 0);
    rb_define_method(rb_cPgconnConnection, "parameter_status", connection_parameter_status, 1);
    rb_define_method(rb_cPgconnConnection, "protocol_version", connection_protocol_version, 0);
    rb_define_method(rb_cPgconnConnection, "server_version", connection_server_version, 0);
    rb_define_method(rb_cPgconnConnection, "status", connection_status, 0);
    rb_define_method(rb_cPgconnConnection, "transaction_status", connection_transaction_status, 0);
}
