/*
 * How an execution becomes a flight: what the files of execution share. All but parameters_copy may
 * raise.
 */
#ifndef PGCONN_EXECUTION_FLIGHT_H
#define PGCONN_EXECUTION_FLIGHT_H

#include "execution.h"

/* On its caller's stack. */
struct pgconn_execution {
    const struct pgconn_executor *executor;
    struct pgconn_request *request;
    VALUE statement;
    struct pgconn_statement *known; /* the same, as long as the object is kept */
    struct pgconn_arguments arguments;
    struct pgconn_flight *flight; /* while it is made */
    VALUE rows;                   /* of execute_many, an Array */
    long row;                     /* the one that is being encoded; -1: none */
};

/* Adds a command about the statement to the flight that is made. */
struct pgconn_command *pgconn_execution_command_add(struct pgconn_execution *execution,
                                                    enum pgconn_command_kind kind,
                                                    const char *name);

/* Parse under a name, or without one, and Describe. */
void pgconn_execution_preparation_add(struct pgconn_execution *execution, const char *name,
                                      const struct pgconn_parameter *parameters);

/*
 * What the server has said of the parameters, copied to a buffer: the values' own methods run while
 * they are encoded, and let other threads execute the statement and learn more of it. NULL where
 * the server has said nothing, or something that doesn't fit.
 */
struct pgconn_parameter *pgconn_execution_parameters_copy(const struct pgconn_execution *execution,
                                                          struct pgconn_parameter *buffer);

/* What fills a flight: with the execution itself, or with what asks for the parameters' types. */
VALUE pgconn_execution_fill(VALUE execution);
VALUE pgconn_execution_fill_to_ask(VALUE execution);

/*
 * Fills execution->flight. Gives rb_protect's state: the values' own methods may raise while they
 * are encoded, and so do values that the known types can't hold; those are asked for again then.
 */
int pgconn_execution_try_to_fill(struct pgconn_execution *execution, VALUE (*fill)(VALUE));

/* A flight for the statement alone; freed where filling it raises. */
struct pgconn_flight *pgconn_execution_flight_make(struct pgconn_execution *execution,
                                                   VALUE (*fill)(VALUE));

/*
 * Finds out all that has to be known of the statement; false where that has to be tried again.
 * (execution.c)
 */
bool pgconn_execution_prepare(struct pgconn_execution *execution, VALUE *query);

/* Sends a flight; false where it has to be made again. (execution.c) */
bool pgconn_execution_send(struct pgconn_execution *execution, struct pgconn_flight *flight,
                           VALUE *result);

/*
 * Rows of a stream have come: request->paused gets the flight. Gives a Pgconn::Result that
 * describes them; where it raises the flight is gone. (execution_stream.c)
 */
VALUE pgconn_execution_pause(struct pgconn_execution *execution, struct pgconn_flight *flight);

#endif
