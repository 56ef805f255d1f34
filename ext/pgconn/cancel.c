#include "cancel.h"

#include "native_thread.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long the end of the process waits for requests that are under way, in seconds. */
#define EXIT_PATIENCE 0.25

/* How long after one request the next is sent, in milliseconds. */
static const int repeat_after[] = {20, 200, 1000};
#define REPEATS (sizeof(repeat_after) / sizeof(repeat_after[0]))

/* The requests that are under way, for the end of the process. */
static struct {
    pthread_mutex_t lock;
    int count;
    struct pgconn_sleeper *exiting; /* who waits until there is none; NULL: nobody */
} requests = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* What the thread of one request owns. */
struct request {
    PGcancel *target;
    int end; /* the thread's end of the socket pair */
};

static void
requests_count(int change)
{
    pthread_mutex_lock(&requests.lock);
    requests.count += change;
    if (requests.count == 0 && requests.exiting) pgconn_wait_wake(requests.exiting);
    pthread_mutex_unlock(&requests.lock);
}

/* The parent's threads don't run in a forked child. */
static void
requests_reset(void)
{
    pthread_mutex_init(&requests.lock, NULL);
    requests.count = 0;
    requests.exiting = NULL;
}

/*
 * A program that ends because its statement was interrupted still tells the server. Its threads
 * would end with it.
 */
static void
requests_finish(VALUE arg)
{
    struct pgconn_sleeper sleeper;
    bool any;

    (void)arg;
    pgconn_wait_sleeper_init(&sleeper, Qfalse);
    pthread_mutex_lock(&requests.lock);
    any = requests.count > 0;
    requests.exiting = any ? &sleeper : NULL;
    pthread_mutex_unlock(&requests.lock);
    if (any) pgconn_wait_sleep(&sleeper, pgconn_wait_after(EXIT_PATIENCE));
    pthread_mutex_lock(&requests.lock);
    requests.exiting = NULL;
    pthread_mutex_unlock(&requests.lock);
    pgconn_wait_sleeper_destroy(&sleeper);
}

void
pgconn_cancel_init(struct pgconn_cancel *cancel)
{
    cancel->thread = -1;
    cancel->stopped = false;
}

static void
request_free(struct request *request)
{
    if (request->end >= 0) close(request->end);
    PQfreeCancel(request->target);
    free(request);
}

/* Whether we are told to stop meanwhile. A connection that was closed doesn't tell. */
static bool
request_is_stopped(const struct request *request, int milliseconds)
{
    struct pollfd end = {.fd = request->end, .events = POLLIN};
    char byte;

    if (poll(&end, 1, milliseconds) != 1) return false;
    if (recv(request->end, &byte, 1, MSG_DONTWAIT) == 1) return true;
    poll(NULL, 0, milliseconds);
    return false;
}

static void *
request_run(void *arg)
{
    struct request *request = arg;
    char message[PGCONN_CANCEL_MESSAGE_SIZE] = "";
    size_t repeat;

    PQcancel(request->target, message, sizeof(message));
    /* With its NUL, so that there is something to read in any case. */
    send(request->end, message, strnlen(message, sizeof(message) - 1) + 1, MSG_NOSIGNAL);
    for (repeat = 0; repeat < REPEATS; repeat++) {
        if (request_is_stopped(request, repeat_after[repeat])) break;
        PQcancel(request->target, message, sizeof(message));
    }
    /* Closing alone would not be seen while a forked child holds a copy of the descriptor. */
    shutdown(request->end, SHUT_RDWR);
    request_free(request);
    requests_count(-1);
    return NULL;
}

static bool
thread_start(struct request *request)
{
    requests_count(1);
    if (pgconn_native_thread_start(request_run, request)) return true;
    requests_count(-1);
    return false;
}

bool
pgconn_cancel_start(struct pgconn_cancel *cancel, PGconn *pg)
{
    struct request *request;
    int ends[2];

    if (!pgconn_cancel_ended(cancel)) return true;
    if (!(request = calloc(1, sizeof(*request)))) return false;
    request->end = -1;
    if (!(request->target = PQgetCancel(pg)) || !pgconn_native_thread_pair(ends)) {
        request_free(request);
        return false;
    }
    request->end = ends[1];
    if (!thread_start(request)) {
        close(ends[0]);
        request_free(request);
        return false;
    }
    cancel->thread = ends[0];
    cancel->stopped = false;
    return true;
}

void
pgconn_cancel_stop(struct pgconn_cancel *cancel)
{
    if (cancel->thread < 0 || cancel->stopped) return;
    send(cancel->thread, "", 1, MSG_NOSIGNAL);
    cancel->stopped = true;
}

bool
pgconn_cancel_ended(struct pgconn_cancel *cancel)
{
    struct pollfd thread = {.fd = cancel->thread}; /* without events: only a hang-up counts */

    if (cancel->thread >= 0 && poll(&thread, 1, 0) == 1) pgconn_cancel_forget(cancel);
    return cancel->thread < 0;
}

enum pgconn_wait_end
pgconn_cancel_wait(const struct pgconn_cancel *cancel, pgconn_time deadline, VALUE connection,
                   struct pgconn_wakeup **doorbell)
{
    return pgconn_wait_descriptor_rung(cancel->thread, PGCONN_STEP_WANT_HANG_UP, deadline,
                                       connection, doorbell);
}

void
pgconn_cancel_forget(struct pgconn_cancel *cancel)
{
    if (cancel->thread >= 0) close(cancel->thread);
    pgconn_cancel_init(cancel);
}

int
pgconn_cancel_watch(const struct pgconn_cancel *cancel)
{
    return cancel->thread < 0 ? -1 : fcntl(cancel->thread, F_DUPFD_CLOEXEC, 0);
}

void
pgconn_cancel_message(int watch, char *text, size_t size)
{
    ssize_t length = recv(watch, text, size - 1, MSG_PEEK | MSG_DONTWAIT);

    text[length > 0 ? length : 0] = '\0';
}

void
Init_pgconn_cancel(void)
{
    pthread_atfork(NULL, NULL, requests_reset);
    rb_set_end_proc(requests_finish, Qnil);
}
