#include "cursor.h"
#include "delivery.h"
#include "encoding.h"
#include "error.h"

#define PORTAL_ENDED                                                                              \
    "named cursor isn't valid anymore: the transaction that it belongs to has ended, or SQL has " \
    "closed it"
#define PORTAL_INSIDE                                                                            \
    "in autocommit a named cursor needs transaction { } around it, or withhold: true: it would " \
    "end with its own statement"

void
pgconn_portal_free(struct pgconn_portal *portal)
{
    if (!portal) return;
    pgconn_begun_drop(&portal->ahead);
    pgconn_resource_release(portal->resource);
    xfree(portal);
}

/* Makes it a named cursor: one that reads its rows from a portal. The name is in UTF-8. */
static VALUE
cursor_name_portal(VALUE self, VALUE name, VALUE holds)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get(self);
    const char *text = StringValueCStr(name);

    if (cursor->portal) rb_raise(rb_eArgError, "the cursor has a name already");
    cursor->portal = ZALLOC(struct pgconn_portal);
    cursor->portal->holds = RTEST(holds);
    cursor->portal->resource = pgconn_resource_new(text, RTEST(holds), PORTAL_ENDED);
    if (!cursor->portal->resource) rb_memerror();
    return self;
}

static struct pgconn_session *
cursor_session(const struct pgconn_cursor *cursor)
{
    return &pgconn_connection_get(cursor->connection)->session;
}

/* Text for libpq, in the client encoding of this moment. */
static VALUE
cursor_export(const struct pgconn_cursor *cursor, VALUE text, const char *what)
{
    return pgconn_encoding_export(text, cursor_session(cursor)->settings.encoding_index, what);
}

/* A DECLARE CURSOR: its head, and the arguments of execute, whose SQL stands behind it. */
struct declaration {
    VALUE self;
    VALUE name;
    VALUE head;
    struct pgconn_execute_call call;
};

static VALUE
declaration_run(VALUE arg)
{
    struct declaration *declaration = (struct declaration *)arg;
    VALUE self = declaration->self, name, result;
    struct pgconn_cursor *cursor = pgconn_cursor_get_open(self);
    struct pgconn_executor executor = pgconn_connection_executor(cursor->connection);
    struct pgconn_portal *portal = cursor->portal;
    struct pgconn_request request = pgconn_cursor_request(self, cursor, &declaration->call);

    name = cursor_export(cursor, declaration->name, "the name of the cursor");
    request.portal = StringValueCStr(name);
    request.ahead = rb_str_strlen(declaration->head);
    request.resource = portal->resource;
    request.makes = true;
    if (!portal->holds) request.inside = PORTAL_INSIDE;
    result = pgconn_execute(&executor, &request, &cursor->query);
    portal->opened = portal->known = true;
    RB_GC_GUARD(name);
    RB_GC_GUARD(self);
    return result;
}

static bool
text_is_empty(VALUE sql)
{
    return pgconn_sql_statements_keyword(RSTRING_PTR(sql), (size_t)RSTRING_LEN(sql), true) ==
           PGCONN_KEYWORD_NONE;
}

/*
 * name, the head of the DECLARE up to the query, and what execute takes. Its columns are described
 * in the same round trip.
 */
static VALUE
cursor_declare(int argc, VALUE *argv, VALUE self)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get(self);
    struct declaration declaration = {.self = self, .name = argv[0], .head = argv[1]};
    struct pgconn_execute_call *call = &declaration.call;
    VALUE sql;

    *call = pgconn_execute_call_get(argc - 2, argv + 2, cursor->connection);
    pgconn_answer_check_caller(cursor_session(cursor));
    if (text_is_empty(call->sql)) {
        pgconn_error_raise(rb_ePgconnProgrammingError, PGCONN_EXECUTION_EMPTY);
    }
    sql = rb_str_conv_enc(call->sql, rb_enc_get(call->sql), rb_utf8_encoding());
    call->sql = rb_str_freeze(rb_str_plus(declaration.head, sql));
    pgconn_tracer_run(&cursor_session(cursor)->tracer, call->sql, declaration_run,
                      (VALUE)&declaration);
    RB_GC_GUARD(call->arguments);
    return self;
}

/* FETCH, MOVE or CLOSE. */
struct portal_call {
    VALUE self;
    VALUE sql;
    VALUE count; /* rows that are asked for; of MOVE: negative is backward; nil: all */
};

static int
portal_format(const struct pgconn_cursor *cursor, VALUE registry)
{
    int encoding_index = cursor_session(cursor)->settings.encoding_index;

    if (NIL_P(cursor->result)) return 0;
    return pgconn_types_read_binary(registry, pgconn_result_pg(cursor->result), encoding_index);
}

/*
 * It isn't kept as a prepared statement: the next cursor of that name may have other columns, whose
 * values couldn't be read in the format that was right for these.
 */
static struct pgconn_flight *
portal_flight(const struct pgconn_cursor *cursor, VALUE sql, VALUE registry)
{
    const struct pgconn_portal *portal = cursor->portal;
    VALUE wire = cursor_export(cursor, sql, "SQL");
    const char *text = StringValueCStr(wire);
    struct pgconn_flight *flight = pgconn_session_flight(cursor_session(cursor));
    struct pgconn_command *command = pgconn_flight_append(flight, PGCONN_COMMAND_QUERY, text);

    if (!command) {
        pgconn_flight_free(flight);
        rb_memerror();
    }
    command->result_format = portal_format(cursor, registry);
    flight->begins = portal->holds ? PGCONN_BEGINS_NEVER : PGCONN_BEGINS;
    flight->joins = portal->holds;
    flight->resource = pgconn_resource_retain(portal->resource);
    flight->makes = !portal->opened;
    if (flight->makes && !portal->holds) flight->inside = PORTAL_INSIDE;
    command->cursor = cursor;
    RB_GC_GUARD(wire);
    return flight;
}

static struct pgconn_request
portal_request(const struct portal_call *call, const struct pgconn_cursor *cursor)
{
    struct pgconn_request request = pgconn_answer_request(
        pgconn_connection_timeout(cursor->connection, cursor->timeout));

    request.sql = call->sql;
    request.cursor = call->self;
    request.registry = pgconn_connection_registry(cursor->connection);
    if (!NIL_P(cursor->result)) request.plan = pgconn_result_get(cursor->result)->plan;
    request.quiet = true; /* handlers are called when note was taken of what has come */
    return request;
}

/* Asks the server whether the portal is there. The answer is for the session. */
static void
portal_ask(const struct portal_call *call, const struct pgconn_cursor *cursor,
           struct pgconn_request request)
{
    VALUE question = rb_ivar_get(call->self, rb_intern("@question")), result;
    struct pgconn_flight *flight = portal_flight(cursor, question, request.registry);

    flight->asks = true;
    request.sql = question;
    request.plan = Qnil;
    pgconn_answer_wait(pgconn_connection_get_open(cursor->connection), flight, &request, &result);
}

/* The page that was requested ahead; not of a portal that is gone, whose rows nobody gets. */
static struct pgconn_flight *
portal_flight_ahead(struct pgconn_portal *portal)
{
    if (!portal->resource->alive) pgconn_begun_drop(&portal->ahead);
    return pgconn_begun_take(&portal->ahead);
}

/* What was asked for is made after the server has said, in doubt, that the portal is there. */
static struct pgconn_flight *
portal_flight_for(const struct portal_call *call, const struct pgconn_cursor *cursor,
                  struct pgconn_request request)
{
    if (cursor->portal->resource->doubted) portal_ask(call, cursor, request);
    return portal_flight(cursor, call->sql, request.registry);
}

static VALUE
portal_run(VALUE arg)
{
    const struct portal_call *call = (const struct portal_call *)arg;
    struct pgconn_cursor *cursor = pgconn_cursor_get_open(call->self);
    struct pgconn_session *session = pgconn_connection_get_open(cursor->connection);
    struct pgconn_request request = portal_request(call, cursor);
    struct pgconn_flight *flight = portal_flight_ahead(cursor->portal);
    enum pgconn_answer answer;
    VALUE result;

    do {
        if (!flight) flight = portal_flight_for(call, cursor, request);
        answer = pgconn_answer_wait(session, flight, &request, &result);
        flight = NULL;
    } while (answer != PGCONN_ANSWER_RESULT);
    cursor->portal->moves = cursor->portal->resource->moves;
    cursor->portal->opened = true;
    return result;
}

/* The rows come behind those that there are. */
static VALUE
fetch_run(VALUE arg)
{
    const struct portal_call *call = (const struct portal_call *)arg;
    struct pgconn_cursor *cursor = pgconn_cursor_get_open(call->self);
    VALUE pages = rb_ary_new_capa(1), result;

    if (NIL_P(cursor->further)) RB_OBJ_WRITE(call->self, &cursor->further, pages);
    result = portal_run(arg);
    rb_ary_push(cursor->further, result);
    cursor->portal->at_end = NIL_P(call->count) ||
                             pgconn_result_row_count(result) < NUM2LONG(call->count);
    return result;
}

/* Behind its last row the portal stands one step further than behind the row before. */
static long
portal_moved_to(struct pgconn_portal *portal, long position, long steps, long moved)
{
    bool falls_short = moved < labs(steps);
    long from = position + portal->at_end;

    portal->at_end = steps > 0 && falls_short;
    if (steps > 0) return position + moved;
    if (!falls_short) return from + steps;
    portal->known = true;
    return 0;
}

static VALUE
move_by_run(VALUE arg)
{
    const struct portal_call *call = (const struct portal_call *)arg;
    struct pgconn_cursor *cursor = pgconn_cursor_get_open(call->self);
    VALUE result = portal_run(arg);

    pgconn_cursor_stand(call->self, cursor,
                        portal_moved_to(cursor->portal, pgconn_cursor_portal_position(cursor),
                                        NUM2LONG(call->count), pgconn_result_affected(result)));
    return result;
}

/* Past the last row nobody counts the rows on the way: then the position isn't known. */
static VALUE
move_to_run(VALUE arg)
{
    const struct portal_call *call = (const struct portal_call *)arg;
    struct pgconn_cursor *cursor = pgconn_cursor_get_open(call->self);
    VALUE result = portal_run(arg);

    cursor->portal->at_end = NUM2LONG(call->count) > 0 && pgconn_result_affected(result) == 0;
    cursor->portal->known = !cursor->portal->at_end;
    pgconn_cursor_stand(call->self, cursor, NUM2LONG(call->count));
    return result;
}

static VALUE
portal_trace(VALUE self, VALUE sql, VALUE count, VALUE (*run)(VALUE))
{
    struct portal_call call = {self, rb_str_new_frozen(sql), count};
    struct pgconn_cursor *cursor = pgconn_cursor_get_readable(self);
    struct pgconn_session *session = pgconn_connection_get_open(cursor->connection);

    pgconn_answer_check_caller(session);
    pgconn_tracer_run(&session->tracer, call.sql, run, (VALUE)&call);
    pgconn_delivery_run(session);
    RB_GC_GUARD(self);
    return self;
}

/* Flights are answered in their order: so one without statements waits for all that are ahead. */
static void
portal_await(const struct pgconn_cursor *cursor)
{
    struct pgconn_request request = pgconn_answer_request(
        pgconn_connection_timeout(cursor->connection, cursor->timeout));
    struct pgconn_session *session = pgconn_connection_get_open(cursor->connection);
    VALUE result;

    pgconn_answer_wait(session, pgconn_session_flight(session), &request, &result);
}

/* Of a page that was requested ahead note will be taken. */
bool
pgconn_cursor_portal_is_lost(const struct pgconn_cursor *cursor)
{
    if (cursor->portal->ahead.flight) return false;
    if (pgconn_resource_is_under_way(cursor->portal->resource)) portal_await(cursor);
    return cursor->portal->moves != cursor->portal->resource->moves;
}

static void
portal_check_place(VALUE self)
{
    if (!pgconn_cursor_portal_is_lost(pgconn_cursor_get(self))) return;
    pgconn_error_raise(rb_ePgconnOperationalError,
                       "named cursor has lost its place: the server has done a fetch or scroll "
                       "that was interrupted here");
}

/* If that SQL was requested ahead, its answer is what is waited for. */
static VALUE
cursor_fetch_page(VALUE self, VALUE sql, VALUE count)
{
    portal_check_place(self);
    return portal_trace(self, sql, count, fetch_run);
}

/* Begins to fetch a page; false where that can't be now. */
static VALUE
cursor_fetch_ahead(VALUE self, VALUE sql)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get_readable(self);
    struct pgconn_session *session = pgconn_connection_get_open(cursor->connection);
    VALUE registry = pgconn_connection_registry(cursor->connection);

    if (!cursor->portal->resource->alive || !pgconn_begun_is_possible(session)) return Qfalse;
    pgconn_begun_keep(&cursor->portal->ahead, session, portal_flight(cursor, sql, registry));
    return Qtrue;
}

static VALUE
cursor_move_by(VALUE self, VALUE sql, VALUE steps)
{
    portal_check_place(self);
    return portal_trace(self, sql, steps, move_by_run);
}

static VALUE
cursor_move_to(VALUE self, VALUE sql, VALUE position)
{
    return portal_trace(self, sql, position, move_to_run);
}

/* The end of a failed transaction closes it, unless it was there before that. */
static void
portal_close_later(const struct pgconn_cursor *cursor, VALUE sql)
{
    VALUE wire;

    if (!cursor->portal->resource->lasts) return;
    wire = cursor_export(cursor, sql, "SQL");
    pgconn_resource_close_later(cursor->portal->resource, StringValueCStr(wire));
    RB_GC_GUARD(wire);
}

/* Raises where there is something to close, and this caller can't wait for it now. */
static VALUE
cursor_check_close(VALUE self)
{
    const struct pgconn_cursor *cursor = pgconn_cursor_get(self);
    const struct pgconn_session *session = cursor_session(cursor);

    if (session->life == PGCONN_SESSION_OPEN && cursor->portal->resource->alive) {
        pgconn_answer_check_caller(session);
    }
    return Qnil;
}

/*
 * Sends CLOSE where there is something to close, be it of an execute that was interrupted, and the
 * transaction takes it.
 */
static VALUE
cursor_close_portal(VALUE self, VALUE sql)
{
    const struct pgconn_cursor *cursor = pgconn_cursor_get_readable(self);
    const struct pgconn_session *session = pgconn_connection_get_open(cursor->connection);

    pgconn_begun_drop(&cursor->portal->ahead);
    if (pgconn_resource_is_under_way(cursor->portal->resource)) portal_await(cursor);
    if (!cursor->portal->resource->alive) return Qnil;
    if (session->transaction == PQTRANS_INERROR) {
        portal_close_later(cursor, sql);
        return Qnil;
    }
    return portal_trace(self, sql, Qnil, portal_run);
}

void
pgconn_cursor_portal_init(void)
{
    VALUE class = rb_cPgconnCursor;

    rb_define_private_method(class, "check_close", cursor_check_close, 0);
    rb_define_private_method(class, "close_portal", cursor_close_portal, 1);
    rb_define_private_method(class, "declare", cursor_declare, -1);
    rb_define_private_method(class, "fetch_ahead", cursor_fetch_ahead, 1);
    rb_define_private_method(class, "fetch_page", cursor_fetch_page, 2);
    rb_define_private_method(class, "move_by", cursor_move_by, 2);
    rb_define_private_method(class, "move_to", cursor_move_to, 2);
    rb_define_private_method(class, "name_portal", cursor_name_portal, 2);
}
