/*
 * A simple query whose caller comes back for more: COPY, whose data moves between the caller and
 * libpq through a buffer. Steps move bytes between buffer and libpq and end where the caller is
 * needed: to fill the buffer, or to take what is in it. Nobody reads from the socket while the
 * caller has the data in hand. None of this waits or touches a Ruby value.
 * Page: libpq documentation, "Functions Associated with the COPY Command".
 */
#ifndef PGCONN_TRANSFER_H
#define PGCONN_TRANSFER_H

#include "caller.h"
#include "simple_query.h"

/* So many bytes are gathered before they go to libpq, and before they go to the caller. */
#define PGCONN_TRANSFER_WRITE_SIZE 65536
#define PGCONN_TRANSFER_READ_SIZE 262144

enum pgconn_transfer_kind {
    PGCONN_COPY_NONE, /* not yet, or no data comes from or goes to the client */
    PGCONN_COPY_IN,   /* COPY FROM STDIN */
    PGCONN_COPY_OUT,  /* COPY TO STDOUT */
};

struct pgconn_transfer {
    int references;                 /* the flight's, and its caller's */
    enum pgconn_transfer_kind kind; /* as the server has said */
    pgconn_caller caller;
    struct pgconn_buffer bytes; /* the caller's while it waits, else the steps' */
    size_t given;               /* of COPY IN: how many of them libpq has */
    bool binary;                /* the data, as the server has said */
    bool open;                  /* the server has begun the COPY, and libpq hasn't ended it */
    bool waits;                 /* for its caller */
    bool last;                  /* of COPY IN: there is no more than what is in the buffer */
    bool forsaken;              /* its caller was collected in the middle of it */
    bool refused;               /* of COPY IN: the server has said that it failed */
};

/* With one reference; NULL when out of memory. */
struct pgconn_transfer *pgconn_transfer_new(pgconn_caller caller);
void pgconn_transfer_release(struct pgconn_transfer *transfer);

/*
 * Takes what comes, while libpq isn't busy, as pgconn_simple_query_take does; data of a COPY OUT
 * goes to the buffer or, where it is unwanted, nowhere. WANT_READ also where the caller is needed.
 */
enum pgconn_step pgconn_transfer_take(struct pgconn_transfer *transfer, PGconn *pg, bool unwanted,
                                      PGresult **result);

/*
 * Hands libpq what is in the buffer of a COPY IN that is open and, behind the last, its end; where
 * it is unwanted or has failed, an end as an error. False if libpq fails.
 */
bool pgconn_transfer_put(struct pgconn_transfer *transfer, PGconn *pg, bool unwanted);

/*
 * Looks at what has come, before libpq reads it, whether the server has ended a COPY IN with an
 * error: libpq keeps that to itself until the end of the data. With TLS it can't be seen.
 */
void pgconn_transfer_look(struct pgconn_transfer *transfer, PGconn *pg);

#endif
