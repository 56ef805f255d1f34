#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/epoll.h>
#else
#include <sys/event.h>
#endif

#ifdef __linux__

static int
queue_new(void)
{
    return epoll_create1(EPOLL_CLOEXEC);
}

static bool
queue_add(int queue, int descriptor, enum pgconn_watch_for ready_for)
{
    struct epoll_event event = {.events = 0}; /* a hang-up is told in any case */

    if (ready_for != PGCONN_WATCH_HANG_UP) event.events |= EPOLLIN;
    if (ready_for == PGCONN_WATCH_READ_WRITE) event.events |= EPOLLOUT;
    if (epoll_ctl(queue, EPOLL_CTL_MOD, descriptor, &event) == 0) return true;
    return errno == ENOENT && epoll_ctl(queue, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

/* One that was closed has gone by itself. */
static void
queue_remove(int queue, int descriptor)
{
    struct epoll_event unused = {.events = 0};

    epoll_ctl(queue, EPOLL_CTL_DEL, descriptor, &unused);
}

#else

static int
queue_new(void)
{
    int queue = kqueue();

    if (queue >= 0) fcntl(queue, F_SETFD, FD_CLOEXEC);
    return queue;
}

static bool
queue_change(int queue, int descriptor, int filter, int flags, enum pgconn_watch_for ready_for)
{
    bool hang_up = ready_for == PGCONN_WATCH_HANG_UP;
    struct kevent event;

    /* More bytes than there will ever be: only the end is told. */
    EV_SET(&event, descriptor, filter, flags, hang_up ? NOTE_LOWAT : 0, hang_up ? INT_MAX : 0, 0);
    return kevent(queue, &event, 1, NULL, 0, NULL) == 0;
}

static bool
queue_add(int queue, int descriptor, enum pgconn_watch_for ready_for)
{
    int write_flags = ready_for == PGCONN_WATCH_READ_WRITE ? EV_ADD : EV_DELETE;

    if (!queue_change(queue, descriptor, EVFILT_READ, EV_ADD, ready_for)) return false;
    return queue_change(queue, descriptor, EVFILT_WRITE, write_flags, PGCONN_WATCH_READ_WRITE) ||
           write_flags == EV_DELETE;
}

static void
queue_remove(int queue, int descriptor)
{
    queue_change(queue, descriptor, EVFILT_READ, EV_DELETE, PGCONN_WATCH_READ);
    queue_change(queue, descriptor, EVFILT_WRITE, EV_DELETE, PGCONN_WATCH_READ_WRITE);
}

#endif

bool
pgconn_watch_open(struct pgconn_watch *watch)
{
    watch->watched = -1;
    watch->descriptor = queue_new();
    watch->bell = pgconn_wakeup_take();
    if (watch->descriptor >= 0 && watch->bell &&
        queue_add(watch->descriptor, watch->bell->reader, PGCONN_WATCH_READ)) {
        return true;
    }
    pgconn_watch_close(watch);
    return false;
}

void
pgconn_watch_close(struct pgconn_watch *watch)
{
    int code = errno;

    if (watch->descriptor >= 0) close(watch->descriptor);
    if (watch->bell) pgconn_wakeup_discard(watch->bell);
    watch->descriptor = watch->watched = -1;
    watch->bell = NULL;
    errno = code;
}

bool
pgconn_watch_set(struct pgconn_watch *watch, int descriptor, enum pgconn_watch_for ready_for)
{
    if (watch->watched >= 0 && watch->watched != descriptor) {
        queue_remove(watch->descriptor, watch->watched);
    }
    watch->watched = descriptor;
    return descriptor < 0 || queue_add(watch->descriptor, descriptor, ready_for);
}
