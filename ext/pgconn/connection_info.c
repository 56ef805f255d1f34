#include "connection_info.h"

#include <stdlib.h>

/* libpq says "" of what there isn't. */
static VALUE
text_or_nil(const char *text)
{
    return text && *text ? rb_str_freeze(rb_utf8_str_new_cstr(text)) : Qnil;
}

static void
info_store(VALUE info, const char *name, VALUE value)
{
    rb_hash_aset(info, ID2SYM(rb_intern(name)), value);
}

/* The attributes of its TLS by name; those without a value aren't there. */
static VALUE
tls_attributes(PGconn *pg)
{
    VALUE attributes = rb_hash_new();
    const char *const *name = PQsslInUse(pg) ? PQsslAttributeNames(pg) : NULL;

    for (; name && *name; name++) {
        VALUE value = text_or_nil(PQsslAttribute(pg, *name));

        if (!NIL_P(value)) rb_hash_aset(attributes, rb_utf8_str_new_cstr(*name), value);
    }
    return rb_hash_freeze(attributes);
}

VALUE
pgconn_connection_info(PGconn *pg)
{
    VALUE info = rb_hash_new();

    info_store(info, "host", text_or_nil(PQhost(pg)));
    info_store(info, "hostaddr", text_or_nil(PQhostaddr(pg)));
    info_store(info, "port", INT2NUM(atoi(PQport(pg))));
    info_store(info, "dbname", text_or_nil(PQdb(pg)));
    info_store(info, "user", text_or_nil(PQuser(pg)));
    info_store(info, "options", text_or_nil(PQoptions(pg)));
    info_store(info, "needs_password", RBOOL(PQconnectionNeedsPassword(pg)));
    info_store(info, "used_password", RBOOL(PQconnectionUsedPassword(pg)));
    info_store(info, "ssl_in_use", RBOOL(PQsslInUse(pg)));
    info_store(info, "ssl_attributes", tls_attributes(pg));
    return rb_hash_freeze(info);
}
