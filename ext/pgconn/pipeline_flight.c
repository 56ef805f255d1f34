#include "pipeline_flight.h"

#include "error.h"

/* Whether the command is one of the entry's, which begin there. */
static bool
entry_has(const struct pgconn_pipeline_entry *entry, const struct pgconn_command *first,
          const struct pgconn_command *command)
{
    while (first != command && first != entry->asked) first = first->next;
    return first == command;
}

struct settling {
    struct pgconn_pipeline *pipeline;
    struct pgconn_flight *flight;
    enum pgconn_run_end end;
};

/* Every cursor gets its result, up to the one whose statement has failed. */
static VALUE
settling_answers(VALUE arg)
{
    const struct settling *settling = (const struct settling *)arg;
    struct pgconn_pipeline *pipeline = settling->pipeline;
    struct pgconn_flight *flight = settling->flight;
    const struct pgconn_command *failed = pgconn_flight_failed(flight), *first = flight->commands;
    long place = 0;

    for (; place < pipeline->sent.count; place++) {
        struct pgconn_pipeline_entry *entry = &pipeline->sent.all[place];

        if (failed && entry_has(entry, first, failed)) break;
        first = entry->asked->next;
        pgconn_pipeline_succeed(pipeline, place, flight);
    }
    if (failed && place < pipeline->sent.count) {
        struct pgconn_pipeline_entry *entry = &pipeline->sent.all[place];
        VALUE error = pgconn_answer_error(pgconn_pipeline_session(pipeline), flight, failed->result,
                                          &entry->request);

        pgconn_pipeline_fail(pipeline, &pipeline->sent, place++, error);
    }
    while (place < pipeline->sent.count) pgconn_pipeline_abort(pipeline, place++);
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
    struct pgconn_pipeline *pipeline = settling->pipeline;
    const struct pgconn_flight *flight = settling->flight;
    VALUE error;

    for (long i = 0; i < pipeline->sent.count; i++) {
        struct pgconn_pipeline_entry *entry = &pipeline->sent.all[i];

        error = pgconn_answer_run_error(pgconn_pipeline_session(pipeline), flight, &entry->request,
                                        settling->end);
        pgconn_pipeline_fail(pipeline, &pipeline->sent, i, error);
    }
}

/* All of them count against the earliest deadline, for the server does them as one. */
static struct pgconn_request
pipeline_deadline(const struct pgconn_pipeline *pipeline)
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
entries_set_timeout(struct pgconn_pipeline_entries *entries, const struct pgconn_request *earliest)
{
    for (long i = 0; i < entries->count; i++) {
        entries->all[i].request.timeout = earliest->timeout;
        entries->all[i].request.deadline = earliest->deadline;
    }
}

struct remaking {
    struct pgconn_pipeline *pipeline;
    struct pgconn_flight *flight;
};

static VALUE
remaking_fill(VALUE arg)
{
    struct remaking *remaking = (struct remaking *)arg;
    struct pgconn_pipeline *pipeline = remaking->pipeline;
    struct pgconn_executor executor = pgconn_connection_executor(pipeline->connection);

    for (long i = 0; i < pipeline->sent.count; i++) {
        struct pgconn_pipeline_entry *entry = &pipeline->sent.all[i];
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
pipeline_make_again(struct pgconn_pipeline *pipeline, struct pgconn_flight *flight)
{
    struct remaking remaking = {pipeline, NULL};
    int state;

    pgconn_flight_free(flight);
    rb_protect(remaking_fill, (VALUE)&remaking, &state);
    if (!state) return remaking.flight;
    if (remaking.flight) pgconn_flight_free(remaking.flight);
    pgconn_pipeline_forget(pipeline, &pipeline->sent, "not_sent",
                           "not sent, because the pipeline couldn't be made anew");
    rb_jump_tag(state);
}

static void
entries_set_repeated(struct pgconn_pipeline_entries *entries)
{
    for (long i = 0; i < entries->count; i++) entries->all[i].request.repeated = true;
}

/* Runs the flight, which it takes over, to its end. */
static void
pipeline_run(struct pgconn_pipeline *pipeline, struct pgconn_flight *flight)
{
    struct pgconn_session *session = pgconn_pipeline_session(pipeline);
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

/* Tracers hear of the statements when all cursors have got their results. */
static VALUE
pipeline_tell(VALUE arg)
{
    const struct pgconn_pipeline *pipeline = (const struct pgconn_pipeline *)arg;
    const struct pgconn_tracer *tracer = &pgconn_pipeline_session(pipeline)->tracer;

    for (long i = 0; i < pipeline->sent.count; i++) {
        const struct pgconn_pipeline_entry *entry = &pipeline->sent.all[i];

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

static VALUE
flight_body(VALUE arg)
{
    struct pgconn_pipeline *pipeline = (struct pgconn_pipeline *)arg;
    struct pgconn_flight *flight = pipeline->flight;

    pipeline->sent = pipeline->entries;
    memset(&pipeline->entries, 0, sizeof(pipeline->entries));
    pipeline->flight = NULL;
    pipeline->failure = pipeline->unraised = Qnil;
    pipeline_run(pipeline, flight);
    if (NIL_P(pipeline->failure)) pipeline_tell(arg);
    else rb_rescue(pipeline_tell, arg, tracer_failed, Qnil); /* which is about to come out */
    pgconn_answer_deliver(pgconn_pipeline_session(pipeline), !NIL_P(pipeline->failure));
    return Qnil;
}

static VALUE
flight_ensure(VALUE arg)
{
    struct pgconn_pipeline *pipeline = (struct pgconn_pipeline *)arg;

    pgconn_pipeline_forget(pipeline, &pipeline->sent, "unknown",
                           "interrupted before the answer came");
    pipeline->gathered.busy = false;
    return Qnil;
}

void
pgconn_pipeline_flight_run(struct pgconn_pipeline *pipeline)
{
    pipeline->gathered.busy = true;
    rb_ensure(flight_body, (VALUE)pipeline, flight_ensure, (VALUE)pipeline);
}
