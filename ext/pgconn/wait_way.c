#include "wait.h"

#include <ruby/fiber/scheduler.h>

/* Whether any operation was ever begun: most programs have none. */
static bool operations_used;

/* The fiber-local variable with the connection whose operation a fiber is. */
static ID id_operation;

void
pgconn_wait_enter_operation(VALUE connection)
{
    operations_used = true;
    rb_thread_local_aset(rb_thread_current(), id_operation, connection);
}

bool
pgconn_wait_is_in_operation(VALUE connection)
{
    return operations_used && rb_thread_local_aref(rb_thread_current(), id_operation) == connection;
}

enum pgconn_wait_way
pgconn_wait_way(VALUE connection)
{
    if (RTEST(connection)) {
        if (pgconn_wait_is_in_operation(connection)) return PGCONN_WAIT_YIELDING;
        if (!NIL_P(pgconn_wait_callback())) return PGCONN_WAIT_CALLBACK;
    }
    /* nil in blocking fibers */
    return NIL_P(rb_fiber_scheduler_current()) ? PGCONN_WAIT_NATIVE : PGCONN_WAIT_SCHEDULER;
}

void
Init_pgconn_wait_way(void)
{
    id_operation = rb_intern("__pgconn_operation__");
}
