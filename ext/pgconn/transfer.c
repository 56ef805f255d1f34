#include "transfer.h"

#include <sys/socket.h>

/* What the server is told as the reason where the data came to no end. */
#define NO_END "the data was not sent to its end"

/*
 * libpq gets the data in pieces, the next when the socket has taken the last: it moves what is left
 * to the front of its buffer again and again, and the server refuses a message of 1 GB.
 */
#define PIECE_SIZE 262144

/* As much of the server's messages as is looked at. */
#define LOOK_SIZE 8192

struct pgconn_transfer *
pgconn_transfer_new(pgconn_caller enumerator, pgconn_time deadline)
{
    struct pgconn_transfer *transfer = calloc(1, sizeof(*transfer));

    if (!transfer) return NULL;
    transfer->references = 1;
    transfer->caller = pgconn_caller_current();
    transfer->thread = rb_thread_current();
    transfer->deadline = deadline;
    if (pgconn_caller_is_run_by_another()) transfer->enumerator = enumerator;
    return transfer;
}

bool
pgconn_transfer_waits_for(const struct pgconn_transfer *transfer, pgconn_caller caller)
{
    return caller == transfer->caller || caller == transfer->enumerator;
}

void
pgconn_transfer_release(struct pgconn_transfer *transfer)
{
    if (!transfer || --transfer->references > 0) return;
    pgconn_buffer_free(&transfer->bytes);
    PQclear(transfer->description);
    free(transfer);
}

/* DONE: there is no more. WANT_READ: not now, or there is enough for the caller. */
static enum pgconn_step
transfer_get(struct pgconn_transfer *transfer, PGconn *pg, bool unwanted)
{
    struct pgconn_buffer *bytes = &transfer->bytes;
    int length = 0;
    char *data;

    if (unwanted) bytes->length = 0; /* or there might be no room for what is to be dropped */
    while (bytes->length < PGCONN_TRANSFER_READ_SIZE &&
           (length = PQgetCopyData(pg, &data, 1)) > 0) {
        if (unwanted) transfer->dropped = true;
        else pgconn_buffer_append(bytes, data, (size_t)length);
        PQfreemem(data);
    }
    if (bytes->failed || length < -1) return PGCONN_STEP_FAILED;
    transfer->waits = bytes->length > 0 && !unwanted;
    transfer->open = length != -1;
    return transfer->waits || transfer->open ? PGCONN_STEP_WANT_READ : PGCONN_STEP_DONE;
}

static enum pgconn_step
transfer_move(struct pgconn_transfer *transfer, PGconn *pg, bool unwanted)
{
    if (transfer->kind == PGCONN_COPY_OUT) return transfer_get(transfer, pg, unwanted);
    return PGCONN_STEP_WANT_READ;
}

/* Whether it is a COPY of one direction or the other that the server begins. */
static bool
transfer_begins(struct pgconn_transfer *transfer, const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COPY_IN && status != PGRES_COPY_OUT) return false;
    transfer->kind = status == PGRES_COPY_IN ? PGCONN_COPY_IN : PGCONN_COPY_OUT;
    transfer->binary = PQbinaryTuples(result);
    return true;
}

enum pgconn_step
pgconn_transfer_take(struct pgconn_transfer *transfer, PGconn *pg, bool unwanted, PGresult **result)
{
    enum pgconn_step step;

    if (transfer->open) {
        step = transfer_move(transfer, pg, unwanted);
        if (step != PGCONN_STEP_DONE) return step;
    }
    if (transfer->waits || PQisBusy(pg)) return PGCONN_STEP_WANT_READ;
    step = pgconn_simple_query_next(pg, result);
    if (step != PGCONN_STEP_DONE || !*result) return step;
    if (!transfer_begins(transfer, *result)) return pgconn_simple_query_end_copy(pg, result);
    PQclear(*result);
    transfer->open = true;
    return pgconn_transfer_take(transfer, pg, unwanted, result);
}

static bool
transfer_put_end(struct pgconn_transfer *transfer, PGconn *pg, const char *reason)
{
    transfer->open = false;
    return PQputCopyEnd(pg, reason) == 1;
}

static bool
transfer_put_piece(struct pgconn_transfer *transfer, PGconn *pg)
{
    const char *data = transfer->bytes.data + transfer->given;
    size_t size = transfer->bytes.length - transfer->given;

    if (size > PIECE_SIZE) size = PIECE_SIZE;
    transfer->given += size;
    return PQputCopyData(pg, data, (int)size) == 1;
}

/* All that the socket takes. *left is what PQflush has said. */
static bool
transfer_put_data(struct pgconn_transfer *transfer, PGconn *pg, int *left)
{
    while ((*left = PQflush(pg)) == 0 && transfer->given < transfer->bytes.length) {
        if (!transfer_put_piece(transfer, pg)) return false;
    }
    return *left >= 0;
}

bool
pgconn_transfer_put(struct pgconn_transfer *transfer, PGconn *pg, bool unwanted)
{
    int left;

    if (unwanted || transfer->refused) return transfer_put_end(transfer, pg, NO_END);
    if (!transfer_put_data(transfer, pg, &left)) return false;
    if (left > 0) return true;
    transfer->bytes.length = transfer->given = 0;
    if (transfer->last) return transfer_put_end(transfer, pg, NULL);
    transfer->waits = true;
    return true;
}

/*
 * ReadyForQuery comes after an error, and is the last for the time being. A message that libpq has
 * read a part of may go on here: but a text in it can't look like this, with zero bytes in a row.
 */
static bool
bytes_end_with_ready(const char *bytes, ssize_t length)
{
    static const char ready[] = {'Z', 0, 0, 0, 5};

    return length >= 6 && memcmp(bytes + length - 6, ready, sizeof(ready)) == 0;
}

/* An ErrorResponse, whose length has two bytes, with its first field: the severity. */
static bool
bytes_begin_with_error(const char *bytes, ssize_t length)
{
    return length >= 6 && bytes[0] == 'E' && !bytes[1] && !bytes[2] && bytes[4] && bytes[5] == 'S';
}

void
pgconn_transfer_look(struct pgconn_transfer *transfer, PGconn *pg)
{
    char bytes[LOOK_SIZE];
    ssize_t length;

    if (PQsslInUse(pg) || PQgssEncInUse(pg)) return;
    length = recv(PQsocket(pg), bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
    if (bytes_begin_with_error(bytes, length) || bytes_end_with_ready(bytes, length)) {
        transfer->refused = true;
    }
}
