/*
 * Who calls: what a `transaction { }` belongs to.
 */
#ifndef PGCONN_CALLER_H
#define PGCONN_CALLER_H

#include "pgconn.h"

/* Never given to another thread or fiber, also when this one has ended. 0: nobody. */
typedef unsigned long long pgconn_caller;

/*
 * The thread; under a Fiber scheduler the non-blocking fiber. A blocking fiber, such as an
 * Enumerator's, counts as its thread.
 */
pgconn_caller pgconn_caller_current(void);

/*
 * Whether this fiber counts as its thread although that has a Fiber scheduler, as an Enumerator's
 * does: who has it run is one of the scheduler's fibers.
 */
bool pgconn_caller_is_run_by_another(void);

/* Whether a Thread has come to its end: then nothing that it was in the middle of goes on. */
bool pgconn_caller_has_ended(VALUE thread);

/* The same as the Thread or the Fiber that it is. */
VALUE pgconn_caller_object(void);

#endif
