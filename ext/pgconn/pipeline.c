#include "pipeline.h"

#include "block.h"
#include "error.h"
#include "pipeline_flight.h"

static VALUE rb_cPgconnPipeline;

static void
pipeline_mark(void *data)
{
    const struct pgconn_pipeline *pipeline = data;

    rb_gc_mark(pipeline->connection);
    rb_gc_mark(pipeline->gathered.fiber);
    rb_gc_mark(pipeline->failure);
    rb_gc_mark(pipeline->unraised);
    pgconn_pipeline_entries_mark(&pipeline->entries);
    pgconn_pipeline_entries_mark(&pipeline->sent);
}

static void
pipeline_free(void *data)
{
    struct pgconn_pipeline *pipeline = data;

    if (pipeline->flight) pgconn_flight_free(pipeline->flight);
    pgconn_pipeline_entries_free(&pipeline->entries);
    pgconn_pipeline_entries_free(&pipeline->sent);
    xfree(pipeline);
}

static size_t
pipeline_memsize(const void *data)
{
    const struct pgconn_pipeline *pipeline = data;

    return sizeof(*pipeline) + (size_t)(pipeline->entries.capacity + pipeline->sent.capacity) *
                                   sizeof(struct pgconn_pipeline_entry);
}

/* Without write barriers: it ends with its block. */
static const rb_data_type_t pipeline_type = {
    .wrap_struct_name = "Pgconn pipeline",
    .function = {.dmark = pipeline_mark, .dfree = pipeline_free, .dsize = pipeline_memsize},
};

static void
pipeline_raise_first(struct pgconn_pipeline *pipeline)
{
    VALUE error = pipeline->unraised;

    pipeline->unraised = Qnil;
    if (!NIL_P(error)) rb_exc_raise(error);
}

/*
 * Sends what was gathered, and waits for it; raises nothing of what the server says of that, but
 * first an error that nobody has got yet: what was executed behind it is not sent then.
 */
static void
pipeline_send(struct pgconn_pipeline *pipeline)
{
    if (pipeline->gathered.busy) {
        pgconn_error_raise(rb_ePgconnProgrammingError,
                           "the pipeline is being sent or added to: a handler, a tracer or a "
                           "value's own method can't wait for its results");
    }
    if (pipeline->entries.count == 0) return;
    pipeline_raise_first(pipeline);
    pgconn_pipeline_flight_run(pipeline);
}

static void
gathered_send(struct pgconn_gathered *gathered)
{
    struct pgconn_pipeline *pipeline = (struct pgconn_pipeline *)gathered;

    pipeline_send(pipeline);
    pipeline_raise_first(pipeline);
}

static void
pipeline_drop(struct pgconn_pipeline *pipeline, const char *text)
{
    if (!pipeline->flight) return;
    pgconn_flight_free(pipeline->flight);
    pipeline->flight = NULL;
    pgconn_pipeline_forget(pipeline, &pipeline->entries, "not_sent", text);
}

static void
gathered_drop(struct pgconn_gathered *gathered)
{
    pipeline_drop((struct pgconn_pipeline *)gathered,
                  "never sent, because its block was left before");
}

/* Behind an error that nobody has got nothing is sent; it isn't in the way of a ROLLBACK. */
static void
gathered_send_to_undo(struct pgconn_gathered *gathered)
{
    struct pgconn_pipeline *pipeline = (struct pgconn_pipeline *)gathered;

    if (NIL_P(pipeline->unraised)) pipeline_send(pipeline);
    else pipeline_drop(pipeline, "never sent, because a statement before it had failed");
}

/* The values stay as they are now, should the flight have to be made again. */
static VALUE
arguments_keep(VALUE arguments)
{
    if (NIL_P(arguments)) return arguments;
    return RB_TYPE_P(arguments, T_HASH) ? rb_hash_dup(arguments) : rb_ary_dup(arguments);
}

/*
 * Not what another fiber of the same thread executes: the block's own may have been dropped in the
 * middle of it, and what is gathered there is never sent.
 */
static bool
pipeline_gathers(const struct pgconn_pipeline *pipeline)
{
    return pipeline->gathered.fiber == rb_obj_id(rb_fiber_current());
}

bool
pgconn_pipeline_add(struct pgconn_gathered *gathered, VALUE self,
                    const struct pgconn_execute_call *call)
{
    struct pgconn_pipeline *pipeline = (struct pgconn_pipeline *)gathered;
    struct pgconn_executor executor = pgconn_connection_executor(pipeline->connection);
    struct pgconn_cursor *cursor = pgconn_cursor_get_open(self);
    struct pgconn_pipeline_entry entry = {.started = pgconn_wait_now(), .rows = -1, .error = Qnil};

    if (!pipeline_gathers(pipeline)) return false;
    entry.request = pgconn_cursor_start(self, cursor, call);
    entry.request.registry = executor.registry;
    entry.request.arguments = arguments_keep(call->arguments);
    entry.statement = pgconn_execution_add(&executor, &entry.request, &cursor->query,
                                           &pipeline->flight, &pipeline->gathered.busy);
    RB_GC_GUARD(entry.request.arguments);
    if (NIL_P(entry.statement)) return false;
    entry.asked = pipeline->flight->tail;
    *pgconn_pipeline_entries_add(&pipeline->entries) = entry;
    cursor->place = pipeline->entries.count++;
    RB_OBJ_WRITE(self, &cursor->pipeline, pipeline->self);
    return true;
}

/* The error that was skipped for is the cause. */
static void
failure_raise(struct pgconn_pipeline *pipeline, VALUE error)
{
    VALUE arguments[2] = {error, Qnil}, cause = rb_attr_get(error, rb_intern("skipped_for"));

    if (error == pipeline->unraised) pipeline->unraised = Qnil;
    if (NIL_P(cause)) rb_exc_raise(error);
    arguments[1] = rb_hash_new();
    rb_hash_aset(arguments[1], ID2SYM(rb_intern("cause")), cause);
    rb_funcallv_kw(rb_mKernel, rb_intern("raise"), 2, arguments, RB_PASS_KEYWORDS);
}

void
pgconn_pipeline_await(VALUE self, VALUE owner)
{
    struct pgconn_pipeline *pipeline = RTYPEDDATA_DATA(self);
    struct pgconn_cursor *cursor = pgconn_cursor_get(owner);

    if (NIL_P(cursor->failure) && pipeline->gathered.caller != pgconn_caller_current()) {
        pgconn_error_raise(rb_ePgconnProgrammingError,
                           "the statement is in another caller's pipeline, which hasn't got its "
                           "result yet");
    }
    if (NIL_P(cursor->failure)) pipeline_send(pipeline);
    if (!NIL_P(cursor->failure)) failure_raise(pipeline, cursor->failure);
    RB_GC_GUARD(self);
}

static VALUE
pipeline_new(VALUE connection)
{
    struct pgconn_pipeline *pipeline;
    VALUE self = TypedData_Make_Struct(rb_cPgconnPipeline, struct pgconn_pipeline, &pipeline_type,
                                       pipeline);

    pipeline->self = self;
    pipeline->connection = connection;
    pipeline->failure = pipeline->unraised = Qnil;
    pipeline->gathered.object = self;
    pipeline->gathered.caller = pgconn_caller_current();
    pipeline->gathered.fiber = rb_obj_id(rb_fiber_current());
    pipeline->gathered.send = gathered_send;
    pipeline->gathered.send_to_undo = gathered_send_to_undo;
    pipeline->gathered.drop = gathered_drop;
    return self;
}

static void
session_remove(struct pgconn_session *session, const struct pgconn_gathered *gathered)
{
    struct pgconn_gathered **link = &session->gathered;

    while (*link && *link != gathered) link = &(*link)->outer;
    if (*link) *link = gathered->outer;
}

static VALUE
pipeline_yield(VALUE self)
{
    return rb_yield(((struct pgconn_pipeline *)RTYPEDDATA_DATA(self))->connection);
}

static VALUE
pipeline_finish(VALUE self)
{
    gathered_send(RTYPEDDATA_DATA(self));
    return Qnil;
}

static VALUE
pipeline_close(VALUE self)
{
    struct pgconn_pipeline *pipeline = RTYPEDDATA_DATA(self);

    gathered_drop(&pipeline->gathered);
    session_remove(pgconn_pipeline_session(pipeline), &pipeline->gathered);
    return Qnil;
}

static void
pipeline_leave(VALUE self, enum pgconn_left left)
{
    if (left == PGCONN_LEFT_WELL) rb_ensure(pipeline_finish, self, pipeline_close, self);
    else pipeline_close(self);
}

/* What Connection#pipeline does with its block. */
static VALUE
connection_run_pipeline(VALUE connection)
{
    struct pgconn_session *session = pgconn_connection_get_open(connection);
    struct pgconn_gathered *outer = pgconn_session_gathered(session);
    VALUE self;
    struct pgconn_pipeline *pipeline;

    pgconn_answer_check_caller(session);
    if (outer) outer->send(outer);
    self = pipeline_new(connection);
    pipeline = RTYPEDDATA_DATA(self);
    pipeline->gathered.outer = session->gathered;
    session->gathered = &pipeline->gathered;
    RB_OBJ_WRITTEN(connection, Qundef, self);
    return pgconn_block_run(pipeline_yield, pipeline_leave, self);
}

void
Init_pgconn_pipeline(void)
{
    rb_cPgconnPipeline = rb_class_new(rb_cObject);
    rb_gc_register_mark_object(rb_cPgconnPipeline);
    rb_undef_alloc_func(rb_cPgconnPipeline);
    rb_define_private_method(rb_cPgconnConnection, "run_pipeline", connection_run_pipeline, 0);
}
