#include "many.h"

/* Whether the socket takes more is looked at each time that this much was handed over. */
#define SENT_BETWEEN_LOOKS 16384

struct value_head {
    int length; /* -1: NULL */
    int format;
};

struct pgconn_many *
pgconn_many_new(void)
{
    struct pgconn_many *many = calloc(1, sizeof(*many));

    if (many) many->failed = -1;
    return many;
}

void
pgconn_many_free(struct pgconn_many *many)
{
    if (!many) return;
    pgconn_params_free(&many->row);
    pgconn_buffer_free(&many->bytes);
    free(many);
}

bool
pgconn_many_add(struct pgconn_many *many)
{
    const struct pgconn_params *row = &many->row;

    for (int i = 0; i < row->count; i++) {
        const char *value = row->values[i];
        struct value_head head = {value ? row->lengths[i] : -1, row->formats[i]};

        pgconn_buffer_append(&many->bytes, (const char *)&head, sizeof(head));
        if (value) pgconn_buffer_append(&many->bytes, value, (size_t)row->lengths[i] + 1);
    }
    many->count++;
    pgconn_params_free(&many->row);
    memset(&many->row, 0, sizeof(many->row));
    return !many->bytes.failed;
}

/* Points the row at the values of the next execution. Returns their size. */
static size_t
row_point(struct pgconn_many *many)
{
    const char *start = many->bytes.data + many->next, *at = start;
    struct pgconn_params *row = &many->row;

    for (int i = 0; i < row->count; i++) {
        struct value_head head;

        memcpy(&head, at, sizeof(head));
        at += sizeof(head);
        row->values[i] = head.length < 0 ? NULL : at;
        row->lengths[i] = head.length;
        row->formats[i] = head.format;
        if (head.length >= 0) at += head.length + 1;
    }
    return (size_t)(at - start);
}

bool
pgconn_many_send(struct pgconn_many *many, PGconn *pg, const char *name, int result_format)
{
    size_t size, since_look = SENT_BETWEEN_LOOKS;
    int left;

    while (many->sent < many->count) {
        if (since_look >= SENT_BETWEEN_LOOKS) {
            left = PQflush(pg);
            if (left != 0) return left > 0;
            since_look = 0;
        }
        size = row_point(many);
        if (!PQsendQueryPrepared(pg, name, many->row.count, many->row.values, many->row.lengths,
                                 many->row.formats, result_format)) {
            return false;
        }
        many->next += size;
        many->sent++;
        since_look += size;
    }
    return true;
}

/* False when out of memory. */
static bool
rows_append(PGresult *all, const PGresult *result)
{
    int at = PQntuples(all);

    for (int row = 0; row < PQntuples(result); row++, at++) {
        for (int column = 0; column < PQnfields(result); column++) {
            bool null = PQgetisnull(result, row, column);

            if (!PQsetvalue(all, at, column, null ? NULL : PQgetvalue(result, row, column),
                            null ? -1 : PQgetlength(result, row, column))) {
                return false;
            }
        }
    }
    return true;
}

/* Of what the server skips behind an error nothing is kept. */
static bool
result_counts(const struct pgconn_many *many, const PGresult *result)
{
    return many->failed < 0 && PQresultStatus(result) != PGRES_PIPELINE_ABORTED;
}

bool
pgconn_many_take(struct pgconn_many *many, PGresult **all, PGresult *result)
{
    bool taken = true;

    if (!result_counts(many, result)) {
        PQclear(result);
        return true;
    }
    if (PQresultStatus(result) == PGRES_FATAL_ERROR) many->failed = many->answered;
    else many->affected += strtoll(PQcmdTuples(result), NULL, 10);
    if (PQresultStatus(result) == PGRES_TUPLES_OK && *all) {
        taken = rows_append(*all, result);
        PQclear(result);
        return taken;
    }
    PQclear(*all);
    *all = result;
    return true;
}
