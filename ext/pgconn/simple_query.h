/*
 * Statements that go as one simple query: several in one string, or one that can't be told from
 * several. libpq refuses that in pipeline mode, which is left before it is sent, with nothing under
 * way, and entered again behind its last result; neither talks to the server. None of this waits
 * or touches a Ruby value.
 * Page: PostgreSQL documentation, "Message Flow", "Simple Query".
 */
#ifndef PGCONN_SIMPLE_QUERY_H
#define PGCONN_SIMPLE_QUERY_H

#include "command.h"
#include "wait.h"

/* Why a COPY is refused; also the reason that the server is given. */
#define PGCONN_SIMPLE_QUERY_NO_COPY \
    "COPY can't be run by execute: it needs a source or a sink of data"

/*
 * Leaves pipeline mode and sends the SQL of all commands as one query. The last is the user's
 * STATEMENTS; ahead of it may be a BEGIN, which then fails or succeeds with them. False if libpq
 * fails or memory is out.
 */
bool pgconn_simple_query_send(PGconn *pg, const struct pgconn_command *commands);

/* How many bytes of the query, all ASCII, stand ahead of the user's text. */
size_t pgconn_simple_query_ahead(const struct pgconn_command *commands);

/*
 * Takes the next result, while libpq isn't busy. DONE: *result is the caller's, NULL behind the
 * last; pipeline mode is on again then. WANT_READ: there is none yet. A COPY is ended with an error
 * (from STDIN) or read to its end (to STDOUT), and its PGRES_COPY_... result is given then.
 */
enum pgconn_step pgconn_simple_query_take(PGconn *pg, PGresult **result);

/*
 * The two halves of that, for who has use for a COPY: takes the next result as it is; ends what a
 * result begins if that is a COPY, and clears the result unless it is DONE.
 */
enum pgconn_step pgconn_simple_query_next(PGconn *pg, PGresult **result);
enum pgconn_step pgconn_simple_query_end_copy(PGconn *pg, PGresult **result);

/*
 * Keeps a result as the answer to *answering or, where that has one, to the command behind it. For
 * the results of the last command's further statements there come commands of their own. False when
 * out of memory; the result is cleared then.
 */
bool pgconn_simple_query_keep(struct pgconn_command **answering, PGresult *result);

#endif
