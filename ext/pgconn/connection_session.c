#include "boundary.h"
#include "connection_transactions.h"
#include "control.h"
#include "encoding.h"

/*
 * Sets the client encoding, at once: without beginning a transaction, and for no rollback to undo.
 * @param name [String, Encoding] PostgreSQL's name, or Ruby's Encoding
 * @return [String, Encoding] name
 * @raise [Pgconn::ProgrammingError] inside a transaction
 * @raise [ArgumentError, TypeError] for an encoding that PostgreSQL doesn't know, or Ruby has none
 *   like; nothing is changed then
 * @raise [Pgconn::Errors::FeatureNotSupported] if the server can't convert to it; nothing is
 *   changed then
 * @example
 *   conn.client_encoding = "LATIN1"
 *   conn.client_encoding = Encoding::EUC_JP
 * @see https://www.postgresql.org/docs/current/multibyte.html Character Set Support
 */
static VALUE
connection_set_client_encoding(VALUE self, VALUE name)
{
    struct pgconn_session *session =
        pgconn_connection_get_outside(self, "client_encoding can't be changed");
    VALUE sql = rb_enc_sprintf(rb_utf8_encoding(), "SET client_encoding TO '%s'",
                               pg_encoding_to_char(pgconn_encoding_get(name)));
    struct pgconn_flight *flight;
    VALUE result;

    rb_str_freeze(sql);
    do {
        flight = pgconn_control_flight(session, sql);
        flight->outside = "client_encoding can't be changed inside a transaction: "
                          "commit or roll back first";
        pgconn_boundary_mark(flight, PGCONN_BOUNDARY_OUTSIDE, NULL);
    } while (!pgconn_control_wait(session, flight, sql, &result));
    RB_GC_GUARD(self);
    return name;
}

/*
 * Makes the session as new, in one round trip: rolls back what is open, then DISCARD ALL. Settings,
 * the session's role, LISTEN, temporary tables, advisory locks, prepared statements and cursors go;
 * so does what was set by methods of the connection: autocommit is again what {#initialize} was
 * told, and so is the client encoding; the isolation level and its like are left to the server.
 * Types, the tracer, and notices that were not read, stay.
 *
 * A transaction that {#tpc_prepare} prepared stays so on the server: see {#tpc_recover}.
 *
 * Where the call is interrupted, the session is rolled back and as it was, or wholly reset, or in
 * between: the server drops temporary tables last. Call it again then.
 * @return [nil]
 * @raise [Pgconn::ProgrammingError] inside {#transaction}
 * @see https://www.postgresql.org/docs/current/sql-discard.html DISCARD
 */
static VALUE
connection_reset(VALUE self)
{
    struct pgconn_session *session = pgconn_connection_get_outside(self, "reset can't be called");
    VALUE sql = rb_str_freeze(rb_utf8_str_new_cstr("DISCARD ALL")), result;
    struct pgconn_flight *flight;

    do {
        flight = pgconn_control_flight(session, sql);
        flight->resets = flight->forgets = flight->undoes = true;
        pgconn_boundary_mark(flight, PGCONN_BOUNDARY_OUTSIDE, NULL);
    } while (!pgconn_control_wait(session, flight, sql, &result));
    RB_GC_GUARD(self);
    return Qnil;
}

void
pgconn_connection_session_init(void)
{
    rb_define_method(rb_cPgconnConnection, "client_encoding=", connection_set_client_encoding, 1);
    rb_define_method(rb_cPgconnConnection, "reset", connection_reset, 0);
}
