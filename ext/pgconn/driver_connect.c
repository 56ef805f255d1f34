#include "connecting.h"
#include "driver.h"
#include "error.h"

struct connect {
    struct pgconn_session *session;
    VALUE parameters;
    pgconn_time deadline;
};

static VALUE
connect_drive(VALUE arg)
{
    struct connect *connect = (struct connect *)arg;
    struct pgconn_connecting *connecting = connect->session->connecting;
    struct pgconn_stepper stepper = {pgconn_connecting_step, pgconn_connecting_descriptor,
                                     connecting, pgconn_session_connection(connect->session)};
    enum pgconn_wait_end end;
    VALUE failure;

    pgconn_connecting_prepare(connecting, connect->parameters);
    while ((end = pgconn_wait_drive(&stepper, connect->deadline)) == PGCONN_WAIT_INTERRUPTED) {
        pgconn_wait_check_ints();
    }
    if (connect->session->life != PGCONN_SESSION_CONNECTING) {
        pgconn_error_raise(rb_ePgconnInterfaceError, "connection closed while it was being made");
    }
    if (end == PGCONN_WAIT_TIMED_OUT) return ID2SYM(rb_intern("timed_out"));
    if (end == PGCONN_WAIT_FAILED) {
        return rb_utf8_str_new_cstr(connecting->pg ? PQerrorMessage(connecting->pg)
                                                   : "out of memory");
    }
    if (PQprotocolVersion(connecting->pg) != 3) {
        pgconn_error_raise(rb_ePgconnInterfaceError, "the server speaks protocol version %d, not 3",
                           PQprotocolVersion(connecting->pg));
    }
    failure = pgconn_session_open(connect->session, connecting->pg);
    if (NIL_P(failure)) connecting->pg = NULL; /* the session has it */
    return failure;
}

static VALUE
connect_leave(VALUE arg)
{
    struct pgconn_session *session = ((struct connect *)arg)->session;

    pgconn_connecting_free(session->connecting);
    session->connecting = NULL;
    if (session->life == PGCONN_SESSION_CONNECTING) session->life = PGCONN_SESSION_CLOSED;
    return Qnil;
}

VALUE
pgconn_driver_connect(struct pgconn_session *session, VALUE parameters, pgconn_time deadline)
{
    struct connect connect = {.session = session, .parameters = parameters, .deadline = deadline};

    session->connecting = pgconn_connecting_new(&session->messages);
    session->life = PGCONN_SESSION_CONNECTING;
    return rb_ensure(connect_drive, (VALUE)&connect, connect_leave, (VALUE)&connect);
}
