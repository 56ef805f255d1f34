/*
 * Whether this process is a fork: it shares its parent's sockets and must not touch them, and a
 * mutex may belong to a thread that doesn't exist here.
 */
#ifndef PGCONN_FORKS_H
#define PGCONN_FORKS_H

/* Another number in each child than in its parent. */
unsigned long pgconn_forks(void);

#endif
