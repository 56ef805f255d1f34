#include "block.h"

/* What rb_protect says of the ways to leave a block: Ruby's own tags, never renumbered so far. */
#define TAG_NONE 0
#define TAG_RETURN 1
#define TAG_BREAK 2
#define TAG_RAISE 6
#define TAG_THROW 7

/* Whether the tags of this Ruby are those; if not, only the end of a block commits. */
static bool tags_known;

struct block {
    VALUE (*body)(VALUE);
    void (*leave)(VALUE, enum pgconn_left);
    VALUE subject;
    int tag;
};

static enum pgconn_left
tag_meaning(int tag)
{
    if (tag == TAG_NONE) return PGCONN_LEFT_WELL;
    if (!tags_known) return PGCONN_LEFT_BY_EXCEPTION;
    if (tag == TAG_RETURN || tag == TAG_BREAK) return PGCONN_LEFT_WELL;
    return tag == TAG_RAISE || tag == TAG_THROW ? PGCONN_LEFT_BY_EXCEPTION : PGCONN_LEFT_BY_KILL;
}

static VALUE
block_run(VALUE arg)
{
    struct block *block = (struct block *)arg;
    VALUE value = rb_protect(block->body, block->subject, &block->tag);

    if (block->tag != TAG_NONE) rb_jump_tag(block->tag);
    return value;
}

/* Runs as an ensure, which keeps the reason while Ruby code runs here. */
static VALUE
block_leave(VALUE arg)
{
    const struct block *block = (struct block *)arg;

    block->leave(block->subject, tag_meaning(block->tag));
    return Qnil;
}

VALUE
pgconn_block_run(VALUE (*body)(VALUE), void (*leave)(VALUE, enum pgconn_left), VALUE subject)
{
    struct block block = {body, leave, subject, TAG_NONE};

    return rb_ensure(block_run, (VALUE)&block, block_leave, (VALUE)&block);
}

static VALUE
subclass_roll_back(VALUE connection)
{
    VALUE method = rb_obj_method(connection, ID2SYM(rb_intern("rollback")));

    if (rb_funcall(method, rb_intern("owner"), 0) == rb_path2class("Pgconn::Connection"))
        return Qnil;
    return rb_funcall(connection, rb_intern("rollback"), 0);
}

static VALUE
nothing(VALUE arg, VALUE error)
{
    (void)arg;
    (void)error;
    return Qnil;
}

void
pgconn_block_roll_back(VALUE connection)
{
    rb_rescue(subclass_roll_back, connection, nothing, Qnil);
}

/* By the block itself: then there is nothing left to commit, and nothing to say. */
static bool
connection_was_closed(VALUE connection)
{
    return RTEST(rb_funcall(connection, rb_intern("closed?"), 0)) &&
           !RTEST(rb_funcall(connection, rb_intern("broken?"), 0));
}

static void
connection_leave(VALUE connection, enum pgconn_left left)
{
    if (left != PGCONN_LEFT_WELL) pgconn_block_roll_back(connection);
    else if (!connection_was_closed(connection)) rb_funcall(connection, rb_intern("commit"), 0);
}

VALUE
pgconn_block_yield(VALUE self)
{
    return pgconn_block_run(rb_yield, connection_leave, self);
}

/* Yields, stops the block on its way out, and gives the tag. */
static VALUE
probe_tag(VALUE self)
{
    int tag;

    rb_protect(rb_yield, self, &tag);
    rb_set_errinfo(Qnil);
    return INT2FIX(tag);
}

/* In the order of the tags below. */
static const char probes[] = "lambda do |probe|\n"
                             "  [probe.tag { nil }, probe.tag { next },\n"
                             "   -> { probe.tag { return } }.call, probe.tag { break },\n"
                             "   probe.tag { raise IndexError },\n"
                             "   catch(:away) { probe.tag { throw :away } }]\n"
                             "end\n";

static VALUE
probes_call(VALUE probe)
{
    return rb_funcall(rb_eval_string(probes), rb_intern("call"), 1, probe);
}

static bool
tags_agree(VALUE tags)
{
    const int expected[] = {TAG_NONE, TAG_NONE, TAG_RETURN, TAG_BREAK, TAG_RAISE, TAG_THROW};
    const long count = sizeof(expected) / sizeof(expected[0]);

    if (!RB_TYPE_P(tags, T_ARRAY) || RARRAY_LEN(tags) != count) return false;
    for (long i = 0; i < count; i++) {
        if (rb_ary_entry(tags, i) != INT2FIX(expected[i])) return false;
    }
    return true;
}

void
Init_pgconn_block(void)
{
    VALUE probe = rb_module_new(), tags;
    int failed;

    rb_define_singleton_method(probe, "tag", probe_tag, 0);
    tags = rb_protect(probes_call, probe, &failed);
    if (failed) rb_set_errinfo(Qnil);
    tags_known = !failed && tags_agree(tags);
}
