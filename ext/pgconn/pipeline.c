#include "pipeline.h"

#include "block.h"
#include "error.h"

/* One execute. */
struct entry {
    struct pgconn_request request; /* its cursor's slot isn't used: another execute may be in it */
    VALUE statement;
    struct pgconn_command *asked; /* of the flight: its answer is the result */
    pgconn_time started;
    long rows;   /* for the tracer: affected, or -1 */
    VALUE error; /* the same: or nil */
};

/* What goes as one flight. */
struct entries {
    struct entry *all;
    long count, capacity;
};

/* Belongs to a Ruby object of its own, which the connection marks while the block is open. */
struct pipeline {
    struct pgconn_gathered gathered; /* the first: it is found by that */
    VALUE self, connection;
    struct pgconn_flight *flight; /* what was gathered; NULL: nothing */
    struct entries entries;       /* of that flight */
    struct entries sent;          /* of the one that is waited for */
    VALUE failure;                /* the first error of the last flight that had one, or nil */
    VALUE unraised;               /* the same as long as nobody got it */
};

static VALUE rb_cPgconnPipeline;

static void
entries_mark(const struct entries *entries)
{
    for (long i = 0; i < entries->count; i++) {
        const struct entry *entry = &entries->all[i];

        rb_gc_mark(entry->request.sql);
        rb_gc_mark(entry->request.arguments);
        rb_gc_mark(entry->request.cursor);
        rb_gc_mark(entry->request.timeout);
        rb_gc_mark(entry->request.registry);
        rb_gc_mark(entry->request.plan);
        rb_gc_mark(entry->statement);
        rb_gc_mark(entry->error);
    }
}

static void
entries_free(struct entries *entries)
{
    xfree(entries->all);
    memset(entries, 0, sizeof(*entries));
}

static void
pipeline_mark(void *data)
{
    const struct pipeline *pipeline = data;

    rb_gc_mark(pipeline->connection);
    rb_gc_mark(pipeline->gathered.fiber);
    rb_gc_mark(pipeline->failure);
    rb_gc_mark(pipeline->unraised);
    entries_mark(&pipeline->entries);
    entries_mark(&pipeline->sent);
}

static void
pipeline_free(void *data)
{
    struct pipeline *pipeline = data;

    if (pipeline->flight) pgconn_flight_free(pipeline->flight);
    entries_free(&pipeline->entries);
    entries_free(&pipeline->sent);
    xfree(pipeline);
}

static size_t
pipeline_memsize(const void *data)
{
    const struct pipeline *pipeline = data;

    return sizeof(*pipeline) +
           (size_t)(pipeline->entries.capacity + pipeline->sent.capacity) * sizeof(struct entry);
}

/* Without write barriers: it ends with its block. */
static const rb_data_type_t pipeline_type = {
    .wrap_struct_name = "Pgconn pipeline",
    .function = {.dmark = pipeline_mark, .dfree = pipeline_free, .dsize = pipeline_memsize},
};

static struct entry *
entries_add(struct entries *entries)
{
    if (entries->count == entries->capacity) {
        entries->capacity = entries->capacity ? 2 * entries->capacity : 16;
        REALLOC_N(entries->all, struct entry, entries->capacity);
    }
    return &entries->all[entries->count];
}

static struct pgconn_session *
pipeline_session(const struct pipeline *pipeline)
{
    return &pgconn_connection_get(pipeline->connection)->session;
}

/* The cursor, if what it has executed last is this. */
static struct pgconn_cursor *
entry_cursor(const struct pipeline *pipeline, const struct entries *entries, long place)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get(entries->all[place].request.cursor);

    if (cursor->pipeline != pipeline->self || cursor->place != place) return NULL;
    return cursor;
}

/* Tracers hear of the statements when all cursors have got their results. */
static VALUE
entries_tell(VALUE arg)
{
    const struct pipeline *pipeline = (const struct pipeline *)arg;
    const struct pgconn_tracer *tracer = &pipeline_session(pipeline)->tracer;

    for (long i = 0; i < pipeline->sent.count; i++) {
        const struct entry *entry = &pipeline->sent.all[i];

        pgconn_tracer_tell(tracer, entry->request.sql, entry->started,
                           entry->rows < 0 ? Qnil : LONG2NUM(entry->rows), entry->error);
    }
    return Qnil;
}

static VALUE
tracer_failed(VALUE arg, VALUE error)
{
    (void)arg;
    (void)error;
    return Qnil;
}

static void
entry_succeed(struct pipeline *pipeline, long place, struct pgconn_flight *flight)
{
    struct entry *entry = &pipeline->sent.all[place];
    struct pgconn_cursor *cursor = entry_cursor(pipeline, &pipeline->sent, place);
    VALUE result = pgconn_answer_take(flight, entry->asked, &entry->request);

    pgconn_statement_get(entry->statement)->plan = entry->request.plan;
    if (cursor) {
        pgconn_cursor_set_result(entry->request.cursor, cursor, result);
        RB_OBJ_WRITE(entry->request.cursor, &cursor->pipeline, Qnil);
    }
    entry->rows = pgconn_result_affected(result);
}

static void
entry_fail(struct pipeline *pipeline, const struct entries *entries, long place, VALUE error)
{
    struct pgconn_cursor *cursor = entry_cursor(pipeline, entries, place);

    entries->all[place].error = error;
    if (NIL_P(pipeline->failure)) pipeline->failure = pipeline->unraised = error;
    if (!cursor) return;
    cursor->place = -1;
    RB_OBJ_WRITE(entries->all[place].request.cursor, &cursor->failure, error);
}

static VALUE
aborted_error(const struct entry *entry, const char *outcome, const char *text)
{
    struct pgconn_error_source source = {.query = entry->request.sql,
                                         .cursor = entry->request.cursor,
                                         .outcome = outcome};

    return pgconn_error_new_about(&source, rb_ePgconnPipelineAborted, "%s", text);
}

static void
entry_abort(struct pipeline *pipeline, long place)
{
    struct entry *entry = &pipeline->sent.all[place];
    VALUE error = aborted_error(entry, NULL,
                                "skipped, because a statement before it in the pipeline failed");

    rb_ivar_set(error, rb_intern("skipped_for"), pipeline->failure);
    entry_fail(pipeline, &pipeline->sent, place, error);
}

/* Whether the command is one of the entry's, which begin there. */
static bool
entry_has(const struct entry *entry, const struct pgconn_command *first,
          const struct pgconn_command *command)
{
    while (first != command && first != entry->asked) first = first->next;
    return first == command;
}

struct settling {
    struct pipeline *pipeline;
    struct pgconn_flight *flight;
    enum pgconn_run_end end;
};

/* Every cursor gets its result, up to the one whose statement has failed. */
static VALUE
settling_answers(VALUE arg)
{
    const struct settling *settling = (const struct settling *)arg;
    struct pipeline *pipeline = settling->pipeline;
    struct pgconn_flight *flight = settling->flight;
    const struct pgconn_command *failed = pgconn_flight_failed(flight), *first = flight->commands;
    long place = 0;

    for (; place < pipeline->sent.count; place++) {
        struct entry *entry = &pipeline->sent.all[place];

        if (failed && entry_has(entry, first, failed)) break;
        first = entry->asked->next;
        entry_succeed(pipeline, place, flight);
    }
    if (failed && place < pipeline->sent.count) {
        struct entry *entry = &pipeline->sent.all[place];
        VALUE error = pgconn_answer_error(flight, failed->result, &entry->request);

        entry_fail(pipeline, &pipeline->sent, place++, error);
    }
    while (place < pipeline->sent.count) entry_abort(pipeline, place++);
    return Qnil;
}

static VALUE
settling_free(VALUE arg)
{
    pgconn_flight_free(((struct settling *)arg)->flight);
    return Qnil;
}

/* Each cursor has an error of its own. */
static void
settling_end(const struct settling *settling)
{
    struct pipeline *pipeline = settling->pipeline;
    const struct pgconn_flight *flight = settling->flight;
    VALUE error;

    for (long i = 0; i < pipeline->sent.count; i++) {
        struct entry *entry = &pipeline->sent.all[i];

        error = pgconn_answer_run_error(pipeline_session(pipeline), flight, &entry->request,
                                        settling->end);
        entry_fail(pipeline, &pipeline->sent, i, error);
    }
}

/* All of them count against the earliest deadline, for the server does them as one. */
static struct pgconn_request
pipeline_deadline(const struct pipeline *pipeline)
{
    struct pgconn_request request = pgconn_answer_request(Qnil);

    for (long i = 0; i < pipeline->sent.count; i++) {
        const struct pgconn_request *other = &pipeline->sent.all[i].request;

        if (other->deadline >= request.deadline) continue;
        request.deadline = other->deadline;
        request.timeout = other->timeout;
    }
    return request;
}

static void
entries_set_timeout(struct entries *entries, const struct pgconn_request *earliest)
{
    for (long i = 0; i < entries->count; i++) {
        entries->all[i].request.timeout = earliest->timeout;
        entries->all[i].request.deadline = earliest->deadline;
    }
}

/* Those whose answer nobody has taken, because the wait was interrupted. */
static void
pipeline_forget(struct pipeline *pipeline, struct entries *entries, const char *outcome,
                const char *text)
{
    VALUE failure = pipeline->failure, unraised = pipeline->unraised;

    for (long i = 0; i < entries->count; i++) {
        if (!entry_cursor(pipeline, entries, i)) continue;
        entry_fail(pipeline, entries, i, aborted_error(&entries->all[i], outcome, text));
    }
    pipeline->failure = failure;
    pipeline->unraised = unraised;
    entries_free(entries);
}

struct remaking {
    struct pipeline *pipeline;
    struct pgconn_flight *flight;
};

static VALUE
remaking_fill(VALUE arg)
{
    struct remaking *remaking = (struct remaking *)arg;
    struct pipeline *pipeline = remaking->pipeline;
    struct pgconn_executor executor = pgconn_connection_executor(pipeline->connection);

    for (long i = 0; i < pipeline->sent.count; i++) {
        struct entry *entry = &pipeline->sent.all[i];
        VALUE query = Qnil;

        entry->statement = pgconn_execution_add(&executor, &entry->request, &query,
                                                &remaking->flight, &pipeline->gathered.busy);
        if (NIL_P(entry->statement)) {
            pgconn_error_raise(rb_ePgconnProgrammingError,
                               "the session's settings have changed: a statement that was added "
                               "to the pipeline before can't be sent with others now");
        }
        entry->asked = remaking->flight->tail;
    }
    return Qnil;
}

/* What was refused for no fault of its own, or was made for another encoding, is made anew. */
static struct pgconn_flight *
pipeline_make_again(struct pipeline *pipeline, struct pgconn_flight *flight)
{
    struct remaking remaking = {pipeline, NULL};
    int state;

    pgconn_flight_free(flight);
    rb_protect(remaking_fill, (VALUE)&remaking, &state);
    if (!state) return remaking.flight;
    if (remaking.flight) pgconn_flight_free(remaking.flight);
    pipeline_forget(pipeline, &pipeline->sent, "not_sent",
                    "not sent, because the pipeline couldn't be made anew");
    rb_jump_tag(state);
}

static void
entries_set_repeated(struct entries *entries)
{
    for (long i = 0; i < entries->count; i++) entries->all[i].request.repeated = true;
}

/* Runs the flight, which it takes over, to its end. */
static void
pipeline_run(struct pipeline *pipeline, struct pgconn_flight *flight)
{
    struct pgconn_session *session = pipeline_session(pipeline);
    struct pgconn_request earliest = pipeline_deadline(pipeline);
    struct settling settling = {.pipeline = pipeline};

    entries_set_timeout(&pipeline->sent, &earliest);
    for (;;) {
        settling.end = pgconn_answer_run(session, flight, earliest.deadline);
        if (settling.end == PGCONN_RUN_ANSWERED && flight->refused) {
            entries_set_repeated(&pipeline->sent);
        }
        else if (settling.end != PGCONN_RUN_OUTDATED) break;
        flight = pipeline_make_again(pipeline, flight);
    }
    if (pgconn_run_gives_back(settling.end)) settling.flight = flight;
    if (settling.end == PGCONN_RUN_ANSWERED) {
        rb_ensure(settling_answers, (VALUE)&settling, settling_free, (VALUE)&settling);
        return;
    }
    settling_end(&settling);
    if (settling.flight) pgconn_flight_free(settling.flight);
}

static VALUE
pipeline_send_body(VALUE arg)
{
    struct pipeline *pipeline = (struct pipeline *)arg;
    struct pgconn_flight *flight = pipeline->flight;

    pipeline->sent = pipeline->entries;
    memset(&pipeline->entries, 0, sizeof(pipeline->entries));
    pipeline->flight = NULL;
    pipeline->failure = pipeline->unraised = Qnil;
    pipeline_run(pipeline, flight);
    if (NIL_P(pipeline->failure)) entries_tell(arg);
    else rb_rescue(entries_tell, arg, tracer_failed, Qnil); /* which is about to come out */
    pgconn_answer_deliver(pipeline_session(pipeline), !NIL_P(pipeline->failure));
    return Qnil;
}

static VALUE
pipeline_send_ensure(VALUE arg)
{
    struct pipeline *pipeline = (struct pipeline *)arg;

    pipeline_forget(pipeline, &pipeline->sent, "unknown", "interrupted before the answer came");
    pipeline->gathered.busy = false;
    return Qnil;
}

static void
pipeline_raise_first(struct pipeline *pipeline)
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
pipeline_send(struct pipeline *pipeline)
{
    if (pipeline->gathered.busy) {
        pgconn_error_raise(rb_ePgconnProgrammingError,
                           "the pipeline is being sent or added to: a handler, a tracer or a "
                           "value's own method can't wait for its results");
    }
    if (pipeline->entries.count == 0) return;
    pipeline_raise_first(pipeline);
    pipeline->gathered.busy = true;
    rb_ensure(pipeline_send_body, (VALUE)pipeline, pipeline_send_ensure, (VALUE)pipeline);
}

static void
gathered_send(struct pgconn_gathered *gathered)
{
    struct pipeline *pipeline = (struct pipeline *)gathered;

    pipeline_send(pipeline);
    pipeline_raise_first(pipeline);
}

static void
gathered_drop(struct pgconn_gathered *gathered)
{
    struct pipeline *pipeline = (struct pipeline *)gathered;

    if (!pipeline->flight) return;
    pgconn_flight_free(pipeline->flight);
    pipeline->flight = NULL;
    pipeline_forget(pipeline, &pipeline->entries, "not_sent",
                    "never sent, because its block was left before");
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
pipeline_gathers(const struct pipeline *pipeline)
{
    return pipeline->gathered.fiber == rb_obj_id(rb_fiber_current());
}

bool
pgconn_pipeline_add(struct pgconn_gathered *gathered, VALUE self,
                    const struct pgconn_execute_call *call)
{
    struct pipeline *pipeline = (struct pipeline *)gathered;
    struct pgconn_executor executor = pgconn_connection_executor(pipeline->connection);
    struct pgconn_cursor *cursor = pgconn_cursor_get_open(self);
    struct entry entry = {.started = pgconn_wait_now(), .rows = -1, .error = Qnil};

    if (!pipeline_gathers(pipeline)) return false;
    entry.request = pgconn_cursor_start(self, cursor, call);
    entry.request.registry = executor.registry;
    entry.request.arguments = arguments_keep(call->arguments);
    entry.statement = pgconn_execution_add(&executor, &entry.request, &cursor->query,
                                           &pipeline->flight, &pipeline->gathered.busy);
    RB_GC_GUARD(entry.request.arguments);
    if (NIL_P(entry.statement)) return false;
    entry.asked = pipeline->flight->tail;
    *entries_add(&pipeline->entries) = entry;
    cursor->place = pipeline->entries.count++;
    RB_OBJ_WRITE(self, &cursor->pipeline, pipeline->self);
    return true;
}

/* The error that was skipped for is the cause. */
static void
failure_raise(struct pipeline *pipeline, VALUE error)
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
    struct pipeline *pipeline = RTYPEDDATA_DATA(self);
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
    struct pipeline *pipeline;
    VALUE self = TypedData_Make_Struct(rb_cPgconnPipeline, struct pipeline, &pipeline_type,
                                       pipeline);

    pipeline->self = self;
    pipeline->connection = connection;
    pipeline->failure = pipeline->unraised = Qnil;
    pipeline->gathered.object = self;
    pipeline->gathered.caller = pgconn_caller_current();
    pipeline->gathered.fiber = rb_obj_id(rb_fiber_current());
    pipeline->gathered.send = gathered_send;
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
    return rb_yield(((struct pipeline *)RTYPEDDATA_DATA(self))->connection);
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
    struct pipeline *pipeline = RTYPEDDATA_DATA(self);

    gathered_drop(&pipeline->gathered);
    session_remove(pipeline_session(pipeline), &pipeline->gathered);
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
    struct pipeline *pipeline;

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
