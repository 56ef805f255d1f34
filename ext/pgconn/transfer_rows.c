#include "pg_result.h"
#include "transfer.h"

void
pgconn_transfer_open_rows(struct pgconn_transfer *transfer, PGconn *pg)
{
    if (transfer->kind == PGCONN_ROWS || !PQsetSingleRowMode(pg)) return;
    transfer->kind = PGCONN_ROWS;
    transfer->open = true;
}

bool
pgconn_transfer_is_full(const struct pgconn_transfer *transfer)
{
    if (!transfer->waits) return false;
    return !transfer->open || transfer->bytes.length >= PGCONN_TRANSFER_READ_SIZE;
}

bool
pgconn_transfer_takes_row(struct pgconn_transfer *transfer, const PGresult *result)
{
    if (!transfer->open || !result) return false;
    transfer->open = PQresultStatus(result) == PGRES_SINGLE_TUPLE;
    return transfer->open;
}

static size_t
row_size(const PGresult *result, int columns)
{
    size_t size = sizeof(int);
    int length;

    for (int column = 0; column < columns; column++) {
        length = pgconn_pg_result_cell(result, 0, column).length;
        size += sizeof(int) + (length < 0 ? 0 : (size_t)length + 1);
    }
    return size;
}

static char *
int_put(char *at, int number)
{
    memcpy(at, &number, sizeof(number));
    return at + sizeof(number);
}

static void
row_append(struct pgconn_buffer *bytes, const PGresult *result)
{
    int columns = PQnfields(result);
    size_t size = row_size(result, columns);
    struct pgconn_cell cell;
    char *at;

    if (!pgconn_buffer_reserve(bytes, size)) return;
    at = int_put(bytes->data + bytes->length, (int)size);
    for (int column = 0; column < columns; column++) {
        cell = pgconn_pg_result_cell(result, 0, column);
        at = int_put(at, cell.length);
        if (cell.length < 0) continue;
        memcpy(at, cell.value, (size_t)cell.length + 1);
        at += cell.length + 1;
    }
    bytes->length += size;
}

/* False when out of memory. */
static bool
transfer_describe(struct pgconn_transfer *transfer, const PGresult *result)
{
    if (transfer->begun) return true;
    transfer->begun = true;
    transfer->description = PQcopyResult(result, PG_COPYRES_ATTRS);
    return transfer->description != NULL;
}

static bool
transfer_add_row(struct pgconn_transfer *transfer, const PGresult *result)
{
    if (!transfer_describe(transfer, result)) return false;
    row_append(&transfer->bytes, result);
    transfer->waits = true;
    return !transfer->bytes.failed;
}

enum pgconn_step
pgconn_transfer_take_row(struct pgconn_transfer *transfer, PGresult *result, bool unwanted)
{
    bool taken = unwanted || transfer_add_row(transfer, result);

    if (unwanted) transfer->dropped = true;
    PQclear(result);
    return taken ? PGCONN_STEP_DONE : PGCONN_STEP_FAILED;
}
