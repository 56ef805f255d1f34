/*
 * What the server keeps for a caller, by a name, until the transaction ends, or the savepoint in
 * which it came to be is rolled back: a cursor. Whoever uses it finds out here whether it is still
 * there, without asking the server, for whom a wrong answer would be an error that fails the
 * transaction. Where that can't be told it is doubted: then a question to the server comes first.
 * All of it runs with the GVL held; nothing raises.
 */
#ifndef PGCONN_RESOURCE_H
#define PGCONN_RESOURCE_H

#include <stdbool.h>

struct pgconn_resource {
    struct pgconn_resource *next; /* of those that can still be ended */
    int references;               /* its user's, those of flights, and the list's */
    int depth;                    /* of the block whose undoing ends it; 0: the transaction's */
    bool holds;                   /* a commit doesn't end it (WITH HOLD) */
    bool lasts;                   /* and has kept it: no transaction ends it any more */
    bool alive;
    bool doubted;        /* something was done that may have ended it */
    unsigned long moves; /* uses that have changed it, as far as the answers have come */
    char *name;          /* by which the server knows it; UTF-8 */
    char *closing;       /* SQL that closes it, for when there is no transaction; or NULL */
    const char *ended;   /* what a user is told for whom it is gone; a literal */
};

/* Those that are alive. */
struct pgconn_resources {
    struct pgconn_resource *first;
};

/* With one reference, and not alive yet; copies the name. NULL when out of memory. */
struct pgconn_resource *pgconn_resource_new(const char *name, bool holds, const char *ended);
struct pgconn_resource *pgconn_resource_retain(struct pgconn_resource *resource);

/* Whether a flight makes or uses it that wasn't answered yet. */
bool pgconn_resource_is_under_way(const struct pgconn_resource *resource);

/*
 * Nobody uses it any more, but it can be closed only when the failed transaction has ended. Copies
 * the SQL; without memory for that it stays as long as the session.
 */
void pgconn_resource_close_later(struct pgconn_resource *resource, const char *sql);

/* Takes a reference back; NULL is none. */
void pgconn_resource_release(struct pgconn_resource *resource);

/* The server has made it in the block of this depth. */
void pgconn_resources_add(struct pgconn_resources *resources, struct pgconn_resource *resource,
                          int depth);

/* The block of this depth was rolled back to its savepoint, or its savepoint was released. */
void pgconn_resources_undo(struct pgconn_resources *resources, int depth);
void pgconn_resources_keep(struct pgconn_resources *resources, int depth);

/* The transaction has ended. */
void pgconn_resources_end(struct pgconn_resources *resources, bool committed);

/* All of that name have ended. */
void pgconn_resources_end_named(struct pgconn_resources *resources, const char *name);

/* All have ended, those that last, too. */
void pgconn_resources_clear(struct pgconn_resources *resources);

/* One that is to be closed; or NULL. */
struct pgconn_resource *pgconn_resources_closing(const struct pgconn_resources *resources);

/* Each of them may have ended. */
void pgconn_resources_doubt(struct pgconn_resources *resources);

#endif
