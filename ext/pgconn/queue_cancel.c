#include "queue.h"

/*
 * A request names a session, not a statement: what has been sent behind the target may be hit
 * instead.
 */
static void
queue_expose(const struct pgconn_queue *queue, const struct pgconn_flight *target)
{
    struct pgconn_flight *at = pgconn_queue_behind(queue, target);

    for (; at; at = pgconn_queue_behind(queue, at)) at->exposed = true;
}

/* A Sync alone is nothing to be cancelled. */
static struct pgconn_flight *
queue_target(const struct pgconn_queue *queue)
{
    struct pgconn_flight *front = pgconn_queue_front(queue);

    return front && front->unwanted && !front->asked ? front : NULL;
}

void
pgconn_queue_aim(struct pgconn_queue *queue)
{
    struct pgconn_flight *target = queue_target(queue);

    if (!target || queue->rests || !pgconn_cancel_ended(queue->cancel)) return;
    target->asked = pgconn_cancel_start(queue->cancel, queue->pg);
    if (target->asked) queue_expose(queue, target);
}

bool
pgconn_queue_must_aim(const struct pgconn_queue *queue)
{
    return queue->cancel->thread >= 0 && queue_target(queue);
}

bool
pgconn_queue_cancel(struct pgconn_queue *queue, struct pgconn_flight *flight)
{
    bool possible;

    pgconn_queue_lock(queue);
    flight->unwanted = flight->commands != NULL;
    pgconn_queue_aim(queue);
    possible = queue_target(queue) != flight || pgconn_queue_must_aim(queue);
    pgconn_queue_unlock(queue);
    return possible;
}
