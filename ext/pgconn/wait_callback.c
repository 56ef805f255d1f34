#include "wait.h"

#include <ruby/ractor.h>

/* What each Ractor has set. */
static rb_ractor_local_key_t callback_key;

/* Whether any was ever set: most programs have none. */
static bool callbacks_used;

VALUE
pgconn_wait_callback(void)
{
    VALUE callback;

    if (!callbacks_used || !rb_ractor_local_storage_value_lookup(callback_key, &callback)) {
        return Qnil;
    }
    return callback;
}

/*
 * @return [#call, nil] what waits for connections, as {.wait_callback=} has set it
 */
static VALUE
wait_callback(VALUE self)
{
    (void)self;
    return pgconn_wait_callback();
}

/*
 * Sets what waits for connections, in the whole process: the calls of all that aren't made with
 * `async: true` then wait by calling it, instead of in the thread or by a Fiber scheduler. It is
 * called with the connection, and has to return when the connection's `poll` says POLL_OK; between
 * two polls it waits as it likes for what `poll` says, on the connection's `to_io`, which may
 * change from one to the next. A call may take several such waits, or none.
 *
 * What it raises, or throws, comes out of the call, which is abandoned, and its statement
 * cancelled; a connection that is being made is closed. It must not execute anything on the
 * connection itself, but may cancel or close it.
 *
 * Another Ractor than the main one has a callback of its own.
 * @param callback [#call, nil] nil: none
 * @return [#call, nil]
 * @raise [TypeError] if it can't be called
 * @example
 *   Pgconn.wait_callback = lambda do |conn|
 *     until (events = conn.poll) == Pgconn::POLL_OK
 *       conn.to_io.wait(events, nil)
 *     end
 *   end
 * @see Pgconn::Connection#poll
 */
static VALUE
set_wait_callback(VALUE self, VALUE callback)
{
    (void)self;
    if (!NIL_P(callback) && !rb_respond_to(callback, rb_intern("call"))) {
        rb_raise(rb_eTypeError, "a wait callback must respond to call(conn), not %" PRIsVALUE,
                 rb_obj_class(callback));
    }
    callbacks_used = true;
    rb_ractor_local_storage_value_set(callback_key, callback);
    return callback;
}

void
Init_pgconn_wait_callback(void)
{
    callback_key = rb_ractor_local_storage_value_newkey();
    rb_define_singleton_method(rb_mPgconn, "wait_callback", wait_callback, 0);
    rb_define_singleton_method(rb_mPgconn, "get_wait_callback", wait_callback, 0);
    rb_define_singleton_method(rb_mPgconn, "wait_callback=", set_wait_callback, 1);
    rb_define_singleton_method(rb_mPgconn, "set_wait_callback", set_wait_callback, 1);
}
