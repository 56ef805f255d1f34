/*
 * Notices from the server, as a plain list: libpq's notice receiver runs inside libpq and without
 * the GVL, so it only copies the text.
 */
#ifndef PGCONN_MESSAGE_H
#define PGCONN_MESSAGE_H

#include "pgconn.h"

#define PGCONN_NOTICES_KEPT 50

struct pgconn_messages {
    char *notices[PGCONN_NOTICES_KEPT]; /* a ring of texts in the client encoding */
    unsigned long received; /* since the connection began; the newest is at received - 1 */
};

/* Receives the connection's notices from now on (PQsetNoticeReceiver). */
void pgconn_messages_receive(struct pgconn_messages *messages, PGconn *pg);

/* A copy that can be read while more arrive; pgconn_messages_clear frees its texts. */
struct pgconn_messages pgconn_messages_copy(const struct pgconn_messages *messages);

/* The kept notices as an Array of Strings, the oldest first. */
VALUE pgconn_messages_notices(const struct pgconn_messages *messages, int encoding_index);

void pgconn_messages_clear(struct pgconn_messages *messages);

#endif
