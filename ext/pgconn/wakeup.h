/*
 * Wake-ups: descriptors that end another thread's poll. Each wait takes one and gives it back. A
 * signal would not do: it is lost where it comes between two polls.
 */
#ifndef PGCONN_WAKEUP_H
#define PGCONN_WAKEUP_H

#include "compat.h"

struct pgconn_wakeup {
    int reader; /* readable once it was rung */
    int writer;
    bool rung;
    struct pgconn_wakeup *next; /* among those that nobody uses */
};

/* NULL when out of memory or descriptors. */
struct pgconn_wakeup *pgconn_wakeup_take(void);

/* Nobody may ring it any more. */
void pgconn_wakeup_give_back(struct pgconn_wakeup *wakeup);

/* The same, but it isn't kept for others; also one that a forked child has inherited. */
void pgconn_wakeup_discard(struct pgconn_wakeup *wakeup);

/* It was heard: not readable any more. */
void pgconn_wakeup_clear(struct pgconn_wakeup *wakeup);

/* From any thread, with or without the GVL. */
void pgconn_wakeup_ring(struct pgconn_wakeup *wakeup);

#endif
