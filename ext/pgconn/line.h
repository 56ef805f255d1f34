/*
 * Who holds the line to the server. While a `transaction { }` is open, the flights of its caller
 * pass and those of others wait in the queue, unless it is shared. Holds are a stack: blocks in
 * blocks. All of it runs with the GVL held; nothing raises, unless that is said.
 */
#ifndef PGCONN_LINE_H
#define PGCONN_LINE_H

#include "flight.h"

/* Where something can't be done, and what to do instead. */
#define PGCONN_LINE_INSIDE \
    "inside transaction { }: its end commits, and raising Pgconn::Rollback in it rolls back"

struct pgconn_hold {
    struct pgconn_hold *outer;
    pgconn_caller caller;
    VALUE thread;   /* its caller's, marked while it is open; 0: not known yet */
    int references; /* its caller's, and the stack's while it is open */
    bool dropped;   /* in the middle of the block: its caller's Fiber was collected, say */
    bool shared;    /* other callers' flights pass, too */
    bool outermost; /* no transaction was open when it was opened: it begins and ends its own */
    bool in_place_of_autocommit; /* it is opened only where statements commit by themselves */
    bool open;                   /* it is in the stack */
    bool left;                   /* by its caller: only its end is still to come */
    bool begun; /* the server knows of it: as a savepoint, or as the transaction itself */
    bool savepoint;
    bool lost; /* SQL of the user's has ended the transaction that it began, or was part of */
    int depth; /* in the stack, from 1 on: names the savepoint */
    struct pgconn_modes modes; /* of its BEGIN, where they aren't the session's */
    struct pgconn_flight
        *ending; /* made beforehand: what leaves it can't fail then; NULL: queued */
};

/* What a session knows when a flight is about to be sent. */
struct pgconn_line_state {
    bool idle;      /* no transaction is open */
    bool two_phase; /* the one that begins is tpc_begin's: a block is only part of it */
    struct pgconn_modes modes;
};

struct pgconn_line {
    struct pgconn_hold *top; /* NULL: nobody holds it */
};

/* With one reference, which release gives back; NULL when out of memory. */
struct pgconn_hold *pgconn_hold_new(void);
void pgconn_hold_release(struct pgconn_hold *hold);

/*
 * The thread of the hold on top if it has ended, for a Fiber can't be resumed by another one; or 0.
 * Threads may be switched meanwhile. Raises what interrupts raise.
 */
VALUE pgconn_line_dead_thread(const struct pgconn_line *line);

/* A hold that nobody can leave any more, though its end isn't queued yet; or NULL. */
struct pgconn_hold *pgconn_line_forsaken(const struct pgconn_line *line, VALUE dead_thread);

/* For the garbage collector: none of it moves. */
void pgconn_line_mark(const struct pgconn_line *line);

/* Takes all holds off the stack. */
void pgconn_line_clear(struct pgconn_line *line);

/* Whether the flight must wait until another caller's hold ends, or until its own is on top. */
bool pgconn_line_bars(const struct pgconn_line *line, const struct pgconn_flight *flight);

/* Whether what the caller does is part of a block that is open: of its own, or of a shared one. */
bool pgconn_line_holds(const struct pgconn_line *line, pgconn_caller caller);

/* The block that begins and ends a transaction, and that the caller is just ending; or NULL. */
struct pgconn_hold *pgconn_line_ending(const struct pgconn_line *line, pgconn_caller caller);

/* Puts a hold on top, or takes that on top away. */
void pgconn_line_push(struct pgconn_line *line, struct pgconn_hold *hold);
void pgconn_line_pop(struct pgconn_line *line);

/*
 * What was done in the hold on top is kept or undone: it has ended, and what its caller does from
 * now on is outside of it. It leaves the stack.
 */
void pgconn_line_close(struct pgconn_line *line);

/*
 * Puts in front of a flight what begins the blocks that the server doesn't know yet: BEGIN where no
 * transaction is open, which flight->began tells, and SAVEPOINTs. False when out of memory.
 */
bool pgconn_line_begin(struct pgconn_line *line, struct pgconn_flight *flight,
                       const struct pgconn_line_state *state);

/* Gives a RELEASE or a LEAVE its statements, unless it has them. False when out of memory. */
bool pgconn_line_end(struct pgconn_flight *flight);

/* The depth of the innermost block that the server knows of; 0: there is none. */
int pgconn_line_depth(const struct pgconn_line *line);

/* Whether the user's SQL in the flight has ended a transaction, with another one open perhaps. */
bool pgconn_line_has_ended_transaction(const struct pgconn_flight *flight);

/* Why the flight, whose turn it is, can't be sent in the block that is open; or NULL. */
const char *pgconn_line_forbids(const struct pgconn_line *line, const struct pgconn_flight *flight);

/*
 * After the flight's answer, and with the session's state: which blocks has it begun, ended or
 * lost?
 */
void pgconn_line_settle(struct pgconn_line *line, const struct pgconn_flight *flight,
                        PGTransactionStatusType transaction);

#endif
