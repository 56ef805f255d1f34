/*
 * Blocks that end a transaction: what commits and what rolls back.
 */
#ifndef PGCONN_BLOCK_H
#define PGCONN_BLOCK_H

#include "pgconn.h"

/*
 * Yields self to the method's block. If it is left by its end, next, break or return, self.commit
 * is called; if by an exception, throw (as Timeout does), Thread#kill or a stopped fiber,
 * self.rollback, whose own errors don't hide the reason. Gives the block's value.
 */
VALUE pgconn_block_yield(VALUE self);

#endif
