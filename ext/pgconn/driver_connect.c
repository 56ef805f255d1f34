#include "connecting.h"
#include "driver.h"
#include "error.h"

struct connect {
    struct pgconn_session *session;
    struct pgconn_connecting connecting;
    VALUE parameters;
    pgconn_time deadline;
};

static VALUE
connect_drive(VALUE arg)
{
    struct connect *connect = (struct connect *)arg;
    struct pgconn_connecting *connecting = &connect->connecting;
    struct pgconn_stepper stepper = {pgconn_connecting_step, pgconn_connecting_descriptor,
                                     connecting, pgconn_session_connection(connect->session)};
    enum pgconn_wait_end end;
    VALUE failure;

    pgconn_connecting_init(connecting, connect->parameters, &connect->session->messages);
    while ((end = pgconn_wait_drive(&stepper, connect->deadline)) == PGCONN_WAIT_INTERRUPTED) {
        pgconn_wait_check_ints();
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
    pgconn_connecting_free(&((struct connect *)arg)->connecting);
    return Qnil;
}

VALUE
pgconn_driver_connect(struct pgconn_session *session, VALUE parameters, pgconn_time deadline)
{
    struct connect connect = {.session = session, .parameters = parameters, .deadline = deadline};

    return rb_ensure(connect_drive, (VALUE)&connect, connect_leave, (VALUE)&connect);
}
