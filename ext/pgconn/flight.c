#include "flight.h"

#include <poll.h>

/* A TLS record has up to 16 KB, and libpq makes room for 8 KB or more before each read. */
#define READS_PER_TLS_RECORD 3

/* How many callers' flights may be unanswered at one time. */
#define CALLERS_UNDER_WAY 1

struct pgconn_flight *
pgconn_flight_new(void)
{
    return calloc(1, sizeof(struct pgconn_flight));
}

static void
command_free(struct pgconn_command *command)
{
    PQclear(command->result);
    pgconn_params_free(&command->params);
    free(command->sql);
    if (!command->within) free(command);
}

void
pgconn_flight_free(struct pgconn_flight *flight)
{
    struct pgconn_command *command;

    while ((command = flight->commands)) {
        flight->commands = command->next;
        command_free(command);
    }
    /* Not answered: then it was never sent, or is lost with the session. */
    if (flight->names && flight->prepared->state == PGCONN_PREPARED_UNDER_WAY) {
        flight->prepared->state = PGCONN_PREPARED_UNNAMED;
    }
    pgconn_prepared_release(flight->prepared);
    free(flight);
}

/* The first command that a flight gets is within it. */
static struct pgconn_command *
command_new(struct pgconn_flight *flight, enum pgconn_command_kind kind, const char *sql)
{
    struct pgconn_command *command = &flight->only;
    char *copy = sql ? strdup(sql) : NULL;

    if (sql && !copy) return NULL;
    if (command->within) command = calloc(1, sizeof(*command));
    else command->within = true;
    if (!command) {
        free(copy);
        return NULL;
    }
    command->kind = kind;
    command->sql = copy;
    return command;
}

struct pgconn_command *
pgconn_flight_append(struct pgconn_flight *flight, enum pgconn_command_kind kind, const char *sql)
{
    struct pgconn_command **link = &flight->commands;

    while (*link) link = &(*link)->next;
    return *link = command_new(flight, kind, sql);
}

struct pgconn_command *
pgconn_flight_prepend(struct pgconn_flight *flight, enum pgconn_command_kind kind, const char *sql)
{
    struct pgconn_command *command = command_new(flight, kind, sql);

    if (!command) return NULL;
    command->next = flight->commands;
    return flight->commands = command;
}

static bool
result_is_error(const PGresult *result)
{
    return PQresultStatus(result) == PGRES_FATAL_ERROR;
}

PGresult *
pgconn_flight_result(const struct pgconn_flight *flight)
{
    struct pgconn_command *command;
    PGresult *result = NULL;

    for (command = flight->commands; command; command = command->next) {
        result = command->result;
        if (result && result_is_error(result)) break;
    }
    return result;
}

const char *
pgconn_flight_tag(const struct pgconn_flight *flight)
{
    PGresult *result = pgconn_flight_result(flight);

    return result ? PQcmdStatus(result) : "";
}

PGresult *
pgconn_flight_take_result(struct pgconn_flight *flight)
{
    struct pgconn_command *command = flight->commands;
    PGresult *result;

    if (!command) return NULL;
    while (command->next) command = command->next;
    result = command->result;
    command->result = NULL;
    return result;
}

void
pgconn_queue_init(struct pgconn_queue *queue)
{
    memset(queue, 0, sizeof(*queue));
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
    PQclear(queue->last_words);
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

void
pgconn_queue_admit(struct pgconn_queue *queue, struct pgconn_flight *flight)
{
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

static int
command_hand_over(PGconn *pg, const struct pgconn_command *command)
{
    const struct pgconn_params *params = &command->params;

    switch (command->kind) {
    case PGCONN_COMMAND_PREPARE:
        return PQsendPrepare(pg, command->name, command->sql, params->count, params->types);
    case PGCONN_COMMAND_DESCRIBE:
        return PQsendDescribePrepared(pg, command->name);
    case PGCONN_COMMAND_EXECUTE:
        return PQsendQueryPrepared(pg, command->name, params->count, params->values,
                                   params->lengths, params->formats, command->result_format);
    default:
        return PQsendQueryParams(pg, command->sql, params->count, params->types, params->values,
                                 params->lengths, params->formats, command->result_format);
    }
}

static bool
command_send(PGconn *pg, struct pgconn_command *command)
{
    bool sent = command_hand_over(pg, command) == 1;

    /* libpq has copied all of it. */
    pgconn_params_free(&command->params);
    return sent;
}

static bool
flight_send(PGconn *pg, struct pgconn_flight *flight)
{
    struct pgconn_command *command;

    flight->answering = flight->commands;
    for (command = flight->commands; command; command = command->next) {
        if (!command_send(pg, command)) return false;
        flight->sent = true;
    }
    return PQpipelineSync(pg) == 1;
}

/* Hands libpq what was admitted; *sent says whether there was anything. */
static bool
queue_send(struct pgconn_queue *queue, bool *sent)
{
    struct pgconn_flight *flight;

    *sent = queue->sending != NULL;
    while ((flight = queue->sending)) {
        queue->sending = flight == queue->last ? NULL : flight->next;
        if (!flight_send(queue->pg, flight)) return false;
    }
    return true;
}

static bool
result_starts_copy(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

/* A FATAL or PANIC error speaks of the session, not of the statement that it met. */
static bool
result_ends_session(const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

    return severity && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0);
}

/* What is said of a statement is kept for its next execution, too, and what changes the session. */
static bool
command_is_awaited(const struct pgconn_flight *flight, const struct pgconn_command *command)
{
    return !flight->abandoned || flight->forgets || flight->two_phase ||
           command->kind == PGCONN_COMMAND_PREPARE || command->kind == PGCONN_COMMAND_DESCRIBE;
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
    if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
        flight->complete = true;
        queue->reading = flight == queue->last ? NULL : flight->next;
    }
    else if (result_starts_copy(result)) {
        PQclear(result);
        return false;
    }
    else if (!queue->last_words && result_ends_session(result)) {
        queue->last_words = result;
        return true;
    }
    else if (command && !command->result && command_is_awaited(flight, command)) {
        command->result = result;
        return true;
    }
    PQclear(result);
    return true;
}

/*
 * One read, and what came with it. When the connection has ended, what had arrived before counts
 * all the same: false only if it isn't enough.
 */
static bool
queue_read_once(struct pgconn_queue *queue)
{
    bool consumed = PQconsumeInput(queue->pg);

    while (queue->reading && !PQisBusy(queue->pg)) {
        if (queue_take(queue, PQgetResult(queue->pg))) continue;
        if (consumed) queue->failure = "the server's answer doesn't belong to what was asked";
        return false;
    }
    return consumed || !queue->reading;
}

static bool
queue_read_record(struct pgconn_queue *queue)
{
    int reads = READS_PER_TLS_RECORD;

    while (queue->reading && reads-- > 0) {
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
    while (queue->reading && socket_is_readable(queue->pg)) {
        if (!queue_read_once(queue)) return false;
    }
    return queue_read_record(queue);
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
    if (!sent && !queue_read(queue)) return PGCONN_STEP_FAILED;
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
