#include "connection.h"

/*
 * @return [#call, nil] what is told of each command
 */
static VALUE
connection_tracer(VALUE self)
{
    return pgconn_connection_get(self)->session.tracer.callable;
}

/*
 * Sets what is told of each command: of each `execute`, and of what methods that control the
 * session send, such as the COMMIT of {#commit}. The BEGIN that travels with a statement belongs to
 * that; what the driver asks for itself isn't told, nor are the savepoints of nested blocks and the
 * ROLLBACK of a block that an exception leaves. The tracer is called with a
 * {Pgconn::TraceEvent} in the caller whose command it was, when the command is done and its result
 * is with the cursor, or when it has raised.
 *
 * What it raises comes out of a command that has succeeded, which stays done. After an error it is
 * the command's own error that comes out, and a StandardError of the tracer's is dropped. What the
 * tracer itself executes, on this connection or another, isn't traced. A command that is left by
 * `throw` or Thread#kill isn't told of.
 * @param tracer [#call, nil] nil: nobody is told
 * @raise [TypeError] if it has no `call`
 * @example
 *   conn.tracer = ->(event) { logger.debug { "#{event.sql} (#{event.seconds} s)" } }
 */
static VALUE
connection_set_tracer(VALUE self, VALUE tracer)
{
    struct pgconn_connection *connection = pgconn_connection_get(self);

    if (!NIL_P(tracer) && !rb_respond_to(tracer, rb_intern("call"))) {
        rb_raise(rb_eTypeError, "a tracer must respond to call(event), and %" PRIsVALUE " doesn't",
                 rb_obj_class(tracer));
    }
    RB_OBJ_WRITE(self, &connection->session.tracer.callable, tracer);
    return tracer;
}

void
pgconn_connection_tracer_init(void)
{
    rb_define_method(rb_cPgconnConnection, "tracer", connection_tracer, 0);
    rb_define_method(rb_cPgconnConnection, "tracer=", connection_set_tracer, 1);
}
