#include "wakeup.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/eventfd.h>
#endif

/* How many that nobody uses are kept; what a burst of threads needed beyond is closed again. */
#define UNUSED_KEPT 16

static struct {
    pthread_mutex_t lock;
    struct pgconn_wakeup *first;
    int count;
} unused = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void
wakeup_close(struct pgconn_wakeup *wakeup)
{
    close(wakeup->reader);
    if (wakeup->writer != wakeup->reader) close(wakeup->writer);
}

/* A forked child shares them with its parent: both would hear the same bell. */
static void
unused_drop(void)
{
    struct pgconn_wakeup *wakeup;

    pthread_mutex_init(&unused.lock, NULL);
    for (wakeup = unused.first; wakeup; wakeup = wakeup->next) wakeup_close(wakeup);
    unused.first = NULL;
    unused.count = 0;
}

__attribute__((constructor)) static void
fork_watch(void)
{
    pthread_atfork(NULL, NULL, unused_drop);
}

static bool
wakeup_open(struct pgconn_wakeup *wakeup)
{
#ifdef __linux__
    wakeup->reader = wakeup->writer = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return wakeup->reader >= 0;
#else
    int ends[2], at;

    if (pipe(ends) != 0) return false;
    for (at = 0; at < 2; at++) {
        fcntl(ends[at], F_SETFD, FD_CLOEXEC);
        fcntl(ends[at], F_SETFL, O_NONBLOCK);
    }
    wakeup->reader = ends[0];
    wakeup->writer = ends[1];
    return true;
#endif
}

static struct pgconn_wakeup *
wakeup_new(void)
{
    struct pgconn_wakeup *wakeup = calloc(1, sizeof(*wakeup));

    if (wakeup && !wakeup_open(wakeup)) {
        free(wakeup);
        return NULL;
    }
    return wakeup;
}

struct pgconn_wakeup *
pgconn_wakeup_take(void)
{
    struct pgconn_wakeup *wakeup;

    pthread_mutex_lock(&unused.lock);
    wakeup = unused.first;
    if (wakeup) {
        unused.first = wakeup->next;
        unused.count--;
    }
    pthread_mutex_unlock(&unused.lock);
    return wakeup ? wakeup : wakeup_new();
}

void
pgconn_wakeup_clear(struct pgconn_wakeup *wakeup)
{
    char drained[16];

    while (wakeup->rung && read(wakeup->reader, drained, sizeof(drained)) > 0) continue;
    wakeup->rung = false;
}

void
pgconn_wakeup_discard(struct pgconn_wakeup *wakeup)
{
    wakeup_close(wakeup);
    free(wakeup);
}

void
pgconn_wakeup_give_back(struct pgconn_wakeup *wakeup)
{
    bool kept;

    pgconn_wakeup_clear(wakeup);
    pthread_mutex_lock(&unused.lock);
    kept = unused.count < UNUSED_KEPT;
    if (kept) {
        wakeup->next = unused.first;
        unused.first = wakeup;
        unused.count++;
    }
    pthread_mutex_unlock(&unused.lock);
    if (!kept) pgconn_wakeup_discard(wakeup);
}

void
pgconn_wakeup_ring(struct pgconn_wakeup *wakeup)
{
    static const uint64_t one = 1; /* what an eventfd wants; a pipe takes any bytes */

    wakeup->rung = true;
    /* Full, it is readable already. */
    if (write(wakeup->writer, &one, sizeof(one)) < 0) return;
}
