/*
 * The one queue of flights that a connection has. Sending and reading are steps that never wait.
 *
 * Who may touch what: the links of the queue and the states of flights that wait in it are changed
 * with the GVL held. pgconn_queue_step runs without it and looks at nothing behind `last`, which
 * is fixed before; it holds `libpq`, so that a reader with the GVL can ask libpq between two steps.
 */
#ifndef PGCONN_QUEUE_H
#define PGCONN_QUEUE_H

#include "flight.h"

struct pgconn_queue {
    PGconn *pg;
    struct pgconn_flight *head, *tail;
    struct pgconn_flight *sending; /* the first that libpq doesn't have, up to last */
    struct pgconn_flight *reading; /* the one whose answer comes next; NULL: none under way */
    struct pgconn_flight *last;    /* the last that the step may send */
    bool listening;                /* reads although no answer is awaited */
    const char *failure;           /* why the step failed, where libpq doesn't know */
    struct pgconn_messages *messages;
    pthread_mutex_t libpq;
};

/* The queue takes what it reads of messages to the given lists. */
void pgconn_queue_init(struct pgconn_queue *queue, struct pgconn_messages *messages);
void pgconn_queue_destroy(struct pgconn_queue *queue);
void pgconn_queue_append(struct pgconn_queue *queue, struct pgconn_flight *flight);
void pgconn_queue_prepend(struct pgconn_queue *queue, struct pgconn_flight *flight);
void pgconn_queue_remove(struct pgconn_queue *queue, struct pgconn_flight *flight);

/* Takes back a flight that wasn't sent. */
void pgconn_queue_withdraw(struct pgconn_queue *queue, struct pgconn_flight *flight);

/* Takes out a flight that has met its end: wakes its caller or, where nobody waits, frees it. */
void pgconn_queue_end(struct pgconn_queue *queue, struct pgconn_flight *flight,
                      enum pgconn_flight_state state);

/*
 * Whether a flight can be admitted now, or has to wait for the answer to another. The driver's own
 * flights don't wait, nor do they make others wait unless they are barriers.
 */
bool pgconn_queue_has_room(const struct pgconn_queue *queue, const struct pgconn_flight *flight);

/* Lets the step send the flight: it is the next, whatever waits in front of it. */
void pgconn_queue_admit(struct pgconn_queue *queue, struct pgconn_flight *flight);

/* Takes back what was admitted but not sent, because the wait ended before its first step. */
void pgconn_queue_dismiss(struct pgconn_queue *queue);

/*
 * Sends what was admitted and reads what has come. DONE: all admitted flights are answered.
 * FAILED: the connection is lost, PQerrorMessage says how. A pgconn_stepper's step. (queue_step.c)
 */
enum pgconn_step pgconn_queue_step(void *queue);
int pgconn_queue_descriptor(void *queue);

/*
 * Reads what the server says while nothing is under way, all of it. False: the connection is lost.
 * The caller holds `libpq`. (queue_step.c)
 */
bool pgconn_queue_listen(struct pgconn_queue *queue);

#endif
