#include "block.h"

/*
 * What rb_protect says of break and return: Ruby's own TAG_RETURN and TAG_BREAK, never renumbered.
 */
#define LEFT_BY_END 0
#define LEFT_BY_RETURN 1
#define LEFT_BY_BREAK 2

struct block {
    VALUE self;
    int left;
};

static VALUE
block_run(VALUE arg)
{
    struct block *block = (struct block *)arg;
    VALUE value = rb_protect(rb_yield, block->self, &block->left);

    if (block->left != LEFT_BY_END) rb_jump_tag(block->left);
    return value;
}

/*
 * For a subclass that has its own. Connection's needn't be sent and waited for: who yields closes
 * the connection, and that rolls back.
 */
static VALUE
block_roll_back(VALUE self)
{
    VALUE method = rb_obj_method(self, ID2SYM(rb_intern("rollback")));

    if (rb_funcall(method, rb_intern("owner"), 0) == rb_path2class("Pgconn::Connection"))
        return Qnil;
    return rb_funcall(self, rb_intern("rollback"), 0);
}

/* By the block itself: then there is nothing left to commit, and nothing to say. */
static bool
connection_was_closed(VALUE self)
{
    return RTEST(rb_funcall(self, rb_intern("closed?"), 0)) &&
           !RTEST(rb_funcall(self, rb_intern("broken?"), 0));
}

/* Runs as an ensure, which keeps the reason while Ruby code runs here. */
static VALUE
block_leave(VALUE arg)
{
    const struct block *block = (struct block *)arg;
    int failed;

    switch (block->left) {
    case LEFT_BY_END:
    case LEFT_BY_RETURN:
    case LEFT_BY_BREAK:
        if (!connection_was_closed(block->self)) rb_funcall(block->self, rb_intern("commit"), 0);
        break;
    default:
        rb_protect(block_roll_back, block->self, &failed);
        if (failed) rb_set_errinfo(Qnil);
    }
    return Qnil;
}

VALUE
pgconn_block_yield(VALUE self)
{
    struct block block = {self, LEFT_BY_END};

    return rb_ensure(block_run, (VALUE)&block, block_leave, (VALUE)&block);
}
