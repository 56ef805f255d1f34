#include "failure.h"

#include <stdlib.h>

/* The texts of its fields lie behind it. NULL when out of memory. */
static struct pgconn_failure *
failure_new(const PGresult *error, int encoding_index)
{
    struct pgconn_failure *failure;
    struct pgconn_fields fields;

    pgconn_fields_read(&fields, error);
    failure = calloc(1, sizeof(*failure) + pgconn_fields_size(&fields));
    if (!failure) return NULL;
    pgconn_fields_copy(&failure->fields, &fields, (char *)(failure + 1));
    failure->error = Qnil;
    failure->encoding_index = encoding_index;
    failure->canceled = pgconn_sqlstate_is(error, PGCONN_QUERY_CANCELED);
    failure->references = 1;
    return failure;
}

static void
failures_add(struct pgconn_failures *failures, struct pgconn_failure *failure)
{
    failure->next = failures->first;
    failure->place = &failures->first;
    if (failure->next) failure->next->place = &failure->next;
    failures->first = failure;
}

static void
failure_take_out(struct pgconn_failure *failure)
{
    *failure->place = failure->next;
    if (failure->next) failure->next->place = failure->place;
    failure->next = NULL;
    failure->place = NULL;
    failure->error = Qnil;
}

void
pgconn_failures_enter(struct pgconn_failures *failures, const PGresult *error, int encoding_index)
{
    pgconn_failures_forget(failures);
    failures->current = failure_new(error, encoding_index);
    if (failures->current) failures_add(failures, failures->current);
}

void
pgconn_failures_forget(struct pgconn_failures *failures)
{
    pgconn_failure_release(failures->current);
    failures->current = NULL;
}

void
pgconn_failures_mark(const struct pgconn_failures *failures)
{
    const struct pgconn_failure *failure;

    for (failure = failures->first; failure; failure = failure->next) rb_gc_mark(failure->error);
}

void
pgconn_failures_clear(struct pgconn_failures *failures)
{
    pgconn_failures_forget(failures);
    while (failures->first) failure_take_out(failures->first);
}

struct pgconn_failure *
pgconn_failure_retain(struct pgconn_failure *failure)
{
    if (failure) failure->references++;
    return failure;
}

void
pgconn_failure_release(struct pgconn_failure *failure)
{
    if (!failure || --failure->references > 0) return;
    if (failure->place) failure_take_out(failure);
    free(failure);
}
