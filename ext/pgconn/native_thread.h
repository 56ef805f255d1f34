/*
 * Native threads for the calls of libpq that block without limit: detached, so that they outlive an
 * interrupted caller, and without any Ruby in them.
 */
#ifndef PGCONN_NATIVE_THREAD_H
#define PGCONN_NATIVE_THREAD_H

#include "compat.h"

/* Starts one that runs the function and takes no signals, Ruby's. False: out of resources. */
bool pgconn_native_thread_start(void *(*run)(void *arg), void *arg);

/* A socket pair between the thread and who waits for it. False: errno says why. */
bool pgconn_native_thread_pair(int ends[2]);

#endif
