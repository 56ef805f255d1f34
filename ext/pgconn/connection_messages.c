#include "connection.h"

#include "encoding.h"
#include "notify_wait.h"

/*
 * @return [Array<String>] the notices received, as psql prints them ("NOTICE:  text\n"): the
 *   newest 50, the oldest of them first; they stay readable when the connection has ended
 * @see https://www.postgresql.org/docs/current/libpq-notice-processing.html Notice Processing
 */
static VALUE
connection_notices(VALUE self)
{
    struct pgconn_session *session = &pgconn_connection_get(self)->session;
    struct pgconn_notice_text copies[PGCONN_NOTICES_KEPT];
    VALUE notices = rb_ary_new_capa(PGCONN_NOTICES_KEPT);
    int count;

    pgconn_session_lock(session);
    count = pgconn_messages_copy_notices(&session->messages, copies);
    pgconn_session_unlock(session);
    for (int i = 0; i < count; i++) {
        rb_ary_push(notices, pgconn_inbox_text(&copies[i], session->settings.encoding_index));
        free(copies[i].text);
    }
    return notices;
}

/*
 * The queue of notifications that were received and not taken yet, the oldest first: always the
 * same Array. `shift` and `clear` take from it, in any thread. Each command adds to it what came
 * with its answer, and so does {#wait_for_notify}; with an {#on_notify} handler nothing is added.
 * What is in it stays readable when the connection has ended.
 * @return [Array<Pgconn::Notify>]
 * @see https://www.postgresql.org/docs/current/libpq-notify.html Asynchronous Notification
 */
static VALUE
connection_notifies(VALUE self)
{
    struct pgconn_session *session = &pgconn_connection_get(self)->session;

    pgconn_delivery_collect(session);
    RB_GC_GUARD(self);
    return session->inbox.notifies;
}

/* What wait_for_notify does; timeout is nil or seconds. */
static VALUE
connection_take_notify(VALUE self, VALUE timeout)
{
    pgconn_time deadline = PGCONN_NEVER;
    VALUE notify;

    if (!NIL_P(timeout)) deadline = pgconn_wait_after(pgconn_wait_seconds(timeout, "timeout"));
    notify = pgconn_notify_wait(pgconn_connection_get_open(self), deadline);
    RB_GC_GUARD(self);
    return notify;
}

/* The event of a name, a Symbol. */
static enum pgconn_event
event_get(VALUE name)
{
    return SYM2ID(name) == rb_intern("notice") ? PGCONN_EVENT_NOTICE : PGCONN_EVENT_NOTIFY;
}

static void
session_handlers_changed(struct pgconn_session *session)
{
    bool some = RARRAY_LEN(session->inbox.handlers[PGCONN_EVENT_NOTICE]) > 0;

    pgconn_session_lock(session);
    session->messages.keeps_notices = some;
    pgconn_session_unlock(session);
}

/* Messages that have come before aren't for the new handler. */
static VALUE
connection_add_handler(VALUE self, VALUE event, VALUE handler)
{
    struct pgconn_session *session = &pgconn_connection_get(self)->session;

    pgconn_delivery_collect(session);
    rb_ary_push(session->inbox.handlers[event_get(event)], handler);
    session_handlers_changed(session);
    RB_GC_GUARD(self);
    return handler;
}

static VALUE
connection_remove_handler(VALUE self, VALUE event, VALUE handler)
{
    struct pgconn_session *session = &pgconn_connection_get(self)->session;

    pgconn_delivery_collect(session);
    pgconn_inbox_remove_handler(&session->inbox, event_get(event), handler);
    session_handlers_changed(session);
    RB_GC_GUARD(self);
    return Qnil;
}

/* Statements of ours that are one flight, each with all of the arguments. */
struct joining {
    VALUE self;
    VALUE sql;        /* all of them, as errors and the tracer tell it */
    VALUE statements; /* an Array of Strings */
    struct pgconn_arguments arguments;
    struct pgconn_flight *flight;
};

static VALUE
joining_fill(VALUE arg)
{
    struct joining *joining = (struct joining *)arg;
    VALUE registry = pgconn_connection_registry(joining->self), wire;
    int encoding_index = joining->flight->settings.encoding_index;
    struct pgconn_command *command;

    for (long i = 0; i < RARRAY_LEN(joining->statements); i++) {
        wire = pgconn_encoding_export(rb_ary_entry(joining->statements, i), encoding_index, "SQL");
        command = pgconn_flight_append(joining->flight, PGCONN_COMMAND_QUERY,
                                       StringValueCStr(wire));
        if (!command) rb_memerror();
        pgconn_params_encode(&command->params, &joining->arguments, NULL, registry, encoding_index);
    }
    return Qnil;
}

static struct pgconn_flight *
joining_make_flight(struct joining *joining, const struct pgconn_session *session)
{
    int state;

    joining->flight = pgconn_session_flight(session);
    joining->flight->begins = PGCONN_BEGINS_AS_PART;
    rb_protect(joining_fill, (VALUE)joining, &state);
    if (state) {
        pgconn_flight_free(joining->flight);
        rb_jump_tag(state);
    }
    return joining->flight;
}

static VALUE
joining_run(VALUE arg)
{
    struct joining *joining = (struct joining *)arg;
    struct pgconn_session *session = pgconn_connection_get_open(joining->self);
    struct pgconn_request request = pgconn_answer_request(
        pgconn_connection_timeout(joining->self, Qnil));
    enum pgconn_answer answer;
    VALUE result;

    request.sql = joining->sql;
    do {
        answer = pgconn_answer_wait(session, joining_make_flight(joining, session), &request,
                                    &result);
    } while (answer == PGCONN_ANSWER_OUTDATED);
    return result;
}

/*
 * Executes statements without rows, in one round trip, in the transaction that is open or, in a
 * block, begins with them. Outside of one they begin none: they commit at once, all or none.
 */
static VALUE
connection_execute_joining(VALUE self, VALUE statements, VALUE values)
{
    struct pgconn_session *session = pgconn_connection_get_open(self);
    struct joining joining = {.self = self, .statements = statements};

    joining.sql = rb_str_freeze(rb_ary_join(statements, rb_str_new_cstr("; ")));
    joining.arguments = pgconn_params_resolve(values, pgconn_connection_registry(self));
    pgconn_tracer_run(&session->tracer, joining.sql, joining_run, (VALUE)&joining);
    RB_GC_GUARD(self);
    return Qnil;
}

/*
 * The encoding in which the server keeps texts, and in which it counts the bytes of names; nil
 * where Ruby has none like it.
 */
static VALUE
connection_server_encoding(VALUE self)
{
    struct pgconn_session *session = &pgconn_connection_get(self)->session;
    VALUE name = pgconn_session_parameter(session, "server_encoding");
    int index = NIL_P(name) ? -1
                            : pgconn_encoding_index(pg_char_to_encoding(StringValueCStr(name)));

    return index < 0 ? Qnil : rb_enc_from_encoding(rb_enc_from_index(index));
}

void
pgconn_connection_messages_init(void)
{
    rb_define_method(rb_cPgconnConnection, "notices", connection_notices, 0);
    rb_define_method(rb_cPgconnConnection, "notifies", connection_notifies, 0);
    rb_define_private_method(rb_cPgconnConnection, "add_handler", connection_add_handler, 2);
    rb_define_private_method(rb_cPgconnConnection, "remove_handler", connection_remove_handler, 2);
    rb_define_private_method(rb_cPgconnConnection, "take_notify", connection_take_notify, 1);
    rb_define_private_method(rb_cPgconnConnection, "execute_joining", connection_execute_joining,
                             2);
    rb_define_private_method(rb_cPgconnConnection, "server_encoding", connection_server_encoding,
                             0);
}
