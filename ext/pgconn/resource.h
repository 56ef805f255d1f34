/*
 * What the server keeps for a caller until the transaction ends, or the savepoint in which it came
 * to be is rolled back: a cursor, the descriptor of a large object. Whoever uses it finds out here
 * whether it is still there, without asking the server, for whom a wrong answer would be an error
 * that fails the transaction. All of it runs with the GVL held; nothing raises.
 */
#ifndef PGCONN_RESOURCE_H
#define PGCONN_RESOURCE_H

#include <stdbool.h>

struct pgconn_resource {
    struct pgconn_resource *next; /* of those that can still be ended */
    int references;               /* its user's, those of flights, and the list's */
    int depth;                    /* of the block whose undoing ends it; 0: the transaction's */
    bool holds;                   /* a commit doesn't end it: from then on it lasts (WITH HOLD) */
    bool alive;
    const char *ended; /* what a user is told for whom it is gone; a literal */
};

/* Those of the transaction that is open. */
struct pgconn_resources {
    struct pgconn_resource *first;
};

/* With one reference, and not alive yet; NULL when out of memory. */
struct pgconn_resource *pgconn_resource_new(bool holds, const char *ended);
struct pgconn_resource *pgconn_resource_retain(struct pgconn_resource *resource);

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

#endif
