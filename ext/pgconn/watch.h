/*
 * A watch: one descriptor that is readable when a second one is ready or a bell is rung, for who
 * can wait for only one. The descriptor stays the same while what it watches changes.
 */
#ifndef PGCONN_WATCH_H
#define PGCONN_WATCH_H

#include "wakeup.h"

struct pgconn_watch {
    int descriptor; /* an epoll's or a kqueue's; -1: not open */
    int watched;    /* the other descriptor; -1: none */
    int timer;      /* where that needs a descriptor of its own; -1: none */
    struct pgconn_wakeup *bell;
};

/* What the watched descriptor is to be ready for. */
enum pgconn_watch_for {
    PGCONN_WATCH_HANG_UP, /* of the other end only */
    PGCONN_WATCH_READ,
    PGCONN_WATCH_WRITE,
    PGCONN_WATCH_READ_WRITE,
};

#define PGCONN_WATCH_NO_TIMER (-1)

/* False, with errno, when out of descriptors or memory. */
bool pgconn_watch_open(struct pgconn_watch *watch);

/* Also in a forked child, where the parent's watch is as it was. */
void pgconn_watch_close(struct pgconn_watch *watch);

/*
 * Watches this descriptor (-1: none) from now on. Must be called again before each wait: the number
 * may belong to another socket than before. False, with errno, if the system refuses.
 */
bool pgconn_watch_set(struct pgconn_watch *watch, int descriptor, enum pgconn_watch_for ready_for);

/*
 * Makes the watch readable also after so many nanoseconds, or (NO_TIMER) not any more. False, with
 * errno, when out of descriptors.
 */
bool pgconn_watch_set_timer(struct pgconn_watch *watch, int64_t nanoseconds);

#endif
