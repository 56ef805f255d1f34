#include "connection_transactions.h"

#include "boundary.h"
#include "control.h"

struct pgconn_session *
pgconn_connection_get_outside(VALUE self, const char *what)
{
    struct pgconn_session *session = pgconn_connection_get_open(self);

    pgconn_boundary_end_forsaken(session);
    if (session->line.top && pgconn_line_holds(&session->line, pgconn_caller_current())) {
        pgconn_answer_check_caller(session);
        pgconn_error_raise(rb_ePgconnProgrammingError, "%s %s", what, PGCONN_LINE_INSIDE);
    }
    return session;
}

/* The block that the caller has just left and whose end this is; or NULL. */
static struct pgconn_hold *
hold_ending(const struct pgconn_session *session)
{
    if (!session->line.top) return NULL;
    return pgconn_line_ending(&session->line, pgconn_caller_current());
}

/* Runs COMMIT or ROLLBACK. The end of a block that has been left may be what calls. */
static VALUE
connection_end_transaction(VALUE self, const char *what, bool commits)
{
    struct pgconn_session *session = pgconn_connection_get_open(self);
    VALUE sql = rb_str_freeze(rb_utf8_str_new_cstr(commits ? "COMMIT" : "ROLLBACK")), result;
    struct pgconn_flight *flight;

    do {
        struct pgconn_hold *hold = hold_ending(session);

        if (!hold) pgconn_connection_get_outside(self, what);
        flight = pgconn_control_flight(session, sql);
        flight->undoes = !commits;
        pgconn_boundary_mark(flight, PGCONN_BOUNDARY_END, hold);
    } while (!pgconn_control_wait(session, flight, sql, &result));
    RB_GC_GUARD(self);
    return Qnil;
}

/*
 * Commits the transaction that is open; sends nothing if none is.
 * @return [nil]
 * @raise [Pgconn::Errors::InFailedSqlTransaction] if a statement of the transaction had failed: the
 *   server has rolled it back. The error of that statement is the `cause`
 * @raise [Pgconn::IntegrityError] if a deferred constraint doesn't hold
 * @raise [Pgconn::QueryCanceledError] at `statement_timeout`; :canceled as its `outcome` says that
 *   the server has rolled back, :not_sent that the transaction is still open
 * @raise [Pgconn::ConnectionLost] its `outcome` is :unknown if the COMMIT had been sent
 * @raise [Pgconn::ProgrammingError] inside {#transaction}, and from {#tpc_begin} on: see
 *   {#tpc_commit}
 * @see https://www.postgresql.org/docs/current/sql-commit.html COMMIT
 */
static VALUE
connection_commit(VALUE self)
{
    return connection_end_transaction(self, "commit can't be called", true);
}

/*
 * Rolls back the transaction that is open; sends nothing if none is.
 * @return [nil]
 * @raise [Pgconn::ProgrammingError] inside {#transaction}, and from {#tpc_begin} on: see
 *   {#tpc_rollback}
 * @raise [Pgconn::QueryCanceledError] at `statement_timeout`
 * @see https://www.postgresql.org/docs/current/sql-rollback.html ROLLBACK
 */
static VALUE
connection_rollback(VALUE self)
{
    return connection_end_transaction(self, "rollback can't be called", false);
}

/* A flight that is made without a statement. */
static void
boundary_run(struct pgconn_session *session, enum pgconn_boundary boundary,
             struct pgconn_hold *hold, struct pgconn_modes_change *change)
{
    struct pgconn_flight *flight;
    VALUE result;

    do {
        flight = pgconn_boundary_flight(session, boundary, hold);
        flight->change = change;
        if (hold) flight->caller = hold->caller;
    } while (!pgconn_control_wait(session, flight, Qnil, &result));
}

void
pgconn_connection_open(VALUE self, struct pgconn_hold *hold)
{
    boundary_run(pgconn_connection_get_open(self), PGCONN_BOUNDARY_OPEN, hold, NULL);
    RB_OBJ_WRITE(self, &hold->thread, rb_thread_current());
}

void
pgconn_connection_release(VALUE self, struct pgconn_hold *hold)
{
    struct pgconn_session *session = pgconn_connection_get_open(self);

    boundary_run(session, PGCONN_BOUNDARY_RELEASE, hold, NULL);
    RB_GC_GUARD(self);
}

/*
 * @return [Boolean] whether each statement commits by itself, instead of a transaction that
 *   starts by itself and lasts until {#commit} or {#rollback}
 */
static VALUE
connection_autocommit(VALUE self)
{
    return RBOOL(pgconn_connection_get(self)->session.autocommit);
}

/* Of BEGIN: an Integer, or nil where it is left to the server; also while autocommit is on. */
static VALUE
connection_chosen_isolation(VALUE self)
{
    enum pgconn_isolation isolation = pgconn_connection_get(self)->session.modes.isolation;

    return isolation == PGCONN_ISOLATION_DEFAULT ? Qnil : INT2FIX(isolation);
}

static VALUE
switch_value(enum pgconn_switch value)
{
    return value == PGCONN_SWITCH_DEFAULT ? Qnil : RBOOL(value == PGCONN_SWITCH_ON);
}

/*
 * @return [Boolean, nil] whether transactions are READ ONLY; nil: as the server has it by default
 */
static VALUE
connection_read_only(VALUE self)
{
    return switch_value(pgconn_connection_get(self)->session.modes.read_only);
}

/*
 * @return [Boolean, nil] whether transactions are DEFERRABLE; nil: as the server has it by default
 */
static VALUE
connection_deferrable(VALUE self)
{
    return switch_value(pgconn_connection_get(self)->session.modes.deferrable);
}

/* true, false, nil (as it is) or :default */
static enum pgconn_switch
switch_get(VALUE value)
{
    if (NIL_P(value)) return PGCONN_SWITCH_KEEP;
    if (value == Qtrue) return PGCONN_SWITCH_ON;
    return value == Qfalse ? PGCONN_SWITCH_OFF : PGCONN_SWITCH_DEFAULT;
}

struct pgconn_modes
pgconn_connection_modes(VALUE isolation, VALUE read_only, VALUE deferrable)
{
    struct pgconn_modes modes = {PGCONN_ISOLATION_KEEP, switch_get(read_only),
                                 switch_get(deferrable)};

    if (FIXNUM_P(isolation)) modes.isolation = FIX2INT(isolation);
    else if (!NIL_P(isolation)) modes.isolation = PGCONN_ISOLATION_DEFAULT;
    return modes;
}

/* name is the setter's, for messages; the values are checked already. */
static VALUE
connection_change_modes(VALUE self, VALUE name, VALUE isolation, VALUE read_only, VALUE deferrable,
                        VALUE autocommit)
{
    struct pgconn_modes_change change = {
        .modes = pgconn_connection_modes(isolation, read_only, deferrable),
        .autocommit = switch_get(autocommit),
    };
    VALUE what = rb_sprintf("%" PRIsVALUE " can't be changed", name);
    struct pgconn_session *session = pgconn_connection_get_outside(self, StringValueCStr(what));

    boundary_run(session, PGCONN_BOUNDARY_MODES, NULL, &change);
    if (!change.applied) {
        pgconn_error_raise(rb_ePgconnProgrammingError,
                           "%s inside a transaction: commit or roll back first",
                           StringValueCStr(what));
    }
    RB_GC_GUARD(self);
    return Qnil;
}

void
pgconn_connection_transactions_init(void)
{
    rb_define_method(rb_cPgconnConnection, "autocommit", connection_autocommit, 0);
    rb_define_method(rb_cPgconnConnection, "commit", connection_commit, 0);
    rb_define_method(rb_cPgconnConnection, "deferrable", connection_deferrable, 0);
    rb_define_method(rb_cPgconnConnection, "read_only", connection_read_only, 0);
    rb_define_method(rb_cPgconnConnection, "rollback", connection_rollback, 0);
    rb_define_private_method(rb_cPgconnConnection, "change_modes", connection_change_modes, 5);
    rb_define_private_method(rb_cPgconnConnection, "chosen_isolation", connection_chosen_isolation,
                             0);
}
