#include "prepared.h"

#include <stdio.h>
#include <stdlib.h>

struct pgconn_prepared *
pgconn_prepared_new(void)
{
    struct pgconn_prepared *prepared = calloc(1, sizeof(*prepared));

    if (prepared) prepared->references = 1;
    return prepared;
}

struct pgconn_prepared *
pgconn_prepared_retain(struct pgconn_prepared *prepared)
{
    prepared->references++;
    return prepared;
}

void
pgconn_prepared_release(struct pgconn_prepared *prepared)
{
    if (!prepared || --prepared->references > 0) return;
    PQclear(prepared->description);
    free(prepared);
}

void
pgconn_prepared_write_name(char *name, unsigned number)
{
    snprintf(name, PGCONN_PREPARED_NAME_MAX, "pgconn_%u", number);
}
