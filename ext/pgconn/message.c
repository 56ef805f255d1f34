#include "message.h"

#include <stdlib.h>
#include <string.h>

static void
notice_receive(void *arg, const PGresult *result)
{
    struct pgconn_messages *messages = arg;
    char **slot = &messages->notices[messages->received++ % PGCONN_NOTICES_KEPT];

    free(*slot);
    *slot = strdup(PQresultErrorMessage(result)); /* NULL, when out of memory, is left out below */
}

void
pgconn_messages_receive(struct pgconn_messages *messages, PGconn *pg)
{
    PQsetNoticeReceiver(pg, notice_receive, messages);
}

struct pgconn_messages
pgconn_messages_copy(const struct pgconn_messages *messages)
{
    struct pgconn_messages copy = *messages;
    int slot;

    for (slot = 0; slot < PGCONN_NOTICES_KEPT; slot++) {
        if (copy.notices[slot]) copy.notices[slot] = strdup(copy.notices[slot]);
    }
    return copy;
}

VALUE
pgconn_messages_notices(const struct pgconn_messages *messages, int encoding_index)
{
    unsigned long at = 0;
    VALUE notices = rb_ary_new();

    if (messages->received > PGCONN_NOTICES_KEPT) at = messages->received - PGCONN_NOTICES_KEPT;
    for (; at < messages->received; at++) {
        const char *text = messages->notices[at % PGCONN_NOTICES_KEPT];
        if (text)
            rb_ary_push(notices,
                        rb_enc_str_new(text, strlen(text), rb_enc_from_index(encoding_index)));
    }
    return notices;
}

void
pgconn_messages_clear(struct pgconn_messages *messages)
{
    int slot;

    for (slot = 0; slot < PGCONN_NOTICES_KEPT; slot++) {
        free(messages->notices[slot]);
        messages->notices[slot] = NULL;
    }
}
