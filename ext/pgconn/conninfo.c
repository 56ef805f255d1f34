#include "conninfo.h"

#include <stdlib.h>
#include <string.h>

struct copying {
    struct pgconn_conninfo *conninfo;
    size_t at;
};

static char *
string_copy(VALUE string)
{
    char *copy = strdup(StringValueCStr(string));

    if (!copy) rb_memerror();
    return copy;
}

static int
parameter_copy(VALUE keyword, VALUE value, VALUE arg)
{
    struct copying *copying = (struct copying *)arg;

    copying->conninfo->keywords[copying->at] = string_copy(keyword);
    copying->conninfo->values[copying->at] = string_copy(value);
    copying->at++;
    return ST_CONTINUE;
}

void
pgconn_conninfo_init(struct pgconn_conninfo *conninfo, VALUE parameters)
{
    struct copying copying = {conninfo, 0};
    size_t count = RHASH_SIZE(parameters) + 1;

    conninfo->keywords = calloc(count, sizeof(char *));
    conninfo->values = calloc(count, sizeof(char *));
    if (!conninfo->keywords || !conninfo->values) rb_memerror();
    rb_hash_foreach(parameters, parameter_copy, (VALUE)&copying);
}

static void
strings_free(char **strings)
{
    char **at;

    if (!strings) return;
    for (at = strings; *at; at++) free(*at);
    free(strings);
}

void
pgconn_conninfo_free(struct pgconn_conninfo *conninfo)
{
    strings_free(conninfo->keywords);
    strings_free(conninfo->values);
    conninfo->keywords = conninfo->values = NULL;
}

PGconn *
pgconn_conninfo_start(const struct pgconn_conninfo *conninfo)
{
    return PQconnectStartParams((const char *const *)conninfo->keywords,
                                (const char *const *)conninfo->values, 0);
}

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

VALUE
pgconn_conninfo_hash(PQconninfoOption *list, bool with_unset)
{
    struct options options = {list, with_unset};

    if (!list) rb_memerror();
    return rb_ensure(options_to_hash, (VALUE)&options, options_free, (VALUE)&options);
}

/*
 * The keywords of a URI or a key/value string, as a Hash of Strings; nil if it is malformed.
 * libpq's own message is dropped: it quotes pieces of the text, perhaps of the password.
 */
static VALUE
conninfo_parse(VALUE self, VALUE conninfo)
{
    char *message = NULL;
    PQconninfoOption *list = PQconninfoParse(StringValueCStr(conninfo), &message);

    (void)self;
    PQfreemem(message);
    return list ? pgconn_conninfo_hash(list, false) : Qnil;
}

/*
 * Every keyword that libpq knows, with its default (from the environment, a service or built in),
 * or nil if it has none.
 */
static VALUE
conninfo_defaults(VALUE self)
{
    (void)self;
    return pgconn_conninfo_hash(PQconndefaults(), true);
}

void
Init_pgconn_conninfo(void)
{
    VALUE conninfo = rb_define_module_under(rb_mPgconn, "Conninfo");

    rb_define_singleton_method(conninfo, "parse", conninfo_parse, 1);
    rb_define_singleton_method(conninfo, "defaults", conninfo_defaults, 0);
}
