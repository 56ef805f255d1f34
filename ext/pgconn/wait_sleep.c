#include "wait.h"

#include <errno.h>
#include <ruby/thread.h>
#include <time.h>

#define NANOSECONDS 1000000000LL

/* How long a fiber sleeps at a time that could have no bell. */
#define SECONDS_WITHOUT_BELL 0.1

void
pgconn_wait_sleeper_init(struct pgconn_sleeper *sleeper, VALUE connection)
{
    pthread_condattr_t attributes;

    sleeper->connection = connection;
    pthread_mutex_init(&sleeper->lock, NULL);
    pthread_condattr_init(&attributes);
#ifdef HAVE_PTHREAD_CONDATTR_SETCLOCK
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
#endif
    pthread_cond_init(&sleeper->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    sleeper->bell = NULL;
    sleeper->woken = sleeper->interrupted = false;
}

void
pgconn_wait_sleeper_destroy(struct pgconn_sleeper *sleeper)
{
    pthread_cond_destroy(&sleeper->changed);
    pthread_mutex_destroy(&sleeper->lock);
}

struct sleep {
    struct pgconn_sleeper *sleeper;
    pgconn_time deadline;
    enum pgconn_wait_end end;
};

/* The deadline on the clock that the condition variable uses. */
static struct timespec
sleep_until(pgconn_time deadline)
{
    struct timespec until;

#ifndef HAVE_PTHREAD_CONDATTR_SETCLOCK
    clock_gettime(CLOCK_REALTIME, &until);
    deadline += until.tv_sec * NANOSECONDS + until.tv_nsec - pgconn_wait_now();
#endif
    until.tv_sec = deadline / NANOSECONDS;
    until.tv_nsec = deadline % NANOSECONDS;
    return until;
}

static void *
sleep_without_gvl(void *arg)
{
    struct sleep *sleep = arg;
    struct pgconn_sleeper *sleeper = sleep->sleeper;
    bool timed = sleep->deadline != PGCONN_NEVER;
    struct timespec until = {0};
    int code = 0;

    if (timed) until = sleep_until(sleep->deadline);
    pthread_mutex_lock(&sleeper->lock);
    while (!sleeper->woken && !sleeper->interrupted && code != ETIMEDOUT) {
        if (timed) code = pthread_cond_timedwait(&sleeper->changed, &sleeper->lock, &until);
        else code = pthread_cond_wait(&sleeper->changed, &sleeper->lock);
    }
    if (sleeper->woken) sleep->end = PGCONN_WAIT_WOKEN;
    else if (sleeper->interrupted) sleep->end = PGCONN_WAIT_INTERRUPTED;
    else sleep->end = PGCONN_WAIT_TIMED_OUT;
    sleeper->woken = sleeper->interrupted = false;
    pthread_mutex_unlock(&sleeper->lock);
    return NULL;
}

static void
sleeper_ring(struct pgconn_sleeper *sleeper, bool *reason)
{
    pthread_mutex_lock(&sleeper->lock);
    *reason = true;
    if (sleeper->bell) pgconn_wakeup_ring(sleeper->bell);
    else pthread_cond_signal(&sleeper->changed);
    pthread_mutex_unlock(&sleeper->lock);
}

static void
sleeper_interrupt(void *arg)
{
    struct pgconn_sleeper *sleeper = arg;

    sleeper_ring(sleeper, &sleeper->interrupted);
}

static bool
sleeper_take_wake(struct pgconn_sleeper *sleeper)
{
    bool woken;

    pthread_mutex_lock(&sleeper->lock);
    woken = sleeper->woken;
    sleeper->woken = false;
    pthread_mutex_unlock(&sleeper->lock);
    return woken;
}

static void
sleeper_set_bell(struct pgconn_sleeper *sleeper, struct pgconn_wakeup *bell)
{
    pthread_mutex_lock(&sleeper->lock);
    sleeper->bell = bell;
    pthread_mutex_unlock(&sleeper->lock);
}

static enum pgconn_step
sleeper_step(void *subject)
{
    return sleeper_take_wake(subject) ? PGCONN_STEP_DONE : PGCONN_STEP_WANT_READ;
}

static int
sleeper_descriptor(void *subject)
{
    const struct pgconn_sleeper *sleeper = subject;

    return sleeper->bell ? sleeper->bell->reader : -1;
}

/* What is waited for is the bell. */
static enum pgconn_wait_end
sleep_ruby(struct pgconn_sleeper *sleeper, pgconn_time deadline)
{
    struct pgconn_stepper stepper = {sleeper_step, sleeper_descriptor, sleeper,
                                     sleeper->connection};
    struct pgconn_wakeup *bell = pgconn_wakeup_take(), *unheard;
    pgconn_time soon = pgconn_wait_after(SECONDS_WITHOUT_BELL);
    enum pgconn_wait_end end;

    if (!bell && soon < deadline) deadline = soon;
    sleeper_set_bell(sleeper, bell);
    end = pgconn_wait_drive_ruby(&stepper, deadline, &unheard);
    sleeper_set_bell(sleeper, NULL);
    if (bell) pgconn_wakeup_give_back(bell);
    return end == PGCONN_WAIT_DONE ? PGCONN_WAIT_WOKEN : end;
}

enum pgconn_wait_end
pgconn_wait_sleep(struct pgconn_sleeper *sleeper, pgconn_time deadline)
{
    struct sleep sleep = {sleeper, deadline, PGCONN_WAIT_INTERRUPTED};

    if (pgconn_wait_way(sleeper->connection) != PGCONN_WAIT_NATIVE) {
        return sleep_ruby(sleeper, deadline);
    }
    rb_thread_call_without_gvl2(sleep_without_gvl, &sleep, sleeper_interrupt, sleeper);
    return sleep.end;
}

void
pgconn_wait_wake(struct pgconn_sleeper *sleeper)
{
    sleeper_ring(sleeper, &sleeper->woken);
}
