#include "line.h"

#include <stdio.h>
#include <stdlib.h>

/* Room for the longest of the statements that name a savepoint. */
#define SAVEPOINT_SQL_SIZE sizeof("ROLLBACK TO SAVEPOINT pgconn_2147483647")

struct pgconn_hold *
pgconn_hold_new(void)
{
    struct pgconn_hold *hold = calloc(1, sizeof(*hold));

    if (hold && !(hold->ending = pgconn_flight_new())) {
        free(hold);
        return NULL;
    }
    if (hold) hold->references = 1;
    return hold;
}

void
pgconn_hold_release(struct pgconn_hold *hold)
{
    if (--hold->references > 0) return;
    if (hold->ending) pgconn_flight_free(hold->ending);
    free(hold);
}

VALUE
pgconn_line_dead_thread(const struct pgconn_line *line)
{
    VALUE thread = line->top ? line->top->thread : 0;

    return thread && pgconn_caller_has_ended(thread) ? thread : 0;
}

struct pgconn_hold *
pgconn_line_forsaken(const struct pgconn_line *line, VALUE dead_thread)
{
    struct pgconn_hold *hold = line->top;

    while (hold) {
        if (hold->ending && (hold->dropped || (dead_thread && hold->thread == dead_thread))) break;
        hold = hold->outer;
    }
    return hold;
}

void
pgconn_line_mark(const struct pgconn_line *line)
{
    const struct pgconn_hold *hold;

    for (hold = line->top; hold; hold = hold->outer) {
        if (hold->thread) rb_gc_mark(hold->thread);
    }
}

void
pgconn_line_clear(struct pgconn_line *line)
{
    while (line->top) pgconn_line_pop(line);
}

/* Whether a block's end waits for the blocks within it: what comes now isn't for that block. */
static bool
line_is_being_left(const struct pgconn_line *line)
{
    const struct pgconn_hold *hold = line->top;

    while (hold && !hold->left) hold = hold->outer;
    return hold != NULL;
}

/*
 * What begins and ends blocks and transactions waits for its turn in the stack; everything waits
 * for the end of a block that is queued.
 */
bool
pgconn_line_bars(const struct pgconn_line *line, const struct pgconn_flight *flight)
{
    const struct pgconn_hold *top = line->top;

    switch (flight->boundary) {
    case PGCONN_BOUNDARY_NONE:
    case PGCONN_BOUNDARY_OPEN:
        if (!top || flight->errand) return false;
        if (!top->ending) return true;
        if (top->caller == flight->caller) return false;
        return !top->shared || line_is_being_left(line);
    default:
        return top != flight->hold;
    }
}

/* An interrupted caller is in it no more, though the queue has yet to end it. */
static bool
hold_is_of(const struct pgconn_hold *hold, pgconn_caller caller)
{
    return hold->caller == caller && hold->ending;
}

bool
pgconn_line_holds(const struct pgconn_line *line, pgconn_caller caller)
{
    const struct pgconn_hold *hold;

    for (hold = line->top; hold; hold = hold->outer) {
        if (hold_is_of(hold, caller) || (hold->shared && !hold->left)) return true;
    }
    return false;
}

struct pgconn_hold *
pgconn_line_ending(const struct pgconn_line *line, pgconn_caller caller)
{
    struct pgconn_hold *hold = line->top;

    while (hold && !hold_is_of(hold, caller)) hold = hold->outer;
    return hold && hold->left && hold->outermost ? hold : NULL;
}

void
pgconn_line_push(struct pgconn_line *line, struct pgconn_hold *hold)
{
    hold->outer = line->top;
    hold->depth = hold->outer ? hold->outer->depth + 1 : 1;
    hold->open = true;
    hold->references++;
    line->top = hold;
}

void
pgconn_line_pop(struct pgconn_line *line)
{
    struct pgconn_hold *hold = line->top;

    hold->open = false;
    line->top = hold->outer;
    pgconn_hold_release(hold);
}

/* That of a caller who was interrupted stays for its LEAVE, which has nothing to do then. */
void
pgconn_line_close(struct pgconn_line *line)
{
    struct pgconn_hold *hold = line->top;

    hold->begun = false;
    if (hold->ending) pgconn_line_pop(line);
}

static bool
savepoint_write(char sql[SAVEPOINT_SQL_SIZE], const char *command, const struct pgconn_hold *hold)
{
    int length = snprintf(sql, SAVEPOINT_SQL_SIZE, "%s pgconn_%d", command, hold->depth);

    return length > 0 && (size_t)length < SAVEPOINT_SQL_SIZE;
}

static bool
begin_prepend(struct pgconn_flight *flight, struct pgconn_modes modes)
{
    char sql[PGCONN_BEGIN_SIZE];

    pgconn_modes_write_begin(modes, sql);
    flight->barrier = flight->began = true;
    return pgconn_flight_prepend(flight, PGCONN_COMMAND_QUERY, sql);
}

static bool
savepoint_prepend(struct pgconn_flight *flight, const struct pgconn_hold *hold)
{
    char sql[SAVEPOINT_SQL_SIZE];

    flight->barrier = flight->opens = true;
    return savepoint_write(sql, "SAVEPOINT", hold) &&
           pgconn_flight_prepend(flight, PGCONN_COMMAND_QUERY, sql);
}

/* From the innermost outwards, since each comes in front of what is there. */
bool
pgconn_line_begin(struct pgconn_line *line, struct pgconn_flight *flight,
                  const struct pgconn_line_state *state)
{
    struct pgconn_modes modes = state->modes;
    struct pgconn_hold *hold;

    for (hold = line->top; hold && !hold->begun; hold = hold->outer) {
        hold->savepoint = !state->idle || state->two_phase || hold->outer;
        if (hold->savepoint && !savepoint_prepend(flight, hold)) return false;
        if (!hold->outer) modes = pgconn_modes_merge(modes, hold->modes);
    }
    return !state->idle || begin_prepend(flight, modes);
}

static bool
flight_append(struct pgconn_flight *flight, const char *sql)
{
    return pgconn_flight_append(flight, PGCONN_COMMAND_QUERY, sql);
}

static bool
savepoint_append(struct pgconn_flight *flight, const char *command)
{
    char sql[SAVEPOINT_SQL_SIZE];

    return savepoint_write(sql, command, flight->hold) && flight_append(flight, sql);
}

bool
pgconn_line_end(struct pgconn_flight *flight)
{
    bool keeps = flight->boundary == PGCONN_BOUNDARY_RELEASE;

    if (flight->commands) return true;
    if (!flight->hold->savepoint) return flight_append(flight, keeps ? "COMMIT" : "ROLLBACK");
    if (!keeps && !savepoint_append(flight, "ROLLBACK TO SAVEPOINT")) return false;
    return savepoint_append(flight, "RELEASE SAVEPOINT");
}

int
pgconn_line_depth(const struct pgconn_line *line)
{
    const struct pgconn_hold *hold = line->top;

    while (hold && !hold->begun) hold = hold->outer;
    return hold ? hold->depth : 0;
}

static bool
line_is_lost(const struct pgconn_line *line)
{
    const struct pgconn_hold *hold = line->top;

    while (hold && !hold->lost) hold = hold->outer;
    return hold != NULL;
}

const char *
pgconn_line_forbids(const struct pgconn_line *line, const struct pgconn_flight *flight)
{
    bool sends = flight->commands || flight->boundary != PGCONN_BOUNDARY_NONE;

    if (!line->top || flight->boundary == PGCONN_BOUNDARY_OPEN) return NULL;
    if (sends && line_is_lost(line)) {
        return "the transaction of this block was ended by SQL in it: nothing more can be done in "
               "the block, and its end commits nothing";
    }
    return flight->ends ? "a transaction can't be ended by SQL " PGCONN_LINE_INSIDE : NULL;
}

static bool
command_succeeded(const struct pgconn_command *command)
{
    return PQresultStatus(command->result) == PGRES_COMMAND_OK;
}

/* The outermost comes first; gives the first command behind those that begin blocks. */
static const struct pgconn_command *
hold_settle_begin(struct pgconn_hold *hold, const struct pgconn_command *command)
{
    if (!hold || hold->begun) return command;
    command = hold_settle_begin(hold->outer, command);
    hold->begun = command_succeeded(command);
    return command->next;
}

/* A BEGIN for blocks that are all savepoints belongs to none of them. */
static const struct pgconn_command *
first_of_blocks(const struct pgconn_line *line, const struct pgconn_flight *flight)
{
    const struct pgconn_hold *hold = line->top;

    while (hold && hold->outer) hold = hold->outer;
    return flight->began && hold && hold->savepoint ? flight->commands->next : flight->commands;
}

/* A transaction in which nothing was done so far: it will begin once more. */
static void
line_take_back(struct pgconn_line *line)
{
    struct pgconn_hold *hold;

    for (hold = line->top; hold; hold = hold->outer) hold->begun = false;
}

/*
 * Another transaction may be open, which one of several statements has begun: LEAVE rolls it back.
 */
static void
line_lose(struct pgconn_line *line, bool in_transaction)
{
    struct pgconn_hold *hold;

    for (hold = line->top; hold; hold = hold->outer) {
        if (!hold->begun) continue;
        hold->lost = true;
        hold->savepoint = false;
        hold->begun = in_transaction;
    }
}

/* The tag of ROLLBACK TO is that of ROLLBACK: so it counts whether there was a ROLLBACK at all. */
bool
pgconn_line_has_ended_transaction(const struct pgconn_flight *flight)
{
    const struct pgconn_command *command;
    const char *tag;

    if (!flight->may_end && !flight->ends) return false;
    for (command = flight->commands; command; command = command->next) {
        tag = command->result ? PQcmdStatus(command->result) : "";
        if (strcmp(tag, "COMMIT") == 0 || strcmp(tag, "ROLLBACK") == 0) return true;
        if (strcmp(tag, "PREPARE TRANSACTION") == 0) return true;
    }
    return false;
}

void
pgconn_line_settle(struct pgconn_line *line, const struct pgconn_flight *flight,
                   PGTransactionStatusType transaction)
{
    switch (flight->boundary) {
    case PGCONN_BOUNDARY_LEAVE:
        pgconn_line_pop(line);
        break;
    case PGCONN_BOUNDARY_RELEASE:
        if (command_succeeded(flight->commands)) pgconn_line_close(line);
        break;
    case PGCONN_BOUNDARY_END:
        if (flight->hold && transaction == PQTRANS_IDLE) pgconn_line_close(line);
        break;
    default:
        if (!flight->began && !flight->opens) break;
        hold_settle_begin(line->top, first_of_blocks(line, flight));
    }
    if (flight->errand == PGCONN_ERRAND_ROLLBACK) line_take_back(line);
    else if (transaction == PQTRANS_IDLE || pgconn_line_has_ended_transaction(flight)) {
        line_lose(line, transaction != PQTRANS_IDLE);
    }
}
