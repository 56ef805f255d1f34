/*
 * Notices and notifications from the server, as plain lists. libpq's notice receiver runs inside
 * libpq and without the GVL, so it only copies; notifications are taken from libpq after each read.
 * All of it belongs to who may be in libpq, but what was taken out of the lists.
 */
#ifndef PGCONN_MESSAGE_H
#define PGCONN_MESSAGE_H

#include "fields.h"

#define PGCONN_NOTICES_KEPT 50

/*
 * libpq's number of the encoding that a text is in. Below 0 it is unknown: it came while the
 * connection was made, or after it was lost.
 */
typedef int pgconn_text_encoding;

struct pgconn_message {
    struct pgconn_message *next;
    pgconn_text_encoding encoding;
    PGnotify *notify;            /* NULL: it is a notice */
    struct pgconn_fields fields; /* of a notice, in the message's own memory */
};

/* In the order of their arrival. */
struct pgconn_message_list {
    struct pgconn_message *first, *last;
};

struct pgconn_notice_text {
    char *text;
    pgconn_text_encoding encoding;
};

struct pgconn_messages {
    const PGconn *pg;
    struct pgconn_notice_text notices[PGCONN_NOTICES_KEPT]; /* a ring */
    unsigned long received; /* since the connection began; the newest is at received - 1 */
    bool keeps_notices;     /* somebody handles them: then they are messages, too */
    struct pgconn_message_list incoming;
    struct pgconn_message *last_words; /* the FATAL error with which the server ended the session */
};

/* Receives the connection's notices from now on (PQsetNoticeReceiver). */
void pgconn_messages_receive(struct pgconn_messages *messages, PGconn *pg);

/* Takes the notifications that libpq has read so far (PQnotifies). */
void pgconn_messages_gather(struct pgconn_messages *messages, PGconn *pg);

/*
 * Keeps an error that ends the session as its last words. False: it does not end it, or others
 * were said before.
 */
bool pgconn_messages_end(struct pgconn_messages *messages, const PGresult *result);

/* Moves all of one list to the end of another. */
void pgconn_message_list_move(struct pgconn_message_list *from, struct pgconn_message_list *to);

/* Frees the list's first message. */
void pgconn_message_list_drop(struct pgconn_message_list *list);

/* The ring's texts, the oldest first, copied to an array of PGCONN_NOTICES_KEPT; their number. */
int pgconn_messages_copy_notices(const struct pgconn_messages *messages,
                                 struct pgconn_notice_text *copies);

void pgconn_messages_clear(struct pgconn_messages *messages);

#endif
