/*
 * The one queue of flights that a connection has. Sending and reading are steps that never wait.
 *
 * Who may touch what: one caller at a time drives, that is, makes the steps, mostly without the
 * GVL; the others come and go with the GVL held. So
 * - links, `last`, and of flights `abandoned`, `sleeper` and `unwanted` are changed with the GVL
 *   and `libpq` held, and may be looked at with either;
 * - `sending`, `reading`, and of flights `complete`, transfers and answers are changed by steps,
 *   with `libpq` held alone, and are looked at with it; a transfer that waits for its caller is
 *   that one's;
 * - all else of a flight belongs to who has the GVL, but its commands to the steps from when it is
 *   admitted until it is complete.
 * A function takes `libpq` itself unless it says that the caller holds it. Nobody waits for
 * anything else meanwhile, so who has the GVL may wait for it.
 */
#ifndef PGCONN_QUEUE_H
#define PGCONN_QUEUE_H

#include "cancel.h"
#include "flight.h"

enum pgconn_queue_place {
    PGCONN_PLACE_COMPLETE,
    PGCONN_PLACE_FRONT,  /* its answer is the next that a caller gets */
    PGCONN_PLACE_BEHIND, /* another caller's comes first */
};

struct pgconn_queue {
    PGconn *pg;
    struct pgconn_flight *head, *tail;
    struct pgconn_flight *sending; /* the first that libpq doesn't have, up to last */
    struct pgconn_flight *reading; /* the one whose answer comes next; NULL: none under way */
    struct pgconn_flight *last;    /* the last that the step may send */
    struct pgconn_flight *paused;  /* its transfer waits for its caller, who comes back; or NULL */
    const struct pgconn_flight *awaited; /* the driver's own: complete, it ends the driving */
    bool held_up; /* who drives knows that the flight at the head was given up */
    bool rests;   /* who drives waits for the end of a cancel request, which is to be left alone */
    bool listening;          /* reads although no answer is awaited */
    bool failed;             /* a push has: so does the next step */
    enum pgconn_step wanted; /* what the last step has said */
    const char *failure;     /* why the step failed, where libpq doesn't know */
    struct pgconn_messages *messages;
    struct pgconn_cancel *cancel;
    int roamers; /* who may make steps without the GVL: without any the GVL guards all */
    int waiting; /* for libpq: steps that follow each other let them in */
    pthread_mutex_t libpq;
    pthread_mutex_t turn; /* the first of those who wait has it */
    unsigned long forks;  /* of this process when the queue was made */
};

/* The queue takes what it reads of messages to the given lists, and cancels by that request. */
void pgconn_queue_init(struct pgconn_queue *queue, struct pgconn_messages *messages,
                       struct pgconn_cancel *cancel);
void pgconn_queue_destroy(struct pgconn_queue *queue);

/* Whether this process is a fork of the one that made the queue. */
bool pgconn_queue_inherited(const struct pgconn_queue *queue);

/* Round a wait whose steps are made without the GVL; both with it. */
void pgconn_queue_enter(struct pgconn_queue *queue);
void pgconn_queue_leave(struct pgconn_queue *queue);

/*
 * Takes and gives back `libpq`, in the order of asking. Nothing where nobody makes steps without
 * the GVL, nor in a forked child, where its owner may not exist. The GVL is kept in between.
 */
void pgconn_queue_lock(struct pgconn_queue *queue);
void pgconn_queue_unlock(struct pgconn_queue *queue);

void pgconn_queue_append(struct pgconn_queue *queue, struct pgconn_flight *flight);

/* Ahead of all that waits. */
void pgconn_queue_prepend(struct pgconn_queue *queue, struct pgconn_flight *flight);

void pgconn_queue_remove(struct pgconn_queue *queue, struct pgconn_flight *flight);

/* Takes back a flight that wasn't sent. */
void pgconn_queue_withdraw(struct pgconn_queue *queue, struct pgconn_flight *flight);

/* The caller has gone: the answer will be read and dropped. */
void pgconn_queue_abandon(struct pgconn_queue *queue, struct pgconn_flight *flight);

/*
 * The same in the middle of its wait: the server is asked to cancel it. Also a COPY IN, for which
 * an end of its data as an error is not enough: the server may be busy with what it has of it.
 */
void pgconn_queue_give_up(struct pgconn_queue *queue, struct pgconn_flight *flight);

/* Notes the flight whose transfer waits for its caller, and wakes that one, if there is one. */
void pgconn_queue_pause(struct pgconn_queue *queue);

/* Its caller has come back. */
void pgconn_queue_resume(struct pgconn_queue *queue, struct pgconn_flight *flight);

/* Whether steps can do nothing before its caller comes back. The caller holds `libpq`. */
bool pgconn_queue_rests_for_caller(const struct pgconn_queue *queue);

/*
 * Has the sleeper woken when the flight is complete, or has met another end; NULL: nobody any more.
 * False: it is complete already.
 */
bool pgconn_queue_set_sleeper(struct pgconn_queue *queue, struct pgconn_flight *flight,
                              struct pgconn_sleeper *sleeper);

/* A complete flight goes once more, ahead of all that waits; see pgconn_flight_rewind. */
void pgconn_queue_repeat(struct pgconn_queue *queue, struct pgconn_flight *flight);

/* Takes out a flight that has met its end: wakes its caller or, where nobody waits, frees it. */
void pgconn_queue_end(struct pgconn_queue *queue, struct pgconn_flight *flight,
                      enum pgconn_flight_state state);

/* What is under way. */
struct pgconn_load {
    int flights;
    int callers; /* who wait for them */
    size_t bytes;
    bool barrier;
};

/*
 * The driver's own flights are no load unless they are barriers, nor do they wait for room; all
 * others wait until the answer to another was taken over if there is none.
 */
struct pgconn_load pgconn_queue_load(const struct pgconn_queue *queue);
void pgconn_load_add(struct pgconn_load *load, const struct pgconn_flight *flight);
bool pgconn_load_has_room(const struct pgconn_load *load, const struct pgconn_flight *flight);

/* Lets the step send the flight: it is the next, whatever waits in front of it. */
void pgconn_queue_admit(struct pgconn_queue *queue, struct pgconn_flight *flight);

/* Takes back what was admitted but not sent, because the wait ended before its first step. */
void pgconn_queue_dismiss(struct pgconn_queue *queue);

/* The session is lost: nothing is under way any more. For when nobody drives. */
void pgconn_queue_cut(struct pgconn_queue *queue);

/* The flight at the head if it is complete, else NULL. *last: no other answer is awaited. */
struct pgconn_flight *pgconn_queue_complete_head(struct pgconn_queue *queue, bool *last);

/*
 * The flight whose answer is the next that a caller gets; NULL: there is none. The caller holds
 * `libpq`.
 */
struct pgconn_flight *pgconn_queue_front(const struct pgconn_queue *queue);

/* Where a flight that was admitted stands. */
enum pgconn_queue_place pgconn_queue_place(struct pgconn_queue *queue,
                                           const struct pgconn_flight *flight);

/* The next under way behind that one, or NULL. The caller holds `libpq`. */
struct pgconn_flight *pgconn_queue_behind(const struct pgconn_queue *queue,
                                          const struct pgconn_flight *flight);

/*
 * The server is to be asked to cancel the flight, which is under way: now, if its answer is the
 * next; else when it comes to that. False: that could not be done. (queue_cancel.c)
 */
bool pgconn_queue_cancel(struct pgconn_queue *queue, struct pgconn_flight *flight);

/*
 * Asks the server to cancel the flight at the front, if that is unwanted and it wasn't asked
 * before. The caller holds `libpq`. (queue_cancel.c)
 */
void pgconn_queue_aim(struct pgconn_queue *queue);

/*
 * Whether the last request has to end before the server can be asked to cancel the flight at the
 * front. The caller holds `libpq`. (queue_cancel.c)
 */
bool pgconn_queue_must_aim(const struct pgconn_queue *queue);

/*
 * Sends what was admitted and reads what has come. DONE: all admitted flights are answered, or the
 * one that is awaited, or who drives has to look at how things stand. FAILED: the connection is
 * lost, PQerrorMessage says how. A pgconn_stepper's step. (queue_step.c)
 */
enum pgconn_step pgconn_queue_step(void *queue);
int pgconn_queue_descriptor(void *queue);

/*
 * Sends what was admitted, while somebody drives who may be waiting for the socket. True: that one
 * has to make another step, for what it waits for has changed. (queue_step.c)
 */
bool pgconn_queue_push(struct pgconn_queue *queue);

/*
 * Keeps or clears a result of the flight whose answer is being read. False when out of memory. A
 * part of the step. (queue_keep.c)
 */
bool pgconn_queue_keep(struct pgconn_queue *queue, PGresult *result);

/*
 * Reads what the server says, all of it, while nothing is under way or a COPY IN waits. False: the
 * connection is lost. The caller holds `libpq`. (queue_step.c)
 */
bool pgconn_queue_listen(struct pgconn_queue *queue);

#endif
