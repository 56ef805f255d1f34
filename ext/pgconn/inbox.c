#include "inbox.h"

#include "encoding.h"

#include <string.h>

static VALUE notice_class, notify_class;

void
pgconn_inbox_init(struct pgconn_inbox *inbox, VALUE owner)
{
    inbox->owner = owner;
    inbox->deliverer = inbox->delivered = Qnil;
    RB_OBJ_WRITE(owner, &inbox->notifies, rb_ary_new());
    RB_OBJ_WRITE(owner, &inbox->deliveries, rb_ary_new());
    for (int event = 0; event < PGCONN_EVENTS; event++) {
        RB_OBJ_WRITE(owner, &inbox->handlers[event], rb_ary_new());
    }
}

void
pgconn_inbox_mark(const struct pgconn_inbox *inbox)
{
    rb_gc_mark_movable(inbox->notifies);
    rb_gc_mark_movable(inbox->deliveries);
    rb_gc_mark_movable(inbox->delivered);
    rb_gc_mark_movable(inbox->deliverer);
    for (int event = 0; event < PGCONN_EVENTS; event++) {
        rb_gc_mark_movable(inbox->handlers[event]);
    }
}

void
pgconn_inbox_compact(struct pgconn_inbox *inbox)
{
    inbox->owner = rb_gc_location(inbox->owner);
    inbox->notifies = rb_gc_location(inbox->notifies);
    inbox->deliveries = rb_gc_location(inbox->deliveries);
    inbox->delivered = rb_gc_location(inbox->delivered);
    inbox->deliverer = rb_gc_location(inbox->deliverer);
    for (int event = 0; event < PGCONN_EVENTS; event++) {
        inbox->handlers[event] = rb_gc_location(inbox->handlers[event]);
    }
}

void
pgconn_inbox_clear(struct pgconn_inbox *inbox)
{
    while (inbox->arrived.first) pgconn_message_list_drop(&inbox->arrived);
}

static int
text_encoding_index(pgconn_text_encoding encoding, int unknown_index)
{
    int index = pgconn_encoding_index(encoding);

    return index < 0 ? unknown_index : index;
}

VALUE
pgconn_inbox_text(const struct pgconn_notice_text *notice, int encoding_index)
{
    return pgconn_fields_text(notice->text, text_encoding_index(notice->encoding, encoding_index));
}

/* As Pgconn::Notice#initialize would make it, which might be interrupted. */
static VALUE
notice_new(const struct pgconn_message *message, int encoding_index)
{
    VALUE notice = rb_obj_alloc(notice_class);
    VALUE fields = pgconn_fields_hash(&message->fields, encoding_index);

    rb_ivar_set(notice, rb_intern("@fields"), rb_hash_freeze(fields));
    rb_ivar_set(notice, rb_intern("@text"),
                pgconn_fields_text(message->fields.whole, encoding_index));
    return rb_obj_freeze(notice);
}

static VALUE
string_new(const char *text, int encoding_index)
{
    return rb_str_freeze(rb_enc_str_new_cstr(text, rb_enc_from_index(encoding_index)));
}

/* As Pgconn::Notify#initialize would make it. */
static VALUE
notify_new(const PGnotify *notify, int encoding_index)
{
    VALUE object = rb_obj_alloc(notify_class);

    rb_ivar_set(object, rb_intern("@pid"), INT2NUM(notify->be_pid));
    rb_ivar_set(object, rb_intern("@channel"), string_new(notify->relname, encoding_index));
    rb_ivar_set(object, rb_intern("@payload"), string_new(notify->extra, encoding_index));
    return rb_obj_freeze(object);
}

bool
pgconn_inbox_is_notify(VALUE message)
{
    return CLASS_OF(message) == notify_class;
}

static void
message_sort(struct pgconn_inbox *inbox, const struct pgconn_message *message, int encoding_index)
{
    enum pgconn_event event = message->notify ? PGCONN_EVENT_NOTIFY : PGCONN_EVENT_NOTICE;
    VALUE handlers = inbox->handlers[event];
    VALUE object = message->notify ? notify_new(message->notify, encoding_index)
                                   : notice_new(message, encoding_index);

    if (event == PGCONN_EVENT_NOTIFY && RARRAY_LEN(handlers) == 0) {
        rb_ary_push(inbox->notifies, object);
    }
    for (long i = 0; i < RARRAY_LEN(handlers); i++) {
        rb_ary_push(inbox->deliveries, rb_assoc_new(rb_ary_entry(handlers, i), object));
    }
}

void
pgconn_inbox_sort(struct pgconn_inbox *inbox, int encoding_index)
{
    const struct pgconn_message *message;

    while ((message = inbox->arrived.first)) {
        message_sort(inbox, message, text_encoding_index(message->encoding, encoding_index));
        pgconn_message_list_drop(&inbox->arrived);
    }
}

void
pgconn_inbox_shift(struct pgconn_inbox *inbox, VALUE *handler, VALUE *message)
{
    VALUE pair = rb_ary_shift(inbox->deliveries);

    *handler = rb_ary_entry(pair, 0);
    *message = rb_ary_entry(pair, 1);
    if (!NIL_P(*handler)) RB_OBJ_WRITE(inbox->owner, &inbox->delivered, *message);
}

static VALUE
delivery_message(const struct pgconn_inbox *inbox, long at)
{
    return rb_ary_entry(rb_ary_entry(inbox->deliveries, at), 1);
}

static VALUE
delivery_handler(const struct pgconn_inbox *inbox, long at)
{
    return rb_ary_entry(rb_ary_entry(inbox->deliveries, at), 0);
}

/* Takes the handler out of the deliveries of one message, from the first on; gives their end. */
static long
message_lose_handler(struct pgconn_inbox *inbox, long at, VALUE handler)
{
    VALUE message = delivery_message(inbox, at);
    bool waited = false, others = message == inbox->delivered;

    for (; at < RARRAY_LEN(inbox->deliveries) && delivery_message(inbox, at) == message; at++) {
        if (delivery_handler(inbox, at) == handler) {
            rb_ary_store(rb_ary_entry(inbox->deliveries, at), 0, Qnil);
            waited = true;
        }
        else if (!NIL_P(delivery_handler(inbox, at))) others = true;
    }
    if (waited && !others && pgconn_inbox_is_notify(message)) {
        rb_ary_push(inbox->notifies, message);
    }
    return at;
}

/* The deliveries stay as many as they are: who delivers has counted them. */
void
pgconn_inbox_remove_handler(struct pgconn_inbox *inbox, enum pgconn_event event, VALUE handler)
{
    long at = 0;

    rb_ary_delete(inbox->handlers[event], handler);
    while (at < RARRAY_LEN(inbox->deliveries)) at = message_lose_handler(inbox, at, handler);
}

void
Init_pgconn_inbox(void)
{
    notice_class = rb_path2class("Pgconn::Notice");
    notify_class = rb_path2class("Pgconn::Notify");
    rb_gc_register_mark_object(notice_class);
    rb_gc_register_mark_object(notify_class);
}
