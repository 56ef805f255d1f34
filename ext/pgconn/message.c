#include "message.h"

#include <stdlib.h>
#include <string.h>

static void
list_append(struct pgconn_message_list *list, struct pgconn_message *message)
{
    if (list->last) list->last->next = message;
    else list->first = message;
    list->last = message;
}

void
pgconn_message_list_move(struct pgconn_message_list *from, struct pgconn_message_list *to)
{
    if (!from->first) return;
    list_append(to, from->first);
    to->last = from->last;
    from->first = from->last = NULL;
}

static void
message_free(struct pgconn_message *message)
{
    if (message && message->notify) PQfreemem(message->notify);
    free(message);
}

void
pgconn_message_list_drop(struct pgconn_message_list *list)
{
    struct pgconn_message *message = list->first;

    list->first = message->next;
    if (!list->first) list->last = NULL;
    message_free(message);
}

/* Its texts lie behind it. NULL when out of memory. */
static struct pgconn_message *
message_of_fields(const struct pgconn_fields *fields, pgconn_text_encoding encoding)
{
    struct pgconn_message *message = calloc(1, sizeof(*message) + pgconn_fields_size(fields));

    if (!message) return NULL;
    message->encoding = encoding;
    pgconn_fields_copy(&message->fields, fields, (char *)(message + 1));
    return message;
}

static void
ring_add(struct pgconn_messages *messages, const char *text, pgconn_text_encoding encoding)
{
    struct pgconn_notice_text *slot =
        &messages->notices[messages->received++ % PGCONN_NOTICES_KEPT];

    free(slot->text);
    slot->text = strdup(text); /* NULL, when out of memory, is left out below */
    slot->encoding = encoding;
}

/* What comes without a statement under way is a notice to libpq, also the end of the session. */
static void
notice_receive(void *arg, const PGresult *result)
{
    struct pgconn_messages *messages = arg;
    pgconn_text_encoding encoding = PQclientEncoding(messages->pg);
    struct pgconn_message *message;
    struct pgconn_fields fields;

    if (pgconn_messages_end(messages, result)) return;
    ring_add(messages, PQresultErrorMessage(result), encoding);
    if (!messages->keeps_notices) return;
    pgconn_fields_read(&fields, result);
    message = message_of_fields(&fields, encoding);
    if (message) list_append(&messages->incoming, message);
}

void
pgconn_messages_receive(struct pgconn_messages *messages, PGconn *pg)
{
    messages->pg = pg;
    PQsetNoticeReceiver(pg, notice_receive, messages);
}

/* A FATAL or PANIC error speaks of the session, not of the statement that it met. */
static bool
result_ends_session(const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

    return severity && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0);
}

bool
pgconn_messages_end(struct pgconn_messages *messages, const PGresult *result)
{
    struct pgconn_fields fields;

    if (messages->last_words || !result_ends_session(result)) return false;
    pgconn_fields_read(&fields, result);
    messages->last_words = message_of_fields(&fields, PQclientEncoding(messages->pg));
    return messages->last_words != NULL;
}

void
pgconn_messages_gather(struct pgconn_messages *messages, PGconn *pg)
{
    struct pgconn_message *message;
    PGnotify *notify;

    while ((notify = PQnotifies(pg))) {
        message = calloc(1, sizeof(*message));
        if (!message) {
            PQfreemem(notify);
            continue;
        }
        message->encoding = PQclientEncoding(pg);
        message->notify = notify;
        list_append(&messages->incoming, message);
    }
}

int
pgconn_messages_copy_notices(const struct pgconn_messages *messages,
                             struct pgconn_notice_text *copies)
{
    const struct pgconn_notice_text *notice;
    unsigned long at = 0;
    int count = 0;

    if (messages->received > PGCONN_NOTICES_KEPT) at = messages->received - PGCONN_NOTICES_KEPT;
    for (; at < messages->received; at++) {
        notice = &messages->notices[at % PGCONN_NOTICES_KEPT];
        copies[count].text = notice->text ? strdup(notice->text) : NULL;
        copies[count].encoding = notice->encoding;
        if (copies[count].text) count++;
    }
    return count;
}

void
pgconn_messages_clear(struct pgconn_messages *messages)
{
    for (int slot = 0; slot < PGCONN_NOTICES_KEPT; slot++) {
        free(messages->notices[slot].text);
        messages->notices[slot].text = NULL;
    }
    while (messages->incoming.first) pgconn_message_list_drop(&messages->incoming);
    message_free(messages->last_words);
    messages->last_words = NULL;
}
