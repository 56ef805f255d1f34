#include "conninfo.h"
#include "native_thread.h"
#include "wait.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the thread of one ping owns. */
struct ping {
    struct pgconn_conninfo conninfo;
    int end; /* the thread's end of the socket pair */
};

/* Who waits for it. */
struct pinging {
    VALUE parameters;
    pgconn_time deadline;
    struct ping *ping; /* NULL: the thread has it */
    int watch;         /* our end of the socket pair; -1: none */
};

static void
ping_free(struct ping *ping)
{
    if (ping->end >= 0) close(ping->end);
    pgconn_conninfo_free(&ping->conninfo);
    free(ping);
}

static void *
ping_run(void *arg)
{
    struct ping *ping = arg;
    unsigned char answer = (unsigned char)PQpingParams((const char *const *)ping->conninfo.keywords,
                                                       (const char *const *)ping->conninfo.values,
                                                       0);

    send(ping->end, &answer, 1, MSG_NOSIGNAL);
    ping_free(ping);
    return NULL;
}

/* Starts the thread; false: out of resources. */
static bool
pinging_start(struct pinging *pinging)
{
    int ends[2];

    if (!pgconn_native_thread_pair(ends)) return false;
    pinging->watch = ends[0];
    pinging->ping->end = ends[1];
    if (!pgconn_native_thread_start(ping_run, pinging->ping)) return false;
    pinging->ping = NULL;
    return true;
}

static PGPing
pinging_wait(const struct pinging *pinging)
{
    enum pgconn_wait_end end;
    unsigned char answer;

    do {
        end = pgconn_wait_descriptor(pinging->watch, PGCONN_STEP_WANT_READ, pinging->deadline,
                                     Qfalse);
        if (end == PGCONN_WAIT_INTERRUPTED) pgconn_wait_check_ints();
    } while (end == PGCONN_WAIT_INTERRUPTED);
    if (end != PGCONN_WAIT_DONE || recv(pinging->watch, &answer, 1, MSG_DONTWAIT) != 1) {
        return PQPING_NO_RESPONSE;
    }
    return (PGPing)answer;
}

static VALUE
pinging_run(VALUE arg)
{
    struct pinging *pinging = (struct pinging *)arg;

    pinging->ping = calloc(1, sizeof(struct ping));
    if (!pinging->ping) rb_memerror();
    pinging->ping->end = -1;
    pgconn_conninfo_init(&pinging->ping->conninfo, pinging->parameters);
    return INT2FIX(pinging_start(pinging) ? pinging_wait(pinging) : PQPING_NO_ATTEMPT);
}

/* The thread may still be at work; it ends by itself, at the connect_timeout that it was handed. */
static VALUE
pinging_leave(VALUE arg)
{
    struct pinging *pinging = (struct pinging *)arg;

    if (pinging->watch >= 0) close(pinging->watch);
    if (pinging->ping) ping_free(pinging->ping);
    return Qnil;
}

/* What libpq has found out of one address within so many seconds: a PGPing. */
static VALUE
ping_ask(VALUE self, VALUE parameters, VALUE seconds)
{
    struct pinging pinging = {.parameters = parameters, .watch = -1};

    (void)self;
    pinging.deadline = pgconn_wait_after(NUM2DBL(seconds));
    return rb_ensure(pinging_run, (VALUE)&pinging, pinging_leave, (VALUE)&pinging);
}

void
Init_pgconn_ping(void)
{
    VALUE ping = rb_define_module_under(rb_mPgconn, "Ping");

    rb_define_singleton_method(ping, "ask", ping_ask, 2);
}
