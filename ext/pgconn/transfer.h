/*
 * A flight whose caller comes back for more: COPY, a simple query (transfer.c), and the rows of a
 * statement that are taken as they come (transfer_rows.c). Data moves between the caller and libpq
 * through a buffer. Steps move it between buffer and libpq and end where the caller is needed: to
 * fill the buffer, or to take what is in it. Nobody reads from the socket while the caller has the
 * data in hand. None of this waits; steps know nothing of Ruby.
 * Pages: libpq documentation, "Functions Associated with the COPY Command" and "Retrieving Query
 * Results in Chunks" (of which each is a row here).
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
    PGCONN_ROWS,      /* of the flight's last command */
};

struct pgconn_transfer {
    int references;                 /* the flight's, and its caller's */
    enum pgconn_transfer_kind kind; /* as the server has said */
    pgconn_caller caller;
    pgconn_caller enumerator; /* who reads it, where that isn't its caller; or 0 */
    VALUE thread;             /* of the caller, marked by who keeps the flight while it is paused */
    pgconn_time deadline;     /* of all of it */
    struct pgconn_buffer bytes; /* the caller's while it waits, else the steps' */
    size_t given;               /* of COPY IN: how many of them libpq has */
    PGresult *description;      /* of the rows, without any, once some have come; or NULL */
    bool binary;                /* the data, as the server has said */
    bool open;                  /* there is more to come of it, or, of COPY IN, to go */
    bool begun;                 /* rows have come */
    bool waits;                 /* for its caller */
    bool last;                  /* of COPY IN: there is no more than what is in the buffer */
    bool forsaken;              /* its owner was collected in the middle of it */
    bool refused;               /* of COPY IN: the server has said that it failed */
    bool dropped;               /* some of the data, or rows, was unwanted */
};

/*
 * This caller's, with one reference; NULL when out of memory. enumerator: who has made the
 * Enumerator in whose Fiber this may be; 0: nobody.
 */
struct pgconn_transfer *pgconn_transfer_new(pgconn_caller enumerator, pgconn_time deadline);

/* Whether it has to be gone on with by that caller. */
bool pgconn_transfer_waits_for(const struct pgconn_transfer *transfer, pgconn_caller caller);

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

/*
 * Has libpq give the rows of the statement whose answer is the next as they come, unless it does
 * already. To be called before libpq looks at that answer. (transfer_rows.c)
 */
void pgconn_transfer_open_rows(struct pgconn_transfer *transfer, PGconn *pg);

/* Whether nothing more can be taken before the caller has the rows that have come. */
bool pgconn_transfer_is_full(const struct pgconn_transfer *transfer);

/* Whether a result is a row that has come; if not, and it is there, it is what ends them. */
bool pgconn_transfer_takes_row(struct pgconn_transfer *transfer, const PGresult *result);

/*
 * Takes the row of a result, which it clears, to the buffer or, where it is unwanted, nowhere.
 * Of each row its size is there, then of each value a length (-1: NULL) and, of that length, the
 * value and a zero byte; lengths are ints.
 */
enum pgconn_step pgconn_transfer_take_row(struct pgconn_transfer *transfer, PGresult *result,
                                          bool unwanted);

#endif
