#include "pipeline_entries.h"

#include "error.h"

void
pgconn_pipeline_entries_mark(const struct pgconn_pipeline_entries *entries)
{
    for (long i = 0; i < entries->count; i++) {
        const struct pgconn_pipeline_entry *entry = &entries->all[i];

        pgconn_answer_mark_request(&entry->request);
        rb_gc_mark(entry->statement);
        rb_gc_mark(entry->error);
    }
}

void
pgconn_pipeline_entries_free(struct pgconn_pipeline_entries *entries)
{
    xfree(entries->all);
    memset(entries, 0, sizeof(*entries));
}

struct pgconn_pipeline_entry *
pgconn_pipeline_entries_add(struct pgconn_pipeline_entries *entries)
{
    if (entries->count == entries->capacity) {
        entries->capacity = entries->capacity ? 2 * entries->capacity : 16;
        REALLOC_N(entries->all, struct pgconn_pipeline_entry, entries->capacity);
    }
    return &entries->all[entries->count];
}

struct pgconn_session *
pgconn_pipeline_session(const struct pgconn_pipeline *pipeline)
{
    return &pgconn_connection_get(pipeline->connection)->session;
}

/* The cursor, if what it has executed last is this. */
static struct pgconn_cursor *
entry_cursor(const struct pgconn_pipeline *pipeline, const struct pgconn_pipeline_entries *entries,
             long place)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get(entries->all[place].request.cursor);

    if (cursor->pipeline != pipeline->self || cursor->place != place) return NULL;
    return cursor;
}

void
pgconn_pipeline_succeed(struct pgconn_pipeline *pipeline, long place, struct pgconn_flight *flight)
{
    struct pgconn_pipeline_entry *entry = &pipeline->sent.all[place];
    struct pgconn_cursor *cursor = entry_cursor(pipeline, &pipeline->sent, place);
    VALUE result = pgconn_answer_take(flight, entry->asked, &entry->request);

    pgconn_statement_get(entry->statement)->plan = entry->request.plan;
    if (cursor) {
        pgconn_cursor_set_result(entry->request.cursor, cursor, result);
        RB_OBJ_WRITE(entry->request.cursor, &cursor->pipeline, Qnil);
    }
    entry->rows = pgconn_result_affected(result);
}

void
pgconn_pipeline_fail(struct pgconn_pipeline *pipeline,
                     const struct pgconn_pipeline_entries *entries, long place, VALUE error)
{
    struct pgconn_cursor *cursor = entry_cursor(pipeline, entries, place);

    entries->all[place].error = error;
    if (NIL_P(pipeline->failure)) pipeline->failure = pipeline->unraised = error;
    if (!cursor) return;
    cursor->place = -1;
    RB_OBJ_WRITE(entries->all[place].request.cursor, &cursor->failure, error);
}

static VALUE
aborted_error(const struct pgconn_pipeline_entry *entry, const char *outcome, const char *text)
{
    struct pgconn_error_source source = {.query = entry->request.sql,
                                         .cursor = entry->request.cursor,
                                         .outcome = outcome};

    return pgconn_error_new_about(&source, rb_ePgconnPipelineAborted, "%s", text);
}

void
pgconn_pipeline_abort(struct pgconn_pipeline *pipeline, long place)
{
    struct pgconn_pipeline_entry *entry = &pipeline->sent.all[place];
    VALUE error = aborted_error(entry, NULL,
                                "skipped, because a statement before it in the pipeline failed");

    rb_ivar_set(error, rb_intern("skipped_for"), pipeline->failure);
    pgconn_pipeline_fail(pipeline, &pipeline->sent, place, error);
}

void
pgconn_pipeline_forget(struct pgconn_pipeline *pipeline, struct pgconn_pipeline_entries *entries,
                       const char *outcome, const char *text)
{
    VALUE failure = pipeline->failure, unraised = pipeline->unraised;

    for (long i = 0; i < entries->count; i++) {
        if (!entry_cursor(pipeline, entries, i)) continue;
        pgconn_pipeline_fail(pipeline, entries, i, aborted_error(&entries->all[i], outcome, text));
    }
    pipeline->failure = failure;
    pipeline->unraised = unraised;
    pgconn_pipeline_entries_free(entries);
}
