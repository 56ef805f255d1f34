#include "session.h"

#include "encoding.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

void
pgconn_session_init(struct pgconn_session *session)
{
    memset(session, 0, sizeof(*session));
    pgconn_queue_init(&session->queue, &session->messages, &session->cancel);
    pgconn_cancel_init(&session->cancel);
    session->transaction = PQTRANS_UNKNOWN;
    session->settings.encoding_index = rb_utf8_encindex();
    pgconn_two_phase_init(&session->two_phase);
}

VALUE
pgconn_session_connection(const struct pgconn_session *session)
{
    return session->inbox.owner;
}

bool
pgconn_session_inherited(const struct pgconn_session *session)
{
    return pgconn_queue_inherited(&session->queue);
}

void
pgconn_session_lock(struct pgconn_session *session)
{
    pgconn_queue_lock(&session->queue);
}

void
pgconn_session_unlock(struct pgconn_session *session)
{
    pgconn_queue_unlock(&session->queue);
}

/* Whether somebody may be in libpq without the GVL. */
static bool
session_is_in_use(const struct pgconn_session *session)
{
    return session->driver || session->waiters;
}

/* PQfinish says goodbye to the server, which in a forked child would end the parent's session. */
static void
session_finish(struct pgconn_session *session)
{
    int null;

    if (!session->pg) return;
    if (pgconn_session_inherited(session) && PQsocket(session->pg) >= 0) {
        null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null >= 0) {
            dup2(null, PQsocket(session->pg));
            close(null);
        }
    }
    /* Whoever was in libpq at the fork may have been in the middle of changing it. */
    if (!pgconn_session_inherited(session) || !session_is_in_use(session)) PQfinish(session->pg);
    session->pg = session->queue.pg = NULL;
    pgconn_cancel_forget(&session->cancel);
}

void
pgconn_session_destroy(struct pgconn_session *session)
{
    session_finish(session);
    pgconn_connecting_free(session->connecting);
    pgconn_queue_destroy(&session->queue);
    pgconn_line_clear(&session->line);
    pgconn_resources_clear(&session->resources);
    pgconn_messages_clear(&session->messages);
    pgconn_inbox_clear(&session->inbox);
    pgconn_failures_clear(&session->failures);
    pgconn_reported_clear(&session->reported);
    free(session->loss);
    free(session->names.closing);
}

bool
pgconn_session_styles_differ(PGconn *pg)
{
    const char *date = PQparameterStatus(pg, "DateStyle");
    const char *interval = PQparameterStatus(pg, "IntervalStyle");

    return !date || strncmp(date, "ISO", 3) != 0 || !interval || strcmp(interval, "postgres") != 0;
}

void
pgconn_session_follow(struct pgconn_session *session, int client_encoding, bool last)
{
    int encoding_index = pgconn_encoding_index(client_encoding);
    const char *strings;

    session->client_encoding = client_encoding;
    if (encoding_index >= 0) session->settings.encoding_index = encoding_index;
    pgconn_session_lock(session);
    strings = PQparameterStatus(session->pg, "standard_conforming_strings");
    session->settings.standard_strings = !strings || strcmp(strings, "on") == 0;
    if (last) session->transaction = PQtransactionStatus(session->pg);
    pgconn_session_unlock(session);
}

VALUE
pgconn_session_open(struct pgconn_session *session, PGconn *pg)
{
    int encoding_index = pgconn_encoding_index(PQclientEncoding(pg));

    if (encoding_index < 0) {
        return rb_sprintf("Ruby has no encoding like client_encoding %s",
                          pg_encoding_to_char(PQclientEncoding(pg)));
    }
    if (PQsetnonblocking(pg, 1) != 0 || !PQenterPipelineMode(pg)) {
        return rb_utf8_str_new_cstr(PQerrorMessage(pg));
    }
    session->pg = session->queue.pg = pg;
    session->life = PGCONN_SESSION_OPEN;
    pgconn_session_follow(session, PQclientEncoding(pg), true);
    session->styles_unset = pgconn_session_styles_differ(pg);
    return Qnil;
}

bool
pgconn_session_is_in_transaction(const struct pgconn_session *session)
{
    return session->transaction != PQTRANS_IDLE ||
           session->two_phase.stage != PGCONN_TWO_PHASE_NONE;
}

bool
pgconn_session_is_changing(const struct pgconn_session *session)
{
    const struct pgconn_flight *flight;

    for (flight = session->queue.head; flight; flight = flight->next) {
        if (flight->state == PGCONN_FLIGHT_UNDER_WAY && flight->barrier) return true;
    }
    return false;
}

/* In a forked child the callers' threads don't exist, and their stacks may be gone. */
static void
flights_disown(struct pgconn_queue *queue)
{
    struct pgconn_flight *flight;

    for (flight = queue->head; flight; flight = flight->next) flight->sleeper = NULL;
}

static void
session_fail_flights(struct pgconn_session *session)
{
    struct pgconn_queue *queue = &session->queue;

    pgconn_failures_forget(&session->failures);
    pgconn_queue_cut(queue);
    if (pgconn_session_inherited(session)) flights_disown(queue);
    while (queue->head) pgconn_queue_end(queue, queue->head, PGCONN_FLIGHT_LOST);
}

/*
 * What libpq says of the loss, to be freed; NULL: out of memory. PQgetResult, which is asked for
 * what may have arrived before the end, adds that it found the socket closed. That is in English,
 * for Ruby leaves LC_MESSAGES alone.
 */
static char *
loss_text(PGconn *pg)
{
    static const char addition[] = "invalid socket\n";
    const char *text = PQerrorMessage(pg);
    size_t length = strlen(text), added = strlen(addition);

    while (length > added && strncmp(text + length - added, addition, added) == 0) length -= added;
    return strndup(text, length);
}

void
pgconn_session_lose(struct pgconn_session *session, const char *text)
{
    if (session->life == PGCONN_SESSION_OPEN) {
        session->life = PGCONN_SESSION_BROKEN;
        if (!text) text = session->queue.failure;
        pgconn_session_lock(session);
        session->loss = text ? strdup(text) : loss_text(session->pg);
        pgconn_session_unlock(session);
    }
    /* So that the server lets go of the transaction and its locks, and the driver of libpq. */
    pgconn_session_hang_up(session);
    if (!session->driver) session_fail_flights(session);
}

void
pgconn_session_hang_up(struct pgconn_session *session)
{
    pgconn_session_lock(session);
    if (session->pg && PQsocket(session->pg) >= 0) shutdown(PQsocket(session->pg), SHUT_RDWR);
    if (session->cancel.thread >= 0) shutdown(session->cancel.thread, SHUT_RDWR);
    pgconn_session_unlock(session);
    pgconn_session_ring(session);
}

void
pgconn_session_listen(struct pgconn_session *session)
{
    bool read;

    if (session->driver) return;
    pgconn_session_lock(session);
    read = pgconn_queue_listen(&session->queue);
    pgconn_session_unlock(session);
    if (!read) pgconn_session_lose(session, NULL);
}

void
pgconn_session_ring_driver(const struct pgconn_session *session)
{
    if (session->doorbell && *session->doorbell) pgconn_wakeup_ring(*session->doorbell);
}

/* In a forked child they are threads that don't exist. */
void
pgconn_session_ring(const struct pgconn_session *session)
{
    const struct pgconn_waiter *waiter;

    if (!session->waiters || pgconn_session_inherited(session)) return;
    for (waiter = session->waiters; waiter; waiter = waiter->next) {
        if (waiter->doorbell) pgconn_wakeup_ring(waiter->doorbell);
    }
}

void
pgconn_session_close(struct pgconn_session *session)
{
    bool inherited = pgconn_session_inherited(session);

    session->life = PGCONN_SESSION_CLOSED;
    if (session_is_in_use(session) && !inherited) pgconn_session_hang_up(session);
    if (!session->driver || inherited) pgconn_session_leave(session);
}

void
pgconn_session_leave(struct pgconn_session *session)
{
    if (session->life != PGCONN_SESSION_CLOSED) return;
    session_fail_flights(session);
    /* Of several waiters the last does it. */
    if (session->waiters && !pgconn_session_inherited(session)) return;
    if (session->pg && !session_is_in_use(session)) {
        pgconn_reported_keep(&session->reported, session->pg);
    }
    session_finish(session);
}

VALUE
pgconn_session_parameter(struct pgconn_session *session, const char *name)
{
    const char *value;
    char *copy;
    VALUE string;

    pgconn_session_lock(session);
    value = session->pg ? PQparameterStatus(session->pg, name)
                        : pgconn_reported_find(&session->reported, name);
    copy = value ? strdup(value) : NULL;
    pgconn_session_unlock(session);
    if (!copy) return Qnil;
    string = rb_enc_str_new(copy, strlen(copy),
                            rb_enc_from_index(session->settings.encoding_index));
    free(copy);
    return string;
}

bool
pgconn_session_must_rest(struct pgconn_session *session)
{
    struct pgconn_queue *queue = &session->queue;
    bool rests;

    pgconn_session_lock(session);
    rests = queue->reading ? pgconn_queue_must_aim(queue) : session->cancel.thread >= 0;
    pgconn_session_unlock(session);
    return rests;
}

bool
pgconn_session_is_held_up(struct pgconn_session *session)
{
    const struct pgconn_flight *front;
    bool given_up;

    pgconn_session_lock(session);
    front = pgconn_queue_front(&session->queue);
    given_up = front && pgconn_flight_is_given_up(front);
    pgconn_session_unlock(session);
    return given_up || pgconn_session_must_rest(session);
}
