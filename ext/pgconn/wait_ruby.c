#include "error.h"
#include "wait_object.h"

#include <ruby/ractor.h>

/* How many that are not in use are kept, for each Ractor. */
#define IDLE_KEPT 16

/* Of each Ractor: an Array of those not in use, and a Hash from fibers to those in use. */
static rb_ractor_local_key_t idle_key, active_key;

/* Whether anybody has ever waited so: most programs don't. */
static bool used;

/* The tag, as rb_protect gives it, of what has ended this thread's last wait; 0: nothing. */
static _Thread_local int interruption;

/* Not inlined, for Ruby code may come back from its wait in another native thread. */
__attribute__((noinline)) static int
interruption_exchange(int tag)
{
    int before = interruption;

    interruption = tag;
    return before;
}

static VALUE
ractor_value(rb_ractor_local_key_t key, VALUE (*make)(void))
{
    VALUE value;

    if (rb_ractor_local_storage_value_lookup(key, &value) && !NIL_P(value)) return value;
    value = make();
    rb_ractor_local_storage_value_set(key, value);
    return value;
}

static VALUE
active_waits(void)
{
    return ractor_value(active_key, rb_hash_new);
}

static VALUE
idle_waits(void)
{
    return ractor_value(idle_key, rb_ary_new);
}

static VALUE
idle_take(void)
{
    VALUE self;

    do {
        self = rb_ary_pop(idle_waits());
    } while (!NIL_P(self) && pgconn_wait_object_get(self)->process != getpid());
    return NIL_P(self) ? pgconn_wait_object_new() : self;
}

/* One wait by Ruby code, on its caller's stack. */
struct call {
    const struct pgconn_stepper *stepper;
    pgconn_time deadline;
    struct pgconn_wakeup **doorbell;
    VALUE fiber, wait;
    enum pgconn_wait_end end;
};

/*
 * The Hash keeps the fiber alive: a scheduler may forget one that waits, but what is on its stack
 * is also in the queue of its connection. The fiber of an operation lives as long as that.
 */
static void
active_add(const struct call *call, struct pgconn_wait *wait)
{
    VALUE active = active_waits();

    RB_OBJ_WRITE(call->wait, &wait->outer, rb_hash_lookup(active, call->fiber));
    if (wait->way != PGCONN_WAIT_YIELDING) rb_hash_aset(active, call->fiber, call->wait);
}

static void
active_remove(const struct call *call, struct pgconn_wait *wait)
{
    VALUE active = active_waits();

    if (NIL_P(wait->outer)) rb_hash_delete(active, call->fiber);
    else rb_hash_aset(active, call->fiber, wait->outer);
    wait->outer = Qnil;
}

static void
callback_call(const struct call *call)
{
    rb_funcall(pgconn_wait_callback(), rb_intern("call"), 1, call->stepper->connection);
    if (pgconn_wait_object_get(call->wait)->ended) return;
    pgconn_error_raise(rb_ePgconnInterfaceError,
                       "the wait callback has returned before poll said POLL_OK");
}

static VALUE
call_run(VALUE arg)
{
    struct call *call = (struct call *)arg;
    struct pgconn_wait *wait = pgconn_wait_object_get(call->wait);

    *call->doorbell = wait->watch.bell;
    active_add(call, wait);
    switch (wait->way) {
    case PGCONN_WAIT_CALLBACK:
        callback_call(call);
        break;
    case PGCONN_WAIT_YIELDING:
        rb_funcall(call->wait, rb_intern("yield_to_poll"), 0);
        break;
    default:
        rb_funcall(call->wait, rb_intern("run"), 0);
    }
    call->end = wait->end;
    return Qnil;
}

static VALUE
call_leave(VALUE arg)
{
    struct call *call = (struct call *)arg;
    struct pgconn_wait *wait = pgconn_wait_object_get(call->wait);

    *call->doorbell = NULL;
    pgconn_wait_object_end(call->wait);
    active_remove(call, wait);
    if (RARRAY_LEN(idle_waits()) < IDLE_KEPT) rb_ary_push(idle_waits(), call->wait);
    return Qnil;
}

static VALUE
call_make(VALUE arg)
{
    struct call *call = (struct call *)arg;

    used = true;
    call->fiber = rb_fiber_current();
    call->wait = idle_take();
    pgconn_wait_object_begin(call->wait, call->stepper, call->deadline);
    return rb_ensure(call_run, arg, call_leave, arg);
}

enum pgconn_wait_end
pgconn_wait_drive_ruby(const struct pgconn_stepper *stepper, pgconn_time deadline,
                       struct pgconn_wakeup **doorbell)
{
    struct call call = {.stepper = stepper,
                        .deadline = deadline,
                        .doorbell = doorbell,
                        .end = PGCONN_WAIT_INTERRUPTED};
    int tag;

    rb_protect(call_make, (VALUE)&call, &tag);
    interruption_exchange(tag);
    return tag ? PGCONN_WAIT_INTERRUPTED : call.end;
}

/* The calling fiber's wait for a connection, or nil. */
static VALUE
wait_find(VALUE connection)
{
    VALUE self = used ? rb_hash_lookup(active_waits(), rb_fiber_current()) : Qnil;

    while (!NIL_P(self) && pgconn_wait_object_get(self)->stepper->connection != connection) {
        self = pgconn_wait_object_get(self)->outer;
    }
    return self;
}

bool
pgconn_wait_is_under_way(VALUE connection)
{
    return !NIL_P(wait_find(connection));
}

void
pgconn_wait_check_ints(void)
{
    int tag = interruption_exchange(0);

    if (tag) rb_jump_tag(tag);
    rb_thread_check_ints();
}

VALUE
pgconn_wait_poll(VALUE connection)
{
    VALUE self = wait_find(connection);

    return NIL_P(self) ? Qnil : INT2FIX(pgconn_wait_object_step(self));
}

VALUE
pgconn_wait_io(VALUE connection)
{
    VALUE self = wait_find(connection);

    return NIL_P(self) ? Qnil : pgconn_wait_object_get(self)->io;
}

void
Init_pgconn_wait_ruby(void)
{
    idle_key = rb_ractor_local_storage_value_newkey();
    active_key = rb_ractor_local_storage_value_newkey();
}
