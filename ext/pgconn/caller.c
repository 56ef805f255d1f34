#include "caller.h"

#include <ruby/fiber/scheduler.h>

VALUE
pgconn_caller_object(void)
{
    VALUE scheduler = rb_fiber_scheduler_current(); /* nil in blocking fibers */

    return NIL_P(scheduler) ? rb_thread_current() : rb_fiber_current();
}

bool
pgconn_caller_is_run_by_another(void)
{
    return !NIL_P(rb_fiber_scheduler_get()) && NIL_P(rb_fiber_scheduler_current());
}

bool
pgconn_caller_has_ended(VALUE thread)
{
    return thread != rb_thread_current() && !RTEST(rb_funcall(thread, rb_intern("alive?"), 0));
}

pgconn_caller
pgconn_caller_current(void)
{
    return NUM2ULL(rb_obj_id(pgconn_caller_object()));
}
