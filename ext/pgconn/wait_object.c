#include "wait_object.h"

#include <ruby/io.h>

static VALUE rb_cPgconnWait;

static void
wait_mark(void *data)
{
    const struct pgconn_wait *wait = data;

    rb_gc_mark_movable(wait->watch_io);
    rb_gc_mark_movable(wait->plain_io);
    rb_gc_mark_movable(wait->io);
    rb_gc_mark_movable(wait->outer);
}

static void
wait_compact(void *data)
{
    struct pgconn_wait *wait = data;

    wait->watch_io = rb_gc_location(wait->watch_io);
    wait->plain_io = rb_gc_location(wait->plain_io);
    wait->io = rb_gc_location(wait->io);
    wait->outer = rb_gc_location(wait->outer);
}

static void
wait_free(void *data)
{
    pgconn_watch_close(&((struct pgconn_wait *)data)->watch);
    xfree(data);
}

static size_t
wait_memsize(const void *data)
{
    (void)data;
    return sizeof(struct pgconn_wait);
}

static const rb_data_type_t wait_type = {
    .wrap_struct_name = "Pgconn::Wait",
    .function = {.dmark = wait_mark,
                 .dfree = wait_free,
                 .dsize = wait_memsize,
                 .dcompact = wait_compact},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

struct pgconn_wait *
pgconn_wait_object_get(VALUE self)
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

VALUE
pgconn_wait_object_new(void)
{
    struct pgconn_wait *wait;
    VALUE self = TypedData_Make_Struct(rb_cPgconnWait, struct pgconn_wait, &wait_type, wait);

    wait->watch.descriptor = wait->watch.timer = -1;
    wait->watch_io = wait->plain_io = wait->io = wait->outer = Qnil;
    wait->process = getpid();
    if (!pgconn_watch_open(&wait->watch)) rb_sys_fail("a descriptor to wait for");
    RB_OBJ_WRITE(self, &wait->watch_io, io_new(wait->watch.descriptor));
    return self;
}

void
pgconn_wait_object_begin(VALUE self, const struct pgconn_stepper *stepper, pgconn_time deadline)
{
    struct pgconn_wait *wait = pgconn_wait_object_get(self);

    wait->way = pgconn_wait_way(stepper->connection);
    wait->deadline = deadline;
    wait->ended = false;
    wait->stepper = stepper;
}

void
pgconn_wait_object_end(VALUE self)
{
    struct pgconn_wait *wait = pgconn_wait_object_get(self);

    wait->stepper = NULL;
    wait->plain_io = wait->io = Qnil;
    pgconn_watch_set(&wait->watch, -1, PGCONN_WATCH_READ);
    pgconn_watch_set_timer(&wait->watch, PGCONN_WATCH_NO_TIMER);
    pgconn_wakeup_clear(wait->watch.bell);
}

static int
wait_end(struct pgconn_wait *wait, enum pgconn_wait_end end)
{
    wait->ended = true;
    wait->end = end;
    return 0;
}

static enum pgconn_watch_for
watch_for(enum pgconn_step wanted)
{
    switch (wanted) {
    case PGCONN_STEP_WANT_HANG_UP:
        return PGCONN_WATCH_HANG_UP;
    case PGCONN_STEP_WANT_WRITE:
        return PGCONN_WATCH_READ_WRITE;
    case PGCONN_STEP_WANT_CONNECT:
        return PGCONN_WATCH_WRITE;
    default:
        return PGCONN_WATCH_READ;
    }
}

/* Schedulers take a time-out, and others don't have to know of deadlines. */
static pgconn_time
wait_timer(const struct pgconn_wait *wait)
{
    if (wait->way == PGCONN_WAIT_SCHEDULER || wait->deadline == PGCONN_NEVER) {
        return PGCONN_WATCH_NO_TIMER;
    }
    return wait->deadline - pgconn_wait_now();
}

static int
wait_for_watch(VALUE self, struct pgconn_wait *wait, int descriptor, enum pgconn_step wanted)
{
    if (!pgconn_watch_set(&wait->watch, descriptor, watch_for(wanted)) ||
        !pgconn_watch_set_timer(&wait->watch, wait_timer(wait))) {
        rb_sys_fail("what can't be waited for");
    }
    RB_OBJ_WRITE(self, &wait->io, wait->watch_io);
    return RUBY_IO_READABLE;
}

/*
 * Whether the user gets the descriptor itself. In an operation nothing else is waited for unless it
 * has a deadline; for callbacks it is where they are to see that there is something to be written.
 */
static bool
wait_is_plain(const struct pgconn_wait *wait, int descriptor, enum pgconn_step wanted)
{
    if (descriptor < 0 || wait->deadline != PGCONN_NEVER) return false;
    switch (wanted) {
    case PGCONN_STEP_WANT_READ:
        return wait->way == PGCONN_WAIT_YIELDING;
    case PGCONN_STEP_WANT_WRITE:
    case PGCONN_STEP_WANT_CONNECT:
        return wait->way != PGCONN_WAIT_SCHEDULER;
    default:
        return false;
    }
}

static int
wait_for_plain(VALUE self, struct pgconn_wait *wait, int descriptor, enum pgconn_step wanted)
{
    VALUE io = wait->plain_io;

    if (NIL_P(io) || rb_io_descriptor(io) != descriptor) io = io_new(descriptor);
    RB_OBJ_WRITE(self, &wait->plain_io, io);
    RB_OBJ_WRITE(self, &wait->io, io);
    switch (wanted) {
    case PGCONN_STEP_WANT_WRITE:
        return RUBY_IO_READABLE | RUBY_IO_WRITABLE;
    case PGCONN_STEP_WANT_CONNECT:
        return RUBY_IO_WRITABLE;
    default:
        return RUBY_IO_READABLE;
    }
}

/* What has to be waited for, on wait->io, before the next step; 0: that was the last. */
static int
wait_step(VALUE self, struct pgconn_wait *wait)
{
    const struct pgconn_stepper *stepper = wait->stepper;
    enum pgconn_step step = stepper->step(stepper->subject);
    int descriptor;

    if (step == PGCONN_STEP_DONE) return wait_end(wait, PGCONN_WAIT_DONE);
    if (step == PGCONN_STEP_FAILED) return wait_end(wait, PGCONN_WAIT_FAILED);
    if (wait->watch.bell->rung) return wait_end(wait, PGCONN_WAIT_INTERRUPTED);
    if (wait->deadline <= pgconn_wait_now()) return wait_end(wait, PGCONN_WAIT_TIMED_OUT);
    descriptor = stepper->descriptor(stepper->subject);
    if (wait_is_plain(wait, descriptor, step)) {
        return wait_for_plain(self, wait, descriptor, step);
    }
    return wait_for_watch(self, wait, descriptor, step);
}

int
pgconn_wait_object_step(VALUE self)
{
    struct pgconn_wait *wait = pgconn_wait_object_get(self);

    return !wait->stepper || wait->ended ? 0 : wait_step(self, wait);
}

/*
 * Makes a step, which never waits.
 * @return [Integer] the events to wait for on {#io} before the next one; 0: that was the last
 * @api private
 */
static VALUE
wait_poll(VALUE self)
{
    return INT2FIX(pgconn_wait_object_step(self));
}

/*
 * @return [IO] what is to be waited for; it doesn't own its descriptor
 * @api private
 */
static VALUE
wait_io(VALUE self)
{
    return pgconn_wait_object_get(self)->io;
}

/*
 * @return [Float, nil] the seconds that are left until the deadline; nil: there is none
 * @api private
 */
static VALUE
wait_timeout(VALUE self)
{
    const struct pgconn_wait *wait = pgconn_wait_object_get(self);
    pgconn_time left;

    if (wait->deadline == PGCONN_NEVER) return Qnil;
    left = wait->deadline - pgconn_wait_now();
    return DBL2NUM(left > 0 ? (double)left / 1e9 : 0.0);
}

void
Init_pgconn_wait_object(void)
{
    rb_cPgconnWait = rb_define_class_under(rb_mPgconn, "Wait", rb_cObject);
    rb_gc_register_mark_object(rb_cPgconnWait);
    rb_undef_alloc_func(rb_cPgconnWait);
    rb_define_method(rb_cPgconnWait, "io", wait_io, 0);
    rb_define_method(rb_cPgconnWait, "poll", wait_poll, 0);
    rb_define_method(rb_cPgconnWait, "timeout", wait_timeout, 0);
}
