#include "answer.h"

/* Its own COPY or stream would have to go on for this, and can't before this has returned. */
static const char *
caller_holds_line(const struct pgconn_session *session)
{
    const struct pgconn_flight *paused = session->queue.paused;

    if (!paused || paused->transfer->forsaken ||
        !pgconn_transfer_waits_for(paused->transfer, pgconn_caller_current())) {
        return NULL;
    }
    if (paused->transfer->kind == PGCONN_ROWS) {
        return "a stream holds the connection until it ends: in its block, or while its Enumerator "
               "is in the middle of it (which its rewind ends), this would wait for itself";
    }
    return "a COPY holds the connection until it ends: in its block this would wait for itself";
}

const char *
pgconn_answer_objection(const struct pgconn_session *session)
{
    VALUE connection = pgconn_session_connection(session);
    const char *holds = caller_holds_line(session);

    if (holds) return holds;
    if (session->async && !pgconn_wait_is_in_operation(connection)) {
        return "an async connection can only execute, and be polled: this would wait";
    }
    if (pgconn_wait_is_under_way(connection)) {
        return "what waits for a connection, a Fiber scheduler or a wait callback, can't execute "
               "on the same connection meanwhile";
    }
    return NULL;
}

void
pgconn_answer_check_caller(const struct pgconn_session *session)
{
    const char *objection = pgconn_answer_objection(session);

    if (objection) pgconn_error_raise(rb_ePgconnProgrammingError, "%s", objection);
}
