#include "forks.h"

#include <pthread.h>

static unsigned long forks;

static void
forks_count(void)
{
    forks++;
}

__attribute__((constructor)) static void
forks_watch(void)
{
    pthread_atfork(NULL, NULL, forks_count);
}

unsigned long
pgconn_forks(void)
{
    return forks;
}
