/*
 * From the end of a flight to what its caller gets: a Pgconn::Result or an exception.
 */
#ifndef PGCONN_ANSWER_H
#define PGCONN_ANSWER_H

#include "driver.h"
#include "error.h"

/* What an error says of the statement that met it. */
struct pgconn_statement {
    VALUE sql;       /* the user's own text, or nil */
    VALUE arguments; /* as the user gave them: positions are counted in the user's text */
    VALUE cursor;    /* or nil */
    VALUE timeout;   /* nil or a Numeric of seconds, for messages */
    pgconn_time deadline;
};

/* No statement of the user's; the deadline is counted from now. */
struct pgconn_statement pgconn_answer_statement(VALUE timeout);

/*
 * Runs the flight, which it takes over, and gives its result as a Pgconn::Result, or nil for a
 * flight without statements and for one that needn't be sent; Qundef where it must be encoded
 * again. Raises for errors of the server, deadlines, losses and interrupts. The caller keeps the
 * connection alive.
 */
VALUE pgconn_answer_wait(struct pgconn_session *session, struct pgconn_flight *flight,
                         const struct pgconn_statement *statement);

/*
 * The exception for a connection that was lost before: ConnectionLost, with the server's last
 * words.
 */
VALUE pgconn_answer_loss(const struct pgconn_session *session);

#endif
