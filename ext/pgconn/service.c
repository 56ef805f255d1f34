#include "conninfo.h"
#include "wait.h"

#include <string.h>

/* What it takes to have libpq look up a service. */
struct lookup {
    VALUE parameters;
    struct pgconn_conninfo conninfo;
    PGconn *pg;
};

/* Without the GVL: services may be on an LDAP server. */
static enum pgconn_step
lookup_step(void *subject)
{
    struct lookup *lookup = subject;

    lookup->pg = pgconn_conninfo_start(&lookup->conninfo);
    return PGCONN_STEP_DONE;
}

static int
lookup_descriptor(void *subject)
{
    return PQsocket(((struct lookup *)subject)->pg);
}

static VALUE
lookup_run(VALUE arg)
{
    struct lookup *lookup = (struct lookup *)arg;
    struct pgconn_stepper stepper = {lookup_step, lookup_descriptor, lookup, Qfalse};
    VALUE found;

    pgconn_conninfo_init(&lookup->conninfo, lookup->parameters);
    while (pgconn_wait_drive(&stepper, PGCONN_NEVER) == PGCONN_WAIT_INTERRUPTED) {
        pgconn_wait_check_ints();
    }
    if (!lookup->pg) rb_memerror();
    found = pgconn_conninfo_hash(PQconninfo(lookup->pg), false);
    return RHASH_EMPTY_P(found) ? rb_utf8_str_new_cstr(PQerrorMessage(lookup->pg)) : found;
}

static VALUE
lookup_leave(VALUE arg)
{
    struct lookup *lookup = (struct lookup *)arg;

    PQfinish(lookup->pg);
    pgconn_conninfo_free(&lookup->conninfo);
    return Qnil;
}

/*
 * What libpq makes of parameters with a service among them: those of the service and the
 * environment filled in, a Hash of Strings, or libpq's text on why it can't. Nothing but
 * PQconnectStart looks up a service, so the parameters must have a value that libpq refuses before
 * it does more.
 */
static VALUE
service_resolve(VALUE self, VALUE parameters)
{
    struct lookup lookup = {.parameters = parameters};

    (void)self;
    return rb_ensure(lookup_run, (VALUE)&lookup, lookup_leave, (VALUE)&lookup);
}

void
Init_pgconn_service(void)
{
    VALUE service = rb_define_module_under(rb_mPgconn, "Service");

    rb_define_singleton_method(service, "resolve", service_resolve, 1);
}
