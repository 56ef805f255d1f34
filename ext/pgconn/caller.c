#include "caller.h"

#include "pgconn.h"

#include <ruby/fiber/scheduler.h>

pgconn_caller
pgconn_caller_current(void)
{
    VALUE scheduler = rb_fiber_scheduler_current(); /* nil in blocking fibers */

    return NUM2ULL(rb_obj_id(NIL_P(scheduler) ? rb_thread_current() : rb_fiber_current()));
}
