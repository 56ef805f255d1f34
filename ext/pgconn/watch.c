#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/epoll.h>
#include <sys/timerfd.h>
#else
#include <sys/event.h>
#endif

static bool
reads(enum pgconn_watch_for ready_for)
{
    return ready_for == PGCONN_WATCH_READ || ready_for == PGCONN_WATCH_READ_WRITE;
}

static bool
writes(enum pgconn_watch_for ready_for)
{
    return ready_for == PGCONN_WATCH_WRITE || ready_for == PGCONN_WATCH_READ_WRITE;
}

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

    if (reads(ready_for)) event.events |= EPOLLIN;
    if (writes(ready_for)) event.events |= EPOLLOUT;
    if (epoll_ctl(queue, EPOLL_CTL_ADD, descriptor, &event) == 0) return true;
    return errno == EEXIST && epoll_ctl(queue, EPOLL_CTL_MOD, descriptor, &event) == 0;
}

/* One that was closed has gone by itself. */
static void
queue_remove(int queue, int descriptor)
{
    struct epoll_event unused = {.events = 0};

    epoll_ctl(queue, EPOLL_CTL_DEL, descriptor, &unused);
}

static bool
timer_open(struct pgconn_watch *watch)
{
    if (watch->timer >= 0) return true;
    watch->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return watch->timer >= 0 && queue_add(watch->descriptor, watch->timer, PGCONN_WATCH_READ);
}

bool
pgconn_watch_set_timer(struct pgconn_watch *watch, int64_t nanoseconds)
{
    struct itimerspec time = {
        .it_value = {0, 0}
    };

    if (nanoseconds == PGCONN_WATCH_NO_TIMER) {
        return watch->timer < 0 || timerfd_settime(watch->timer, 0, &time, NULL) == 0;
    }
    if (nanoseconds < 1) nanoseconds = 1; /* 0 would be no time */
    time.it_value.tv_sec = nanoseconds / 1000000000;
    time.it_value.tv_nsec = nanoseconds % 1000000000;
    return timer_open(watch) && timerfd_settime(watch->timer, 0, &time, NULL) == 0;
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
queue_change(int queue, int descriptor, int filter, bool wanted, bool hang_up)
{
    struct kevent event;

    /* With more bytes than there will ever be, only the end is told. */
    EV_SET(&event, descriptor, filter, wanted ? EV_ADD : EV_DELETE, hang_up ? NOTE_LOWAT : 0,
           hang_up ? INT_MAX : 0, 0);
    /* What isn't there need not be deleted. */
    return kevent(queue, &event, 1, NULL, 0, NULL) == 0 || !wanted;
}

static bool
queue_add(int queue, int descriptor, enum pgconn_watch_for ready_for)
{
    bool hang_up = ready_for == PGCONN_WATCH_HANG_UP;

    return queue_change(queue, descriptor, EVFILT_READ, hang_up || reads(ready_for), hang_up) &&
           queue_change(queue, descriptor, EVFILT_WRITE, writes(ready_for), false);
}

static void
queue_remove(int queue, int descriptor)
{
    queue_change(queue, descriptor, EVFILT_READ, false, false);
    queue_change(queue, descriptor, EVFILT_WRITE, false, false);
}

bool
pgconn_watch_set_timer(struct pgconn_watch *watch, int64_t nanoseconds)
{
    bool wanted = nanoseconds != PGCONN_WATCH_NO_TIMER;
    struct kevent event;

    EV_SET(&event, 0, EVFILT_TIMER, wanted ? EV_ADD : EV_DELETE, 0, nanoseconds / 1000000 + 1, 0);
    return kevent(watch->descriptor, &event, 1, NULL, 0, NULL) == 0 || !wanted;
}

#endif

bool
pgconn_watch_open(struct pgconn_watch *watch)
{
    watch->watched = watch->timer = -1;
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
    if (watch->timer >= 0) close(watch->timer);
    if (watch->bell) pgconn_wakeup_discard(watch->bell);
    watch->descriptor = watch->watched = watch->timer = -1;
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
