#include "delivery.h"

struct delivery {
    struct pgconn_session *session;
    VALUE first; /* the first notification that was delivered, or nil */
};

void
pgconn_delivery_collect(struct pgconn_session *session)
{
    struct pgconn_inbox *inbox = &session->inbox;

    if (pgconn_session_inherited(session)) return;
    if (session->messages.incoming.first) {
        pgconn_session_lock(session);
        pgconn_message_list_move(&session->messages.incoming, &inbox->arrived);
        pgconn_session_unlock(session);
    }
    if (inbox->arrived.first) pgconn_inbox_sort(inbox, session->settings.encoding_index);
}

bool
pgconn_delivery_is_under_way(const struct pgconn_session *session)
{
    return session->inbox.deliverer == pgconn_caller_object();
}

/* An interrupt comes out before the message has left the inbox, or in the handler. */
static void
delivery_call_one(struct delivery *delivery)
{
    VALUE handler, message;

    rb_thread_check_ints();
    pgconn_inbox_shift(&delivery->session->inbox, &handler, &message);
    if (NIL_P(handler)) return;
    if (NIL_P(delivery->first) && pgconn_inbox_is_notify(message)) delivery->first = message;
    rb_funcall(handler, rb_intern("call"), 1, message);
}

/*
 * What a handler's own commands bring waits for the next command: a handler that brings forth what
 * it handles would never end. What others have left to this thread is delivered by it, but not for
 * ever either: a caller that is in a command now will deliver after that.
 */
static VALUE
delivery_call_all(VALUE arg)
{
    struct delivery *delivery = (struct delivery *)arg;
    struct pgconn_session *session = delivery->session;
    struct pgconn_inbox *inbox = &session->inbox;
    long count;

    do {
        inbox->deferred = false;
        for (count = RARRAY_LEN(inbox->deliveries); count > 0; count--) delivery_call_one(delivery);
        if (inbox->deferred) pgconn_delivery_collect(session);
    } while (inbox->deferred && !session->queue.head);
    return Qnil;
}

/* What others have left to this caller, whose handler may have raised, is for those who wait. */
static VALUE
delivery_end(VALUE arg)
{
    struct pgconn_session *session = ((struct delivery *)arg)->session;

    session->inbox.deliverer = Qnil;
    if (session->inbox.deferred) pgconn_session_ring(session);
    return Qnil;
}

VALUE
pgconn_delivery_run(struct pgconn_session *session)
{
    struct pgconn_inbox *inbox = &session->inbox;
    struct delivery delivery = {session, Qnil};

    pgconn_delivery_collect(session);
    if (RARRAY_LEN(inbox->deliveries) == 0 || pgconn_session_inherited(session)) return Qnil;
    if (!NIL_P(inbox->deliverer)) {
        if (!pgconn_delivery_is_under_way(session)) inbox->deferred = true;
        return Qnil;
    }
    RB_OBJ_WRITE(inbox->owner, &inbox->deliverer, pgconn_caller_object());
    rb_ensure(delivery_call_all, (VALUE)&delivery, delivery_end, (VALUE)&delivery);
    return delivery.first;
}
