/*
 * Pgconn::Connection: checks its arguments, hands down to the session, turns its ends into
 * exceptions; what it knows of its session without asking is in connection_readers.c, what
 * the server says unasked in connection_messages.c.
 */
#ifndef PGCONN_CONNECTION_H
#define PGCONN_CONNECTION_H

#include "execution.h"

struct pgconn_connection {
    struct pgconn_session session;
    struct pgconn_statement_cache statements;
    VALUE registry;          /* of types */
    VALUE cursor_factory;    /* Pgconn::Cursor or a subclass */
    VALUE statement_timeout; /* nil or a Numeric of seconds */
    VALUE xid;               /* of the two-phase transaction, as a literal of SQL */
    int backend_pid;
    int server_version;
    int protocol_version;
};

extern VALUE rb_cPgconnConnection;

/* Raises InterfaceError where initialize didn't run. */
struct pgconn_connection *pgconn_connection_get(VALUE self);

/* Define the methods of the other files, each called connection_... */
void pgconn_connection_readers_init(void);
void pgconn_connection_tracer_init(void);
void pgconn_connection_session_init(void);
void pgconn_connection_transactions_init(void);
void pgconn_connection_two_phase_init(void);
void pgconn_connection_messages_init(void);
void pgconn_connection_polling_init(void);

/* The session of a connection that may talk. Raises InterfaceError or ConnectionLost otherwise. */
struct pgconn_session *pgconn_connection_get_open(VALUE self);

/* What it has for executing statements. Raises as above. */
struct pgconn_executor pgconn_connection_executor(VALUE self);

/* The registry of its types, a Pgconn::Types::Registry. */
VALUE pgconn_connection_registry(VALUE self);

/* The class of the cursors that it makes. */
VALUE pgconn_connection_cursor_factory(VALUE self);

/* Whether close was called; a lost connection is not closed. */
bool pgconn_connection_is_closed(VALUE self);

/* initialize_copy of what stands for something on the server: raises TypeError. */
VALUE pgconn_connection_no_copy(VALUE self, VALUE original);

/* The connection's default for `timeout:` where that is nil; nil: no deadline. */
VALUE pgconn_connection_timeout(VALUE self, VALUE timeout);

#endif
