/*
 * One execute: from SQL and arguments, by way of the statement cache and a flight, to a result.
 */
#ifndef PGCONN_EXECUTION_H
#define PGCONN_EXECUTION_H

#include "answer.h"
#include "statement_cache.h"

/* The text of the ProgrammingError for SQL without a statement. */
#define PGCONN_EXECUTION_EMPTY "the query is empty"

/* What a connection has for it. */
struct pgconn_executor {
    struct pgconn_session *session;
    struct pgconn_statement_cache *statements;
    VALUE registry;
};

/*
 * Executes request->sql with request->arguments (nil, an Array or a Hash). Gives a Pgconn::Result,
 * which is without rows where *request->paused has got a flight that brings them;
 * query, a slot of request->cursor, gets the SQL as it is sent. Raises what the arguments, the
 * server and the wait may raise. The caller keeps the connection alive.
 */
VALUE pgconn_execute(const struct pgconn_executor *executor, struct pgconn_request *request,
                     VALUE *query);

/*
 * Executes it once for each of the rows, a frozen Array of at least one, all or nothing. Gives one
 * result for all; raises as above, telling which row was to blame.
 */
VALUE pgconn_execute_many(const struct pgconn_executor *executor, struct pgconn_request *request,
                          VALUE rows, VALUE *query);

/*
 * Adds the statement of a request to a flight of several, which is made if there is none yet. Gives
 * the object of the statement; nil, and nothing is added, where it has to be a flight of its own.
 * Raises what the arguments may raise, and, where the server has to be asked for types first, what
 * that may. *busy is true while the values' own methods run and the flight is half made.
 */
VALUE pgconn_execution_add(const struct pgconn_executor *executor, struct pgconn_request *request,
                           VALUE *query, struct pgconn_flight **flight, bool *busy);

#endif
