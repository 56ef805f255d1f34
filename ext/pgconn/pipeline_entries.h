/*
 * What is executed in a pipeline, and how the cursor of each statement gets its result or error.
 */
#ifndef PGCONN_PIPELINE_ENTRIES_H
#define PGCONN_PIPELINE_ENTRIES_H

#include "cursor.h"

/* One execute. */
struct pgconn_pipeline_entry {
    struct pgconn_request request; /* its cursor's slot isn't used: another execute may be in it */
    VALUE statement;
    struct pgconn_command *asked; /* of the flight: its answer is the result */
    pgconn_time started;
    long rows;   /* for the tracer: affected, or -1 */
    VALUE error; /* the same: or nil */
};

/* What goes as one flight. */
struct pgconn_pipeline_entries {
    struct pgconn_pipeline_entry *all;
    long count, capacity;
};

/* A block. Belongs to a Ruby object, which the connection marks while the block is open. */
struct pgconn_pipeline {
    struct pgconn_gathered gathered; /* the first: it is found by that */
    VALUE self, connection;
    struct pgconn_flight *flight;           /* what was gathered; NULL: nothing */
    struct pgconn_pipeline_entries entries; /* of that flight */
    struct pgconn_pipeline_entries sent;    /* of the one that is waited for */
    VALUE failure;  /* the first error of the last flight that had one, or nil */
    VALUE unraised; /* the same as long as nobody got it */
};

void pgconn_pipeline_entries_mark(const struct pgconn_pipeline_entries *entries);
void pgconn_pipeline_entries_free(struct pgconn_pipeline_entries *entries);

/* Room for one more, which isn't counted yet. */
struct pgconn_pipeline_entry *pgconn_pipeline_entries_add(struct pgconn_pipeline_entries *entries);

struct pgconn_session *pgconn_pipeline_session(const struct pgconn_pipeline *pipeline);

/* The statement at this place of what was sent: its cursor gets the answer that the flight has. */
void pgconn_pipeline_succeed(struct pgconn_pipeline *pipeline, long place,
                             struct pgconn_flight *flight);

/* Its cursor gets an error, which is the pipeline's failure if it is the first. */
void pgconn_pipeline_fail(struct pgconn_pipeline *pipeline,
                          const struct pgconn_pipeline_entries *entries, long place, VALUE error);

/* It was skipped because of that failure. */
void pgconn_pipeline_abort(struct pgconn_pipeline *pipeline, long place);

/* Those whose answer nobody has taken, because the wait was interrupted or nothing was sent. */
void pgconn_pipeline_forget(struct pgconn_pipeline *pipeline,
                            struct pgconn_pipeline_entries *entries, const char *outcome,
                            const char *text);

#endif
