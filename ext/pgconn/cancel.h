/*
 * Cancel requests. PQcancel blocks without limit against a silent peer, so it runs in a detached
 * thread of its own that outlives an interrupted caller and touches nothing of the connection.
 *
 * A request that reaches the server before the statement does has no effect. So the thread repeats
 * it a few times, until it is told that the statement was answered. That hits nothing else as
 * long as nothing else is sent before the thread has ended.
 */
#ifndef PGCONN_CANCEL_H
#define PGCONN_CANCEL_H

#include "wait.h"

/* At most one request is under way for a connection: it names a session, not a statement. */
struct pgconn_cancel {
    int thread;   /* our end of a socket pair with the thread; -1: none is under way */
    bool stopped; /* the thread was told to end */
};

void pgconn_cancel_init(struct pgconn_cancel *cancel);

/* Starts a request, or leaves alone the one that is under way. False: out of resources. */
bool pgconn_cancel_start(struct pgconn_cancel *cancel, PGconn *pg);

/* The statement was answered: the thread shall end. */
void pgconn_cancel_stop(struct pgconn_cancel *cancel);

/* Whether no request is under way any more; forgets one that has ended. Never waits. */
bool pgconn_cancel_ended(struct pgconn_cancel *cancel);

/*
 * Waits until the thread has ended; connection as a stepper has it. Never raises. Who forgets the
 * request meanwhile has to ring the doorbell: the end doesn't show any more then.
 */
enum pgconn_wait_end pgconn_cancel_wait(const struct pgconn_cancel *cancel, pgconn_time deadline,
                                        VALUE connection, struct pgconn_wakeup **doorbell);

/* Forgets the request that is under way; its thread ends by itself. */
void pgconn_cancel_forget(struct pgconn_cancel *cancel);

/*
 * A second descriptor for who waits until the request was delivered, to be closed by the caller;
 * -1: none is under way. Once it is readable, pgconn_cancel_message says how it went.
 */
int pgconn_cancel_watch(const struct pgconn_cancel *cancel);

/* Room for the text below, as PQcancel's documentation recommends. */
#define PGCONN_CANCEL_MESSAGE_SIZE 256

/* libpq's text on why the request could not be delivered, empty when it was; a C string. */
void pgconn_cancel_message(int watch, char *text, size_t size);

#endif
