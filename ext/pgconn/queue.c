#include "queue.h"

#include "forks.h"

/*
 * How many callers' flights may be unanswered at one time, and of how many bytes; one that is
 * larger goes all the same. What waits beyond that costs libpq and the server nothing. So many
 * bytes keep a link busy at 100 MB a second and 40 ms. For what runs on no caller waits.
 */
#define CALLERS_UNDER_WAY 64
#define BYTES_UNDER_WAY (4 * 1024 * 1024)

void
pgconn_queue_init(struct pgconn_queue *queue, struct pgconn_messages *messages,
                  struct pgconn_cancel *cancel)
{
    memset(queue, 0, sizeof(*queue));
    queue->messages = messages;
    queue->cancel = cancel;
    queue->forks = pgconn_forks();
    pthread_mutex_init(&queue->libpq, NULL);
    pthread_mutex_init(&queue->turn, NULL);
}

void
pgconn_queue_destroy(struct pgconn_queue *queue)
{
    struct pgconn_flight *flight;

    while ((flight = queue->head)) {
        pgconn_queue_remove(queue, flight);
        pgconn_flight_free(flight);
    }
    pthread_mutex_destroy(&queue->turn);
    pthread_mutex_destroy(&queue->libpq);
}

bool
pgconn_queue_inherited(const struct pgconn_queue *queue)
{
    return queue->forks != pgconn_forks();
}

void
pgconn_queue_enter(struct pgconn_queue *queue)
{
    __atomic_fetch_add(&queue->roamers, 1, __ATOMIC_RELAXED);
}

void
pgconn_queue_leave(struct pgconn_queue *queue)
{
    __atomic_fetch_sub(&queue->roamers, 1, __ATOMIC_RELAXED);
}

/* The number changes with the GVL held only, and who steps without it is counted: so it holds. */
static bool
queue_needs_lock(const struct pgconn_queue *queue)
{
    return __atomic_load_n(&queue->roamers, __ATOMIC_RELAXED) > 0 && !pgconn_queue_inherited(queue);
}

/* Behind all who wait already. */
static void
queue_wait_for_lock(struct pgconn_queue *queue)
{
    __atomic_fetch_add(&queue->waiting, 1, __ATOMIC_RELAXED);
    pthread_mutex_lock(&queue->turn);
    pthread_mutex_lock(&queue->libpq);
    pthread_mutex_unlock(&queue->turn);
    __atomic_fetch_sub(&queue->waiting, 1, __ATOMIC_RELAXED);
}

void
pgconn_queue_lock(struct pgconn_queue *queue)
{
    if (!queue_needs_lock(queue)) return;
    if (__atomic_load_n(&queue->waiting, __ATOMIC_RELAXED) > 0 ||
        pthread_mutex_trylock(&queue->libpq) != 0) {
        queue_wait_for_lock(queue);
    }
}

void
pgconn_queue_unlock(struct pgconn_queue *queue)
{
    if (queue_needs_lock(queue)) pthread_mutex_unlock(&queue->libpq);
}

static void
queue_unlink(struct pgconn_queue *queue, struct pgconn_flight *flight)
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
    if (queue->paused == flight) queue->paused = NULL;
    flight->next = NULL;
}

void
pgconn_queue_append(struct pgconn_queue *queue, struct pgconn_flight *flight)
{
    flight->size = pgconn_flight_size(flight);
    pgconn_queue_lock(queue);
    if (queue->tail) queue->tail->next = flight;
    else queue->head = flight;
    queue->tail = flight;
    pgconn_queue_unlock(queue);
}

enum pgconn_queue_place
pgconn_queue_place(struct pgconn_queue *queue, const struct pgconn_flight *flight)
{
    enum pgconn_queue_place place = PGCONN_PLACE_BEHIND;

    pgconn_queue_lock(queue);
    if (flight->complete) place = PGCONN_PLACE_COMPLETE;
    else if (pgconn_queue_front(queue) == flight) place = PGCONN_PLACE_FRONT;
    pgconn_queue_unlock(queue);
    return place;
}

/* What was admitted stands in front, in the order of sending, also once it is complete. */
static struct pgconn_flight **
queue_waiting(struct pgconn_queue *queue)
{
    struct pgconn_flight **link = queue->last ? &queue->last->next : &queue->head;

    while (*link && (*link)->state == PGCONN_FLIGHT_UNDER_WAY) link = &(*link)->next;
    return link;
}

static void
queue_insert(struct pgconn_queue *queue, struct pgconn_flight *flight)
{
    struct pgconn_flight **link = queue_waiting(queue);

    flight->next = *link;
    *link = flight;
    if (!flight->next) queue->tail = flight;
}

void
pgconn_queue_prepend(struct pgconn_queue *queue, struct pgconn_flight *flight)
{
    pgconn_queue_lock(queue);
    queue_insert(queue, flight);
    pgconn_queue_unlock(queue);
}

void
pgconn_queue_remove(struct pgconn_queue *queue, struct pgconn_flight *flight)
{
    pgconn_queue_lock(queue);
    queue_unlink(queue, flight);
    pgconn_queue_unlock(queue);
}

/* Those under way stand between the one whose answer comes next and the last. */
struct pgconn_flight *
pgconn_queue_behind(const struct pgconn_queue *queue, const struct pgconn_flight *flight)
{
    return flight == queue->last ? NULL : flight->next;
}

struct pgconn_flight *
pgconn_queue_front(const struct pgconn_queue *queue)
{
    struct pgconn_flight *flight = queue->reading;

    while (flight && flight->errand) flight = pgconn_queue_behind(queue, flight);
    return flight;
}

void
pgconn_load_add(struct pgconn_load *load, const struct pgconn_flight *flight)
{
    if (flight->errand && !flight->barrier) return;
    load->flights++;
    load->callers += !flight->runs_on;
    load->bytes += flight->size;
    load->barrier = load->barrier || flight->barrier;
}

struct pgconn_load
pgconn_queue_load(const struct pgconn_queue *queue)
{
    const struct pgconn_flight *at = queue->head;
    struct pgconn_load load = {0};

    for (; at && at->state == PGCONN_FLIGHT_UNDER_WAY; at = at->next) pgconn_load_add(&load, at);
    return load;
}

bool
pgconn_load_has_room(const struct pgconn_load *load, const struct pgconn_flight *flight)
{
    if (flight->errand || load->flights == 0) return true;
    return !load->barrier && !flight->barrier && load->callers < CALLERS_UNDER_WAY &&
           load->bytes < BYTES_UNDER_WAY;
}

/* What is barred may be overtaken. */
static void
queue_advance(struct pgconn_queue *queue, struct pgconn_flight *flight)
{
    if (*queue_waiting(queue) == flight) return;
    queue_unlink(queue, flight);
    queue_insert(queue, flight);
}

void
pgconn_queue_admit(struct pgconn_queue *queue, struct pgconn_flight *flight)
{
    pgconn_queue_lock(queue);
    queue_advance(queue, flight);
    flight->state = PGCONN_FLIGHT_UNDER_WAY;
    if (!queue->sending) queue->sending = flight;
    if (!queue->reading) queue->reading = flight;
    queue->last = flight;
    pgconn_queue_unlock(queue);
}

/* The last flight that libpq has; NULL: there is none. */
static struct pgconn_flight *
queue_last_sent(const struct pgconn_queue *queue)
{
    struct pgconn_flight *at = queue->reading;

    if (at == queue->sending) return NULL;
    while (at->next != queue->sending) at = at->next;
    return at;
}

void
pgconn_queue_dismiss(struct pgconn_queue *queue)
{
    struct pgconn_flight *at = queue->sending, *begun = at && at->sent ? at : NULL;

    pgconn_queue_lock(queue);
    if (begun) at = pgconn_queue_behind(queue, begun);
    for (; at; at = pgconn_queue_behind(queue, at)) {
        at->state = PGCONN_FLIGHT_QUEUED;
        at->asked = false;
    }
    if (queue->sending) {
        queue->last = begun ? begun : queue_last_sent(queue);
        if (!queue->last) queue->reading = NULL;
        queue->sending = begun;
    }
    pgconn_queue_unlock(queue);
}

void
pgconn_queue_cut(struct pgconn_queue *queue)
{
    pgconn_queue_lock(queue);
    queue->sending = queue->reading = queue->last = NULL;
    pgconn_queue_unlock(queue);
}

struct pgconn_flight *
pgconn_queue_complete_head(struct pgconn_queue *queue, bool *last)
{
    struct pgconn_flight *head;

    pgconn_queue_lock(queue);
    head = queue->head && queue->head->complete ? queue->head : NULL;
    *last = !queue->reading;
    pgconn_queue_unlock(queue);
    return head;
}

void
pgconn_queue_repeat(struct pgconn_queue *queue, struct pgconn_flight *flight)
{
    pgconn_queue_lock(queue);
    queue_unlink(queue, flight);
    pgconn_flight_rewind(flight);
    queue_insert(queue, flight);
    pgconn_queue_unlock(queue);
}

void
pgconn_queue_withdraw(struct pgconn_queue *queue, struct pgconn_flight *flight)
{
    pgconn_queue_remove(queue, flight);
    flight->state = PGCONN_FLIGHT_WITHDRAWN;
}

void
pgconn_queue_abandon(struct pgconn_queue *queue, struct pgconn_flight *flight)
{
    pgconn_queue_lock(queue);
    flight->abandoned = true;
    if (queue->paused == flight) queue->paused = NULL;
    flight->sleeper = NULL;
    if (flight->transfer) flight->transfer->waits = false;
    pgconn_queue_unlock(queue);
}

void
pgconn_queue_give_up(struct pgconn_queue *queue, struct pgconn_flight *flight)
{
    pgconn_queue_cancel(queue, flight);
    pgconn_queue_abandon(queue, flight);
}

bool
pgconn_queue_rests_for_caller(const struct pgconn_queue *queue)
{
    const struct pgconn_flight *flight = queue->reading;

    return flight && flight->transfer && flight->transfer->waits;
}

void
pgconn_queue_pause(struct pgconn_queue *queue)
{
    struct pgconn_flight *flight;

    pgconn_queue_lock(queue);
    flight = pgconn_queue_rests_for_caller(queue) ? queue->reading : NULL;
    pgconn_queue_unlock(queue);
    if (!flight || queue->paused == flight) return;
    queue->paused = flight;
    if (flight->sleeper) pgconn_wait_wake(flight->sleeper);
}

void
pgconn_queue_resume(struct pgconn_queue *queue, struct pgconn_flight *flight)
{
    pgconn_queue_lock(queue);
    flight->transfer->waits = false;
    pgconn_queue_unlock(queue);
    queue->paused = NULL;
}

bool
pgconn_queue_set_sleeper(struct pgconn_queue *queue, struct pgconn_flight *flight,
                         struct pgconn_sleeper *sleeper)
{
    bool waits;

    pgconn_queue_lock(queue);
    waits = !flight->complete;
    flight->sleeper = sleeper;
    pgconn_queue_unlock(queue);
    return waits;
}

/* Once it was complete, the step has woken its caller. */
void
pgconn_queue_end(struct pgconn_queue *queue, struct pgconn_flight *flight,
                 enum pgconn_flight_state state)
{
    pgconn_queue_remove(queue, flight);
    flight->state = state;
    if (flight->errand || flight->abandoned) pgconn_flight_free(flight);
    else if (flight->sleeper && !flight->complete) pgconn_wait_wake(flight->sleeper);
}
