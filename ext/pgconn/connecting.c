#include "connecting.h"

#include <poll.h>
#include <stdlib.h>

struct pgconn_connecting *
pgconn_connecting_new(struct pgconn_messages *messages)
{
    struct pgconn_connecting *connecting = calloc(1, sizeof(*connecting));

    if (!connecting) rb_memerror();
    connecting->messages = messages;
    return connecting;
}

void
pgconn_connecting_prepare(struct pgconn_connecting *connecting, VALUE parameters)
{
    pgconn_conninfo_init(&connecting->conninfo, parameters);
}

void
pgconn_connecting_free(struct pgconn_connecting *connecting)
{
    if (!connecting) return;
    pgconn_conninfo_free(&connecting->conninfo);
    if (connecting->pg) PQfinish(connecting->pg);
    free(connecting);
}

static enum pgconn_step
connecting_start(struct pgconn_connecting *connecting)
{
    connecting->pg = pgconn_conninfo_start(&connecting->conninfo);
    if (!connecting->pg || PQstatus(connecting->pg) == CONNECTION_BAD) return PGCONN_STEP_FAILED;
    pgconn_messages_receive(connecting->messages, connecting->pg);
    /* So that PQerrorMessage has the SQLSTATE of a refusal, for which libpq gives no PGresult. */
    PQsetErrorVerbosity(connecting->pg, PQERRORS_VERBOSE);
    return PGCONN_STEP_WANT_CONNECT;
}

/*
 * A drive that was interrupted begins with a step. PQconnectPoll must not be called before what it
 * waits for has come: it would take a socket that is still connecting for connected.
 */
static bool
connecting_is_ready(struct pgconn_connecting *connecting)
{
    struct pollfd socket = {.fd = PQsocket(connecting->pg)};

    socket.events = connecting->wanted == PGCONN_STEP_WANT_READ ? POLLIN : POLLOUT;
    return poll(&socket, 1, 0) != 0;
}

static enum pgconn_step
connecting_go_on(struct pgconn_connecting *connecting)
{
    switch (PQconnectPoll(connecting->pg)) {
    case PGRES_POLLING_OK:
        PQsetErrorVerbosity(connecting->pg, PQERRORS_DEFAULT);
        return PGCONN_STEP_DONE;
    case PGRES_POLLING_READING:
        return PGCONN_STEP_WANT_READ;
    case PGRES_POLLING_WRITING:
        return PGCONN_STEP_WANT_CONNECT;
    default:
        return PGCONN_STEP_FAILED;
    }
}

enum pgconn_step
pgconn_connecting_step(void *subject)
{
    struct pgconn_connecting *connecting = subject;

    if (!connecting->pg) connecting->wanted = connecting_start(connecting);
    else if (connecting_is_ready(connecting)) connecting->wanted = connecting_go_on(connecting);
    return connecting->wanted;
}

int
pgconn_connecting_descriptor(void *connecting)
{
    return PQsocket(((struct pgconn_connecting *)connecting)->pg);
}
