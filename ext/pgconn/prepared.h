/*
 * What the server knows of a statement, and what it has said of it. Shared by the statement cache
 * and by the flights that prepare the statement, so that an answer finds it though nobody waits for
 * the answer any more, or the cache has dropped the statement. No Ruby values.
 */
#ifndef PGCONN_PREPARED_H
#define PGCONN_PREPARED_H

#include "pgconn.h"

enum pgconn_prepared_state {
    PGCONN_PREPARED_UNNAMED,
    PGCONN_PREPARED_UNDER_WAY, /* a flight with its Parse is in the queue */
    PGCONN_PREPARED_NAMED,     /* its Parse was answered */
};

/* "pgconn_" and ten digits. */
#define PGCONN_PREPARED_NAME_MAX 24

struct pgconn_prepared {
    int references;
    enum pgconn_prepared_state state;
    unsigned number;
    char name[PGCONN_PREPARED_NAME_MAX]; /* pgconn_<number>; empty where it never had one */
    unsigned long epoch;                 /* the session's when it got the name */
    bool stale;            /* the server has refused it: what it said of it holds no more */
    bool dropped;          /* the cache has no use for it any more */
    unsigned descriptions; /* how often it was described */
    PGresult *description; /* the types of parameters and columns (PQdescribePrepared); or NULL */
};

/* With one reference; NULL when out of memory. */
struct pgconn_prepared *pgconn_prepared_new(void);

struct pgconn_prepared *pgconn_prepared_retain(struct pgconn_prepared *prepared);
void pgconn_prepared_release(struct pgconn_prepared *prepared);

/* Writes the name into PGCONN_PREPARED_NAME_MAX bytes. */
void pgconn_prepared_write_name(char *name, unsigned number);

#endif
