#include "connection.h"
#include "delivery.h"

/* A step of the calling fiber's wait, for a wait callback: events; nil where none is under way. */
static VALUE
connection_poll_wait(VALUE self)
{
    /* A forked child would read its parent's answer. */
    if (pgconn_session_inherited(&pgconn_connection_get(self)->session)) {
        pgconn_connection_get_open(self);
    }
    return pgconn_wait_poll(self);
}

/* What that waits for, an IO; or nil. */
static VALUE
connection_wait_io(VALUE self)
{
    return pgconn_wait_io(self);
}

/* Takes in what the server has said unasked, and calls the handlers. */
static VALUE
connection_take_in(VALUE self)
{
    struct pgconn_session *session = pgconn_connection_get_open(self);

    pgconn_driver_take_in(session);
    pgconn_delivery_run(session);
    pgconn_connection_get_open(self);
    return Qnil;
}

/* The socket's descriptor. */
static VALUE
connection_socket(VALUE self)
{
    return INT2NUM(PQsocket(pgconn_connection_get_open(self)->pg));
}

/* Makes the calling fiber an operation of the connection: its waits are poll's to make. */
static VALUE
connection_enter_operation(VALUE self)
{
    pgconn_wait_enter_operation(self);
    return Qnil;
}

/*
 * @return [Boolean] whether it was made with `async: true`
 */
static VALUE
connection_async_p(VALUE self)
{
    return RBOOL(pgconn_connection_get(self)->session.async);
}

void
pgconn_connection_polling_init(void)
{
    rb_define_method(rb_cPgconnConnection, "async?", connection_async_p, 0);
    rb_define_private_method(rb_cPgconnConnection, "enter_operation", connection_enter_operation,
                             0);
    rb_define_private_method(rb_cPgconnConnection, "poll_wait", connection_poll_wait, 0);
    rb_define_private_method(rb_cPgconnConnection, "socket", connection_socket, 0);
    rb_define_private_method(rb_cPgconnConnection, "take_in", connection_take_in, 0);
    rb_define_private_method(rb_cPgconnConnection, "wait_io", connection_wait_io, 0);
}
