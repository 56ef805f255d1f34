/*
 * Telling a tracer of commands. Where there is none it costs one comparison.
 */
#ifndef PGCONN_TRACER_H
#define PGCONN_TRACER_H

#include "wait.h"

/* What is told of each command of a connection. */
struct pgconn_tracer {
    VALUE callable; /* nil: nobody is */
    VALUE connection;
};

void pgconn_tracer_init(struct pgconn_tracer *tracer, VALUE connection);
void pgconn_tracer_mark(const struct pgconn_tracer *tracer);
void pgconn_tracer_compact(struct pgconn_tracer *tracer);

/*
 * Runs a command, which gives a Pgconn::Result, or nil where nothing was sent, and tells the tracer
 * of it, once it is done or has raised. Gives and raises what the command does, or what the tracer
 * raises after a command that succeeded. What is left by a throw or a kill isn't told.
 */
VALUE pgconn_tracer_run(const struct pgconn_tracer *tracer, VALUE sql, VALUE (*command)(VALUE),
                        VALUE argument);

/* Tells the tracer, if there is one, of a command that began then. rows or error: nil. */
void pgconn_tracer_tell(const struct pgconn_tracer *tracer, VALUE sql, pgconn_time started,
                        VALUE rows, VALUE error);

#endif
