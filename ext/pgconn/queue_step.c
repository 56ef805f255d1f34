#include "queue.h"

#include <poll.h>

/* A TLS record has up to 16 KB, and libpq makes room for 8 KB or more before each read. */
#define READS_PER_TLS_RECORD 3

static bool
flight_send(PGconn *pg, struct pgconn_flight *flight)
{
    struct pgconn_command *command;

    flight->answering = flight->commands;
    if (flight->simple) return flight->sent = pgconn_simple_query_send(pg, flight->commands);
    for (command = flight->commands; command; command = command->next) {
        if (!pgconn_command_send(pg, command)) return false;
        flight->sent = true;
    }
    return PQpipelineSync(pg) == 1;
}

/* A simple query has to wait for the answers to what the driver has sent ahead of it. */
static bool
queue_may_send(const struct pgconn_queue *queue)
{
    return queue->sending && (!queue->sending->simple || queue->sending == queue->reading);
}

/* Hands libpq what was admitted; *sent says whether there was anything. */
static bool
queue_send(struct pgconn_queue *queue, bool *sent)
{
    struct pgconn_flight *flight;

    *sent = queue_may_send(queue);
    while (queue_may_send(queue)) {
        flight = queue->sending;
        queue->sending = flight == queue->last ? NULL : flight->next;
        if (!flight_send(queue->pg, flight)) return false;
    }
    return true;
}

static bool
flight_changes_session(const struct pgconn_flight *flight)
{
    return flight->forgets || flight->two_phase || flight->began || flight->opens ||
           flight->boundary;
}

/*
 * What is said of a statement is kept for its next execution, too, and so is what changes the
 * session or a block.
 */
static bool
result_is_awaited(const struct pgconn_flight *flight, const PGresult *result)
{
    const struct pgconn_command *command = flight->answering;

    if (!flight->abandoned) return true;
    if (flight_changes_session(flight)) return PQresultStatus(result) != PGRES_TUPLES_OK;
    return command->kind == PGCONN_COMMAND_PREPARE || command->kind == PGCONN_COMMAND_DESCRIBE;
}

/*
 * What comes behind the last answer is the error with which the Sync failed to commit, such as that
 * of a deferred constraint: it takes the place of the last answer.
 */
static struct pgconn_command *
flight_answering(struct pgconn_flight *flight)
{
    if (flight->answering || !flight->commands) return flight->answering;
    flight->answering = flight->commands;
    while (flight->answering->next) flight->answering = flight->answering->next;
    PQclear(pgconn_command_take_result(flight->answering));
    return flight->answering;
}

/* Keeps or clears a result of the flight whose answer is being read. False when out of memory. */
static bool
queue_keep(struct pgconn_queue *queue, PGresult *result)
{
    struct pgconn_flight *flight = queue->reading;
    struct pgconn_command *command;

    if (pgconn_messages_end(queue->messages, result) || !(command = flight_answering(flight)) ||
        !result_is_awaited(flight, result)) {
        PQclear(result);
    }
    else if (flight->simple) return pgconn_simple_query_keep(&flight->answering, result);
    else if (command->result) PQclear(result);
    else command->result = result;
    return true;
}

static void
queue_complete(struct pgconn_queue *queue)
{
    struct pgconn_flight *flight = queue->reading;

    flight->complete = true;
    queue->reading = flight == queue->last ? NULL : flight->next;
}

/*
 * One PGresult, or the NULL that ends a statement's results. False where it can't belong to the
 * flight: then we and the server are out of step.
 */
static bool
queue_take(struct pgconn_queue *queue, PGresult *result)
{
    struct pgconn_flight *flight = queue->reading;
    struct pgconn_command *command = flight->answering;

    if (!result) {
        if (command) flight->answering = command->next;
        return command != NULL;
    }
    if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) queue_complete(queue);
    else if (!pgconn_flight_starts_copy(result)) return queue_keep(queue, result);
    PQclear(result);
    return flight->complete;
}

static enum pgconn_step
queue_take_next(struct pgconn_queue *queue)
{
    enum pgconn_step step;
    PGresult *result;

    if (!queue->reading->simple) {
        return queue_take(queue, PQgetResult(queue->pg)) ? PGCONN_STEP_DONE : PGCONN_STEP_FAILED;
    }
    step = pgconn_simple_query_take(queue->pg, &result);
    if (step != PGCONN_STEP_DONE) return step;
    if (result) return queue_keep(queue, result) ? PGCONN_STEP_DONE : PGCONN_STEP_FAILED;
    queue_complete(queue);
    return PGCONN_STEP_DONE;
}

/*
 * All that has come, of flights that were sent. Who listens takes nothing: a flight may be admitted
 * meanwhile.
 */
static enum pgconn_step
queue_take_all(struct pgconn_queue *queue)
{
    enum pgconn_step step = PGCONN_STEP_DONE;

    if (queue->listening) return step;
    while (step == PGCONN_STEP_DONE && queue->reading && queue->reading != queue->sending &&
           !PQisBusy(queue->pg)) {
        step = queue_take_next(queue);
    }
    return step;
}

static bool
queue_expects_more(const struct pgconn_queue *queue)
{
    return queue->reading || queue->listening;
}

/*
 * One read, and what came with it. When the connection has ended, what had arrived before counts
 * all the same: false only if it isn't enough.
 */
static bool
queue_read_once(struct pgconn_queue *queue)
{
    bool consumed = PQconsumeInput(queue->pg);
    bool in_step = queue_take_all(queue) != PGCONN_STEP_FAILED;

    pgconn_messages_gather(queue->messages, queue->pg);
    if (!in_step && consumed) {
        queue->failure = "the server's answer doesn't belong to what was asked";
    }
    return in_step && (consumed || !queue_expects_more(queue));
}

static bool
queue_read_record(struct pgconn_queue *queue)
{
    int reads = READS_PER_TLS_RECORD;

    while (queue_expects_more(queue) && reads-- > 0) {
        if (!queue_read_once(queue)) return false;
    }
    return true;
}

static bool
socket_is_readable(PGconn *pg)
{
    struct pollfd socket = {.fd = PQsocket(pg), .events = POLLIN};

    return poll(&socket, 1, 0) == 1;
}

/*
 * With TLS a record may hold more than one read takes, and what is left of it doesn't show in the
 * socket. So it is read until the socket is empty, and then once more as much as a record holds.
 */
static bool
queue_read(struct pgconn_queue *queue)
{
    if (!queue_read_once(queue)) return false;
    if (!PQsslInUse(queue->pg)) return true;
    while (queue_expects_more(queue) && socket_is_readable(queue->pg)) {
        if (!queue_read_once(queue)) return false;
    }
    return queue_read_record(queue);
}

bool
pgconn_queue_listen(struct pgconn_queue *queue)
{
    bool read;

    queue->listening = true;
    read = queue_read(queue);
    queue->listening = false;
    return read;
}

static enum pgconn_step
queue_step_locked(struct pgconn_queue *queue)
{
    bool sent;
    int unsent;

    if (!queue_send(queue, &sent)) return PGCONN_STEP_FAILED;
    /*
     * Right after sending there is nothing to read yet: a look would be a system call for naught.
     */
    if (!sent && !(queue_read(queue) && queue_send(queue, &sent))) return PGCONN_STEP_FAILED;
    unsent = PQflush(queue->pg);
    if (unsent < 0) return PGCONN_STEP_FAILED;
    if (!queue->reading) return PGCONN_STEP_DONE;
    return unsent ? PGCONN_STEP_WANT_WRITE : PGCONN_STEP_WANT_READ;
}

enum pgconn_step
pgconn_queue_step(void *subject)
{
    struct pgconn_queue *queue = subject;
    enum pgconn_step step;

    pthread_mutex_lock(&queue->libpq);
    step = queue_step_locked(queue);
    pthread_mutex_unlock(&queue->libpq);
    return step;
}

int
pgconn_queue_descriptor(void *queue)
{
    return PQsocket(((struct pgconn_queue *)queue)->pg);
}
