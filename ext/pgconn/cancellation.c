#include "cursor.h"

/* What the connection executes or, with a cursor, only what that one does. */
static void
cancel(VALUE connection, const struct pgconn_cursor *cursor)
{
    struct pgconn_session *session = pgconn_connection_get_open(connection);
    char message[PGCONN_CANCEL_MESSAGE_SIZE];

    if (session->two_phase.stage == PGCONN_TWO_PHASE_PREPARED) {
        pgconn_error_raise(rb_ePgconnProgrammingError,
                           "there is nothing to cancel while a transaction is prepared");
    }
    pgconn_driver_cancel(session, cursor, pgconn_wait_after(session->cancel_timeout), message,
                         sizeof(message));
    RB_GC_GUARD(connection);
    if (*message) pgconn_error_raise(rb_ePgconnOperationalError, "%s", message);
}

/*
 * Asks the server to cancel the statement that is being executed, whoever sent it. May be called
 * from any thread; the cancelled call raises {QueryCanceledError}. Does nothing if none is.
 * @return [nil]
 * @raise [Pgconn::OperationalError] if the request could not be delivered within cancel_timeout
 * @raise [Pgconn::ProgrammingError] while a transaction is prepared
 * @see Pgconn::Cursor#cancel Cursor#cancel, which cancels only its own
 * @see https://www.postgresql.org/docs/current/libpq-cancel.html PQcancel
 */
static VALUE
connection_cancel(VALUE self)
{
    cancel(self, NULL);
    return Qnil;
}

/*
 * Asks the server to cancel the statement that this cursor is executing, from another thread; that
 * call raises {QueryCanceledError}. A statement that wasn't sent yet never runs, its error's
 * `outcome` is :not_sent; one that was sent behind another caller's is cancelled when its turn
 * comes. In a pipeline it cancels what was sent together. Waits for no statement, and does nothing
 * if none of this cursor's is being executed.
 * @return [nil]
 * @raise [Pgconn::OperationalError] if the request could not be delivered within cancel_timeout
 * @raise [Pgconn::ProgrammingError] while a transaction is prepared
 * @raise [Pgconn::InterfaceError] if the cursor or the connection is closed
 * @raise [Pgconn::ConnectionLost] if the connection is lost
 * @see Pgconn::Connection#cancel Connection#cancel, which cancels whatever is being executed
 * @see https://www.postgresql.org/docs/current/libpq-cancel.html PQcancel
 */
static VALUE
cursor_cancel(VALUE self)
{
    const struct pgconn_cursor *cursor = pgconn_cursor_get_open(self);

    cancel(cursor->connection, cursor);
    RB_GC_GUARD(self);
    return Qnil;
}

void
Init_pgconn_cancellation(void)
{
    rb_define_method(rb_cPgconnConnection, "cancel", connection_cancel, 0);
    rb_define_method(rb_cPgconnCursor, "cancel", cursor_cancel, 0);
}
