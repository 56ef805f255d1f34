#include "queue.h"

#include <poll.h>

/* A TLS record has up to 16 KB, and libpq makes room for 8 KB or more before each read. */
#define READS_PER_TLS_RECORD 3

/* At most, of a socket that is never empty. */
#define READS_PER_STEP 64

/*
 * *whole: libpq has all of it. If not, the socket takes no more for now, and answers have to be
 * read meanwhile, or both sides would wait. What is left of a flight that was given up isn't sent.
 */
static bool
flight_send(PGconn *pg, struct pgconn_flight *flight, bool *whole)
{
    *whole = true;
    if (!flight->sent) flight->answering = flight->leaving = flight->commands;
    if (flight->simple) return flight->sent = pgconn_simple_query_send(pg, flight->commands);
    for (; flight->leaving && !(flight->sent && pgconn_flight_is_given_up(flight));
         flight->leaving = flight->leaving->next) {
        if (!pgconn_command_send(pg, flight->leaving)) return false;
        flight->sent = true;
        *whole = pgconn_command_is_sent(flight->leaving);
        if (!*whole) return true;
    }
    return PQpipelineSync(pg) == 1;
}

/* A simple query has to wait for the answers to what the driver has sent ahead of it. */
static bool
queue_may_send(const struct pgconn_queue *queue)
{
    return queue->sending && (!queue->sending->simple || queue->sending == queue->reading);
}

/*
 * Has libpq give the rows of a stream as they come, once theirs is the next answer: before it looks
 * at what has come, and so right behind sending, too.
 */
static void
queue_ask_for_rows(const struct pgconn_queue *queue)
{
    const struct pgconn_flight *flight = queue->reading;

    if (!flight->transfer || flight->simple || flight->answering != flight->tail) return;
    pgconn_transfer_open_rows(flight->transfer, queue->pg);
}

/*
 * Hands libpq what was admitted, as far as the socket takes that: libpq moves all that it still has
 * to send each time that it sends a part.
 */
static bool
queue_send(struct pgconn_queue *queue)
{
    bool whole = true;
    int left;

    while (whole && queue_may_send(queue)) {
        left = PQflush(queue->pg);
        if (left != 0) return left > 0;
        if (!flight_send(queue->pg, queue->sending, &whole)) return false;
        queue_ask_for_rows(queue);
        if (whole) queue->sending = pgconn_queue_behind(queue, queue->sending);
    }
    return true;
}

/* Nothing behind it shall be hit by a request that was meant for it. */
static void
queue_complete(struct pgconn_queue *queue)
{
    struct pgconn_flight *flight = queue->reading;

    if (flight->asked) pgconn_cancel_stop(queue->cancel);
    flight->client_encoding = PQclientEncoding(queue->pg);
    flight->complete = true;
    queue->reading = pgconn_queue_behind(queue, flight);
    if (flight->sleeper) pgconn_wait_wake(flight->sleeper);
}

/* A statement's results have ended. Gives the command whose come next. */
static struct pgconn_command *
command_answered(struct pgconn_command *command)
{
    struct pgconn_many *many = command->many;

    return many && ++many->answered < many->count ? command : command->next;
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
        if (command) flight->answering = command_answered(command);
        return command != NULL;
    }
    if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) queue_complete(queue);
    else if (!pgconn_flight_starts_copy(result)) return pgconn_queue_keep(queue, result);
    PQclear(result);
    return flight->complete;
}

/* Its caller has gone, or it is cancelled: data goes nowhere. */
static bool
flight_is_unwanted(const struct pgconn_flight *flight)
{
    return flight->abandoned || flight->unwanted;
}

static enum pgconn_step
queue_take_simple(struct pgconn_queue *queue, PGresult **result)
{
    const struct pgconn_flight *flight = queue->reading;

    if (!flight->transfer) return pgconn_simple_query_take(queue->pg, result);
    return pgconn_transfer_take(flight->transfer, queue->pg, flight_is_unwanted(flight), result);
}

/* Of the extended protocol. What comes behind a stream's rows waits until they are taken. */
static enum pgconn_step
queue_take_extended(struct pgconn_queue *queue)
{
    const struct pgconn_flight *flight = queue->reading;
    PGresult *result;

    if (flight->transfer && pgconn_transfer_is_full(flight->transfer)) return PGCONN_STEP_WANT_READ;
    result = PQgetResult(queue->pg);
    if (flight->transfer && pgconn_transfer_takes_row(flight->transfer, result)) {
        return pgconn_transfer_take_row(flight->transfer, result, flight_is_unwanted(flight));
    }
    return queue_take(queue, result) ? PGCONN_STEP_DONE : PGCONN_STEP_FAILED;
}

static enum pgconn_step
queue_take_next(struct pgconn_queue *queue)
{
    enum pgconn_step step;
    PGresult *result;

    if (!queue->reading->simple) return queue_take_extended(queue);
    step = queue_take_simple(queue, &result);
    if (step != PGCONN_STEP_DONE) return step;
    if (result) return pgconn_queue_keep(queue, result) ? PGCONN_STEP_DONE : PGCONN_STEP_FAILED;
    queue_complete(queue);
    return PGCONN_STEP_DONE;
}

/* Whether there are answers to come to what was sent, if only the beginning of a flight. */
static bool
queue_awaits_answers(const struct pgconn_queue *queue)
{
    return queue->reading && (queue->reading != queue->sending || queue->reading->sent);
}

/* Whether a piece of them is there. */
static bool
queue_has_answer(const struct pgconn_queue *queue)
{
    if (!queue_awaits_answers(queue)) return false;
    queue_ask_for_rows(queue);
    return !PQisBusy(queue->pg);
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
    while (step == PGCONN_STEP_DONE && queue_has_answer(queue)) step = queue_take_next(queue);
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

/* Whether it is a COPY IN's turn, and the server takes its data. */
static bool
queue_gives(const struct pgconn_queue *queue)
{
    const struct pgconn_transfer *transfer = queue->reading ? queue->reading->transfer : NULL;

    return transfer && transfer->open && transfer->kind == PGCONN_COPY_IN;
}

/* Whether a COPY OUT or a stream has room for more than what it has. */
static bool
queue_gathers(const struct pgconn_queue *queue)
{
    return pgconn_queue_rests_for_caller(queue) &&
           queue->reading->transfer->bytes.length < PGCONN_TRANSFER_READ_SIZE;
}

/*
 * With TLS a record may hold more than one read takes, and what is left of it doesn't show in the
 * socket. So it is read until the socket is empty, and then once more as much as a record holds; a
 * socket that isn't empty after many reads will be polled, and others have a chance before.
 */
static bool
queue_read(struct pgconn_queue *queue)
{
    int reads = READS_PER_STEP;

    if (queue_gives(queue)) pgconn_transfer_look(queue->reading->transfer, queue->pg);
    if (!queue_read_once(queue)) return false;
    while (queue_gathers(queue) && socket_is_readable(queue->pg)) {
        if (!queue_read_once(queue)) return false;
    }
    if (!PQsslInUse(queue->pg)) return true;
    while (queue_expects_more(queue) && socket_is_readable(queue->pg)) {
        if (reads-- == 0) return true;
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

/*
 * While it sends and the socket takes no more, libpq reads, so that the server may go on; of that
 * nothing shows in the socket any more.
 */
static bool
queue_read_unshown(struct pgconn_queue *queue)
{
    if (PQsslInUse(queue->pg)) return queue_read(queue);
    if (queue_take_all(queue) == PGCONN_STEP_FAILED) return false;
    pgconn_messages_gather(queue->messages, queue->pg);
    return true;
}

/* Hands libpq the data of a COPY IN. */
static bool
queue_give(struct pgconn_queue *queue)
{
    struct pgconn_flight *flight = queue->reading;

    return !queue_gives(queue) ||
           pgconn_transfer_put(flight->transfer, queue->pg, flight_is_unwanted(flight));
}

/* A flight that may leave, or data that the socket did not take in whole when it was last tried. */
static bool
queue_has_more_to_send(const struct pgconn_queue *queue)
{
    return queue_may_send(queue) || (queue_gives(queue) && !pgconn_queue_rests_for_caller(queue));
}

/* True when no more can be sent now; *unsent says whether libpq still has bytes for the server. */
static bool
queue_send_all(struct pgconn_queue *queue, bool *unsent)
{
    bool awaits;
    int left;

    do {
        awaits = queue_awaits_answers(queue);
        if (!queue_send(queue) || !queue_give(queue)) return false;
        left = PQflush(queue->pg);
        if (left < 0 || (awaits && !queue_read_unshown(queue))) return false;
    } while (left == 0 && queue_has_more_to_send(queue));
    *unsent = left > 0;
    return true;
}

/* Whether there is nothing more to be done for who drives, or something that takes the GVL. */
static bool
queue_is_done(const struct pgconn_queue *queue)
{
    const struct pgconn_flight *front = pgconn_queue_front(queue);

    if (!queue->reading || (queue->awaited && queue->awaited->complete)) return true;
    if (pgconn_queue_rests_for_caller(queue)) return true;
    return (front && pgconn_flight_is_given_up(front) && !queue->held_up) ||
           pgconn_queue_must_aim(queue);
}

/* Right after sending there is nothing to read yet: a look would be a system call for naught. */
static enum pgconn_step
queue_step_locked(struct pgconn_queue *queue)
{
    bool unsent;

    if (queue->failed) return PGCONN_STEP_FAILED;
    if (pgconn_queue_rests_for_caller(queue)) return PGCONN_STEP_DONE;
    if (!queue_may_send(queue) && !queue_read(queue)) return PGCONN_STEP_FAILED;
    if (!queue_send_all(queue, &unsent)) return PGCONN_STEP_FAILED;
    pgconn_queue_aim(queue);
    if (queue_is_done(queue)) return PGCONN_STEP_DONE;
    return unsent ? PGCONN_STEP_WANT_WRITE : PGCONN_STEP_WANT_READ;
}

enum pgconn_step
pgconn_queue_step(void *subject)
{
    struct pgconn_queue *queue = subject;
    enum pgconn_step step;

    pgconn_queue_lock(queue);
    step = queue->wanted = queue_step_locked(queue);
    pgconn_queue_unlock(queue);
    return step;
}

bool
pgconn_queue_push(struct pgconn_queue *queue)
{
    enum pgconn_step step;
    bool changed = false;

    pgconn_queue_lock(queue);
    if (queue_may_send(queue)) {
        step = queue_step_locked(queue);
        queue->failed = step == PGCONN_STEP_FAILED;
        changed = step != queue->wanted;
        queue->wanted = step;
    }
    pgconn_queue_unlock(queue);
    return changed;
}

int
pgconn_queue_descriptor(void *queue)
{
    return PQsocket(((struct pgconn_queue *)queue)->pg);
}
