/*
 * From the end of a flight to what its caller gets: a Pgconn::Result or an exception.
 */
#ifndef PGCONN_ANSWER_H
#define PGCONN_ANSWER_H

#include "driver.h"
#include "error.h"

/* What a caller asks for, as errors tell it. */
struct pgconn_request {
    VALUE sql;       /* the user's own text, or nil; see ahead */
    VALUE text;      /* the user's own, where more is sent around it, behind ahead; or nil */
    VALUE arguments; /* as the user gave them: positions are counted in the user's text */
    VALUE cursor;    /* or nil */
    VALUE timeout;   /* nil or a Numeric of seconds, for messages */
    pgconn_time deadline;
    VALUE registry; /* of the types in the result; or nil */
    VALUE plan;     /* by which the last such result was read; or nil. Replaced where it is wrong */
    VALUE spare;    /* a Pgconn::Result to be used again, or nil */
    /*
     * Slots of the cursor, or NULL, that get the result, and an Array of those behind it (or nil),
     * before handlers are called.
     */
    VALUE *slot, *further;
    /* Makes the error that an answer without one means all the same; gives nil. Or NULL. */
    VALUE (*fault)(const struct pgconn_request *request, const PGresult *result);
    struct pgconn_resource *resource; /* that it makes or uses, see flight.h; or NULL */
    const char *inside;               /* see flight.h */
    /* Gets the flight once rows have come: they are streamed. Or NULL: they are the result's. */
    struct pgconn_flight **paused;
    pgconn_caller enumerator; /* of a stream, see transfer.h */
    const char *portal;       /* to be described behind it, in the client encoding; or NULL */
    long ahead;               /* characters that are put in front of the user's own text in sql */
    bool makes;               /* the resource */
    bool quiet;    /* part of a command: its messages are delivered with the rest of it */
    bool joins;    /* the transaction that is open, but begins none */
    bool relies;   /* on what was learned of its statement, which may be to blame for an error */
    bool repeated; /* it was sent before, and refused */
};

enum pgconn_answer {
    PGCONN_ANSWER_RESULT,   /* *result is a Pgconn::Result, or nil for a flight without a command */
    PGCONN_ANSWER_OUTDATED, /* never sent: the flight must be made again */
    PGCONN_ANSWER_PAUSED,   /* its transfer needs the caller; the flight is the caller's still */
    PGCONN_ANSWER_REFUSED,  /* for no fault of its own; nothing is lost: it can be sent again */
};

/* For the garbage collector, where a request isn't on its caller's stack: none of it moves. */
void pgconn_answer_mark_request(const struct pgconn_request *request);

/* No statement of the user's; the deadline is counted from now. */
struct pgconn_request pgconn_answer_request(VALUE timeout);

/*
 * Runs the flight, which it takes over, to its answer, and then calls the handlers of messages.
 * Raises for errors of the server, what the session's state forbids, deadlines, losses and
 * interrupts; where there is no such error, what handlers raise. The caller keeps the connection
 * alive.
 */
enum pgconn_answer pgconn_answer_wait(struct pgconn_session *session, struct pgconn_flight *flight,
                                      struct pgconn_request *request, VALUE *result);

/* Goes on with a paused flight in the same way. Whatever it raises, the flight is gone. */
enum pgconn_answer pgconn_answer_resume(struct pgconn_session *session,
                                        struct pgconn_flight *flight,
                                        struct pgconn_request *request, VALUE *result);

/*
 * Sends what this caller has gathered in a pipeline, which goes ahead of the flight; frees the
 * flight if that raises. Part of pgconn_answer_wait, for who runs a flight in steps.
 */
void pgconn_answer_let_pass(const struct pgconn_session *session, struct pgconn_flight *flight);

/*
 * The same in steps, for a flight of several statements. Runs it; the flight is the caller's again
 * as pgconn_run_gives_back says. Raises as the wait may, and where this caller can't wait.
 */
enum pgconn_run_end pgconn_answer_run(struct pgconn_session *session, struct pgconn_flight *flight,
                                      pgconn_time deadline);

/* A Pgconn::Result with what a command of the flight was answered. */
VALUE pgconn_answer_take(struct pgconn_flight *flight, struct pgconn_command *command,
                         struct pgconn_request *request);

/*
 * Raises ProgrammingError where the caller can't wait for this connection: it is async and this no
 * operation, or the caller is in the middle of a COPY or a stream of its own, or of a wait for it,
 * called by what does the waiting.
 */
void pgconn_answer_check_caller(const struct pgconn_session *session);

/* Calls the handlers of messages, whose errors are dropped where an error is about to come out. */
void pgconn_answer_deliver(struct pgconn_session *session, bool failed);

/* Why it would raise; NULL: the caller can wait. (answer_caller.c, as the check) */
const char *pgconn_answer_objection(const struct pgconn_session *session);

/*
 * Exceptions that tell of a request: answer_error.c.
 */

/* The exception for an end that is no answer. flight: NULL where the queue has it. */
VALUE pgconn_answer_run_error(const struct pgconn_session *session,
                              const struct pgconn_flight *flight,
                              const struct pgconn_request *request, enum pgconn_run_end end);

/*
 * Raises QueryCanceledError once the deadline has passed, for what is gone on with from time to
 * time; the outcome is that of what isn't.
 */
void pgconn_answer_check_time(const struct pgconn_request *request, const char *outcome);

/* The exception for a transfer that was cancelled too late for the server, but not for us. */
VALUE pgconn_answer_dropped_error(const struct pgconn_flight *flight,
                                  const struct pgconn_request *request);

/* The exception for a flight without statements, whose wait has ended so. */
VALUE pgconn_answer_sync_error(const struct pgconn_request *request, enum pgconn_run_end end);

/* The exception for an error that is the answer to a statement of the flight. */
VALUE pgconn_answer_error(const struct pgconn_session *session, const struct pgconn_flight *flight,
                          const PGresult *result, const struct pgconn_request *request);

/* The same for what may also be the beginning of a COPY, where there can be none. */
VALUE pgconn_answer_refusal(const struct pgconn_session *session,
                            const struct pgconn_flight *flight, const PGresult *result,
                            const struct pgconn_request *request);

/*
 * Relates a new error of the flight to what has failed its transaction: if it is that, others get
 * it as their cause; an InFailedSqlTransaction gets its cause. Gives the error; a part of the two
 * above.
 */
VALUE pgconn_answer_relate(const struct pgconn_session *session, const struct pgconn_flight *flight,
                           VALUE error);

/*
 * The exception for a connection that was lost before: ConnectionLost, with the server's last
 * words.
 */
VALUE pgconn_answer_loss(const struct pgconn_session *session);

/* The exception for who waited, without a statement, while the connection was lost or closed. */
VALUE pgconn_answer_end(const struct pgconn_session *session);

#endif
