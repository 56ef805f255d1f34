#include "error.h"
#include "wait.h"
#include "watch.h"

#include <ruby/fiber/scheduler.h>
#include <ruby/ractor.h>
#include <unistd.h>

/* How many that are not in use are kept, for each Ractor. */
#define IDLE_KEPT 16

static VALUE rb_cPgconnWait;

/* Of each Ractor: an Array of those not in use, and a Hash from fibers to those in use. */
static rb_ractor_local_key_t idle_key, active_key;

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

/* A Pgconn::Wait: used for one wait after the other. */
struct wait {
    struct pgconn_watch watch;
    pid_t process;                        /* a forked child would change what its parent watches */
    VALUE io;                             /* of the watch */
    const struct pgconn_stepper *stepper; /* of the wait that is under way; NULL: none is */
    pgconn_time deadline;
    bool ended;
    enum pgconn_wait_end end;
    VALUE outer; /* the wait in which this one began, or nil: schedulers may use connections, too */
};

static void
wait_mark(void *data)
{
    const struct wait *wait = data;

    rb_gc_mark_movable(wait->io);
    rb_gc_mark_movable(wait->outer);
}

static void
wait_compact(void *data)
{
    struct wait *wait = data;

    wait->io = rb_gc_location(wait->io);
    wait->outer = rb_gc_location(wait->outer);
}

static void
wait_free(void *data)
{
    pgconn_watch_close(&((struct wait *)data)->watch);
    xfree(data);
}

static size_t
wait_memsize(const void *data)
{
    (void)data;
    return sizeof(struct wait);
}

static const rb_data_type_t wait_type = {
    .wrap_struct_name = "Pgconn::Wait",
    .function = {.dmark = wait_mark,
                 .dfree = wait_free,
                 .dsize = wait_memsize,
                 .dcompact = wait_compact},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static struct wait *
wait_get(VALUE self)
{
    return rb_check_typeddata(self, &wait_type);
}

/* The IO doesn't own the descriptor, which is closed when the wait is freed. */
static VALUE
io_new(int descriptor)
{
    VALUE arguments[2] = {INT2NUM(descriptor), rb_hash_new()};

    rb_hash_aset(arguments[1], ID2SYM(rb_intern("autoclose")), Qfalse);
    return rb_funcallv_kw(rb_cIO, rb_intern("for_fd"), 2, arguments, RB_PASS_KEYWORDS);
}

static VALUE
wait_new(void)
{
    struct wait *wait;
    VALUE self = TypedData_Make_Struct(rb_cPgconnWait, struct wait, &wait_type, wait);

    wait->watch.descriptor = -1;
    wait->io = wait->outer = Qnil;
    wait->process = getpid();
    if (!pgconn_watch_open(&wait->watch)) rb_sys_fail("a descriptor to wait for");
    RB_OBJ_WRITE(self, &wait->io, io_new(wait->watch.descriptor));
    return self;
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
    } while (!NIL_P(self) && wait_get(self)->process != getpid());
    return NIL_P(self) ? wait_new() : self;
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
 * is also in the queue of its connection.
 */
static void
call_begin(struct call *call)
{
    struct wait *wait = wait_get(call->wait);
    VALUE active = active_waits();

    RB_OBJ_WRITE(call->wait, &wait->outer, rb_hash_lookup(active, call->fiber));
    rb_hash_aset(active, call->fiber, call->wait);
    wait->stepper = call->stepper;
    wait->deadline = call->deadline;
    wait->ended = false;
    *call->doorbell = wait->watch.bell;
}

static VALUE
call_run(VALUE arg)
{
    struct call *call = (struct call *)arg;

    call_begin(call);
    rb_funcall(call->wait, rb_intern("run"), 0);
    call->end = wait_get(call->wait)->end;
    return Qnil;
}

static VALUE
call_leave(VALUE arg)
{
    struct call *call = (struct call *)arg;
    struct wait *wait = wait_get(call->wait);

    *call->doorbell = NULL;
    wait->stepper = NULL;
    pgconn_watch_set(&wait->watch, -1, PGCONN_WATCH_READ);
    pgconn_wakeup_clear(wait->watch.bell);
    if (NIL_P(wait->outer)) rb_hash_delete(active_waits(), call->fiber);
    else rb_hash_aset(active_waits(), call->fiber, wait->outer);
    if (RARRAY_LEN(idle_waits()) < IDLE_KEPT) rb_ary_push(idle_waits(), call->wait);
    return Qnil;
}

static VALUE
call_make(VALUE arg)
{
    struct call *call = (struct call *)arg;

    call->fiber = rb_fiber_current();
    call->wait = idle_take();
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

bool
pgconn_wait_is_under_way(VALUE connection)
{
    VALUE self = RHASH_EMPTY_P(active_waits()) ? Qnil
                                               : rb_hash_lookup(active_waits(), rb_fiber_current());

    while (!NIL_P(self) && wait_get(self)->stepper->connection != connection) {
        self = wait_get(self)->outer;
    }
    return !NIL_P(self);
}

void
pgconn_wait_check_ints(void)
{
    int tag = interruption_exchange(0);

    if (tag) rb_jump_tag(tag);
    rb_thread_check_ints();
}

static void
wait_end(struct wait *wait, enum pgconn_wait_end end)
{
    wait->ended = true;
    wait->end = end;
}

static enum pgconn_watch_for
watch_for(enum pgconn_step wanted)
{
    switch (wanted) {
    case PGCONN_STEP_WANT_HANG_UP:
        return PGCONN_WATCH_HANG_UP;
    case PGCONN_STEP_WANT_WRITE:
        return PGCONN_WATCH_READ_WRITE;
    default:
        return PGCONN_WATCH_READ;
    }
}

static void
wait_watch(struct wait *wait, enum pgconn_step wanted)
{
    int descriptor = wait->stepper->descriptor(wait->stepper->subject);

    if (!pgconn_watch_set(&wait->watch, descriptor, watch_for(wanted))) {
        rb_sys_fail("what can't be waited for");
    }
}

static void
wait_step(struct wait *wait)
{
    enum pgconn_step step = wait->stepper->step(wait->stepper->subject);

    if (step == PGCONN_STEP_DONE) wait_end(wait, PGCONN_WAIT_DONE);
    else if (step == PGCONN_STEP_FAILED) wait_end(wait, PGCONN_WAIT_FAILED);
    else if (wait->watch.bell->rung) wait_end(wait, PGCONN_WAIT_INTERRUPTED);
    else if (wait->deadline <= pgconn_wait_now()) wait_end(wait, PGCONN_WAIT_TIMED_OUT);
    else wait_watch(wait, step);
}

/*
 * Makes a step, which never waits.
 * @return [Boolean] whether it was the last; if not, {#io} is readable when the next can be made
 * @api private
 */
static VALUE
wait_poll(VALUE self)
{
    struct wait *wait = wait_get(self);

    if (wait->stepper && !wait->ended) wait_step(wait);
    return RBOOL(!wait->stepper || wait->ended);
}

/*
 * @return [IO] always the same: readable when something has come of what is waited for
 * @api private
 */
static VALUE
wait_io(VALUE self)
{
    return wait_get(self)->io;
}

/*
 * @return [Float, nil] the seconds that are left until the deadline; nil: there is none
 * @api private
 */
static VALUE
wait_timeout(VALUE self)
{
    const struct wait *wait = wait_get(self);
    pgconn_time left;

    if (wait->deadline == PGCONN_NEVER) return Qnil;
    left = wait->deadline - pgconn_wait_now();
    return DBL2NUM(left > 0 ? (double)left / 1e9 : 0.0);
}

void
Init_pgconn_wait(void)
{
    idle_key = rb_ractor_local_storage_value_newkey();
    active_key = rb_ractor_local_storage_value_newkey();
    rb_cPgconnWait = rb_define_class_under(rb_mPgconn, "Wait", rb_cObject);
    rb_gc_register_mark_object(rb_cPgconnWait);
    rb_undef_alloc_func(rb_cPgconnWait);
    rb_define_method(rb_cPgconnWait, "io", wait_io, 0);
    rb_define_method(rb_cPgconnWait, "poll", wait_poll, 0);
    rb_define_method(rb_cPgconnWait, "timeout", wait_timeout, 0);
}
