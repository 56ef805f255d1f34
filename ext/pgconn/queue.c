#include "queue.h"

/* How many callers' flights may be unanswered at one time. */
#define CALLERS_UNDER_WAY 1

void
pgconn_queue_init(struct pgconn_queue *queue, struct pgconn_messages *messages)
{
    memset(queue, 0, sizeof(*queue));
    queue->messages = messages;
    pthread_mutex_init(&queue->libpq, NULL);
}

void
pgconn_queue_destroy(struct pgconn_queue *queue)
{
    struct pgconn_flight *flight;

    while ((flight = queue->head)) {
        pgconn_queue_remove(queue, flight);
        pgconn_flight_free(flight);
    }
    pthread_mutex_destroy(&queue->libpq);
}

void
pgconn_queue_append(struct pgconn_queue *queue, struct pgconn_flight *flight)
{
    if (queue->tail) queue->tail->next = flight;
    else queue->head = flight;
    queue->tail = flight;
}

void
pgconn_queue_prepend(struct pgconn_queue *queue, struct pgconn_flight *flight)
{
    flight->next = queue->head;
    queue->head = flight;
    if (!queue->tail) queue->tail = flight;
}

void
pgconn_queue_remove(struct pgconn_queue *queue, struct pgconn_flight *flight)
{
    struct pgconn_flight *ahead = NULL, *at = queue->head;

    while (at != flight) {
        ahead = at;
        at = at->next;
    }
    if (ahead) ahead->next = flight->next;
    else queue->head = flight->next;
    if (queue->tail == flight) queue->tail = ahead;
    if (queue->last == flight) queue->last = NULL;
    flight->next = NULL;
}

/* The flights under way stand between the one whose answer comes next and the last. */
bool
pgconn_queue_has_room(const struct pgconn_queue *queue, const struct pgconn_flight *flight)
{
    const struct pgconn_flight *at;
    int callers = 0;

    if (flight->errand) return true;
    for (at = queue->reading; at; at = at == queue->last ? NULL : at->next) {
        if (at->errand && !at->barrier) continue;
        if (at->barrier || flight->barrier) return false;
        callers++;
    }
    return callers < CALLERS_UNDER_WAY;
}

/* What is under way stands in front, in the order of sending: what is barred may be overtaken. */
static void
queue_advance(struct pgconn_queue *queue, struct pgconn_flight *flight)
{
    struct pgconn_flight **link = queue->reading ? &queue->last->next : &queue->head;

    if (*link == flight) return;
    pgconn_queue_remove(queue, flight);
    flight->next = *link;
    *link = flight;
}

void
pgconn_queue_admit(struct pgconn_queue *queue, struct pgconn_flight *flight)
{
    queue_advance(queue, flight);
    flight->state = PGCONN_FLIGHT_UNDER_WAY;
    if (!queue->sending) queue->sending = flight;
    if (!queue->reading) queue->reading = flight;
    queue->last = flight;
}

void
pgconn_queue_dismiss(struct pgconn_queue *queue)
{
    struct pgconn_flight *unsent = queue->sending, *at;

    if (!unsent) return;
    for (at = unsent; at; at = at == queue->last ? NULL : at->next)
        at->state = PGCONN_FLIGHT_QUEUED;
    queue->sending = NULL;
    if (queue->reading == unsent) {
        queue->reading = queue->last = NULL;
        return;
    }
    for (at = queue->reading; at->next != unsent;) at = at->next;
    queue->last = at;
}

void
pgconn_queue_withdraw(struct pgconn_queue *queue, struct pgconn_flight *flight)
{
    pgconn_queue_remove(queue, flight);
    flight->state = PGCONN_FLIGHT_WITHDRAWN;
}

void
pgconn_queue_end(struct pgconn_queue *queue, struct pgconn_flight *flight,
                 enum pgconn_flight_state state)
{
    pgconn_queue_remove(queue, flight);
    flight->state = state;
    if (flight->errand || flight->abandoned) pgconn_flight_free(flight);
    else if (flight->sleeper) pgconn_wait_wake(flight->sleeper);
}
