#include "pgconn.h"

/*
 * A keyword's value as a Ruby Hash wants it; PQconninfoOption's texts are the user's bytes: UTF-8.
 */
static void
option_store(VALUE options, const PQconninfoOption *option, bool with_unset)
{
    VALUE keyword = rb_utf8_str_new_cstr(option->keyword);

    if (option->val) rb_hash_aset(options, keyword, rb_utf8_str_new_cstr(option->val));
    else if (with_unset) rb_hash_aset(options, keyword, Qnil);
}

struct options {
    PQconninfoOption *list;
    bool with_unset;
};

static VALUE
options_to_hash(VALUE arg)
{
    const struct options *options = (const struct options *)arg;
    const PQconninfoOption *option;
    VALUE hash = rb_hash_new();

    for (option = options->list; option->keyword; option++) {
        option_store(hash, option, options->with_unset);
    }
    return hash;
}

static VALUE
options_free(VALUE arg)
{
    PQconninfoFree(((struct options *)arg)->list);
    return Qnil;
}

/*
 * The keywords of a URI or a key/value string, as a Hash of Strings; nil if it is malformed.
 * libpq's own message is dropped: it quotes pieces of the text, perhaps of the password.
 */
static VALUE
conninfo_parse(VALUE self, VALUE conninfo)
{
    struct options options = {.with_unset = false};
    char *message = NULL;

    (void)self;
    options.list = PQconninfoParse(StringValueCStr(conninfo), &message);
    PQfreemem(message);
    if (!options.list) return Qnil;
    return rb_ensure(options_to_hash, (VALUE)&options, options_free, (VALUE)&options);
}

/*
 * Every keyword that libpq knows, with its default (from the environment, a service or built in),
 * or nil if it has none.
 */
static VALUE
conninfo_defaults(VALUE self)
{
    struct options options = {.list = PQconndefaults(), .with_unset = true};

    (void)self;
    if (!options.list) rb_memerror();
    return rb_ensure(options_to_hash, (VALUE)&options, options_free, (VALUE)&options);
}

void
Init_pgconn_conninfo(void)
{
    VALUE conninfo = rb_define_module_under(rb_mPgconn, "Conninfo");

    rb_define_singleton_method(conninfo, "parse", conninfo_parse, 1);
    rb_define_singleton_method(conninfo, "defaults", conninfo_defaults, 0);
}
