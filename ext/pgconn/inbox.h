/*
 * Where Ruby finds what the server has said: the queue of notifications, and what waits for the
 * handlers. Nothing here runs Ruby code, so that no message is lost or doubled in between.
 */
#ifndef PGCONN_INBOX_H
#define PGCONN_INBOX_H

#include "message.h"

enum pgconn_event {
    PGCONN_EVENT_NOTICE,
    PGCONN_EVENT_NOTIFY,
};
#define PGCONN_EVENTS 2

struct pgconn_inbox {
    VALUE owner;                        /* the object that marks all of this */
    VALUE notifies;                     /* an Array of Pgconn::Notify, the user's queue */
    VALUE handlers[PGCONN_EVENTS];      /* for each event an Array of Pgconn::Handler */
    VALUE deliveries;                   /* an Array of [handler or nil, message] */
    VALUE delivered;                    /* the last message that a handler was given, or nil */
    VALUE deliverer;                    /* the caller that calls handlers, or nil */
    bool deferred;                      /* other callers have left their messages to that one */
    struct pgconn_message_list arrived; /* taken from who may be in libpq, not yet in here */
};

void pgconn_inbox_init(struct pgconn_inbox *inbox, VALUE owner);
void pgconn_inbox_mark(const struct pgconn_inbox *inbox);
void pgconn_inbox_compact(struct pgconn_inbox *inbox);
void pgconn_inbox_clear(struct pgconn_inbox *inbox);

/*
 * Turns what has arrived into objects: for each handler a delivery; a notification that nobody
 * handles is queued. Texts of unknown encoding get the one given. Raises NoMemoryError only, and
 * what it had not got to is still there then.
 */
void pgconn_inbox_sort(struct pgconn_inbox *inbox, int encoding_index);

/*
 * Takes the next delivery: *handler and *message. *handler is nil where it was removed meanwhile.
 * There must be one. Raises nothing.
 */
void pgconn_inbox_shift(struct pgconn_inbox *inbox, VALUE *handler, VALUE *message);

/*
 * Removes a handler of the event. The notifications that wait for it, and that no other handler
 * gets or has got, are queued. Raises NoMemoryError only.
 */
void pgconn_inbox_remove_handler(struct pgconn_inbox *inbox, enum pgconn_event event,
                                 VALUE handler);

bool pgconn_inbox_is_notify(VALUE message);

/* A text of such an encoding as a String. */
VALUE pgconn_inbox_text(const struct pgconn_notice_text *notice, int encoding_index);

#endif
