/*
 * Blocks that end a transaction: in which way they were left decides whether it is committed.
 */
#ifndef PGCONN_BLOCK_H
#define PGCONN_BLOCK_H

#include "pgconn.h"

enum pgconn_left {
    PGCONN_LEFT_WELL,         /* by its end, next, break or return */
    PGCONN_LEFT_BY_EXCEPTION, /* or by throw, as Timeout leaves it */
    PGCONN_LEFT_BY_KILL,      /* Thread#kill, or the end of the program */
};

/*
 * Calls body(subject), which yields, and then leave(subject, how) in any case. leave may raise.
 * Gives what body gives.
 */
VALUE pgconn_block_run(VALUE (*body)(VALUE), void (*leave)(VALUE, enum pgconn_left), VALUE subject);

/*
 * Calls the rollback of a subclass that has its own, for Connection's needn't be waited for; its
 * StandardErrors don't hide why the block was left.
 */
void pgconn_block_roll_back(VALUE connection);

/*
 * The block of Pgconn.connect, as a method of the connection: yields self, then calls commit or a
 * subclass's rollback. Gives the block's value.
 */
VALUE pgconn_block_yield(VALUE self);

#endif
