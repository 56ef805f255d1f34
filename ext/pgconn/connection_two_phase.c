#include "boundary.h"
#include "connection_transactions.h"
#include "control.h"

/* To end one may be the second try, after one that was interrupted when the server had done it. */
#define PERHAPS_ENDED "; one that was prepared has ended if tpc_recover doesn't list it"

NORETURN(static void raise_not_begun(const char *method, const char *advice));

static void
raise_not_begun(const char *method, const char *advice)
{
    pgconn_error_raise(rb_ePgconnProgrammingError, "%s needs a transaction that tpc_begin began%s",
                       method, advice);
}

/* xid: a literal of SQL. */
static VALUE
connection_two_phase_begin(VALUE self, VALUE xid)
{
    struct pgconn_session *session = pgconn_connection_get_outside(self,
                                                                   "tpc_begin can't be called");

    pgconn_control_settle(session);
    if (session->autocommit) {
        pgconn_error_raise(rb_ePgconnProgrammingError, "tpc_begin can't be used in autocommit");
    }
    if (pgconn_session_is_in_transaction(session)) {
        pgconn_error_raise(rb_ePgconnProgrammingError,
                           "tpc_begin can't be used inside a transaction");
    }
    RB_OBJ_WRITE(self, &pgconn_connection_get(self)->xid, xid);
    pgconn_two_phase_enter(&session->two_phase, PGCONN_TWO_PHASE_BEGUN);
    return Qnil;
}

static VALUE
sql_with_xid(VALUE self, const char *verb)
{
    VALUE xid = pgconn_connection_get(self)->xid;

    return rb_str_freeze(rb_str_append(rb_utf8_str_new_cstr(verb), xid));
}

static VALUE
connection_two_phase_prepare(VALUE self)
{
    struct pgconn_session *session = pgconn_connection_get_outside(self,
                                                                   "tpc_prepare can't be called");
    const struct pgconn_two_phase *two_phase = &session->two_phase;
    struct pgconn_flight *flight;
    VALUE sql, result;

    do {
        if (two_phase->stage == PGCONN_TWO_PHASE_NONE) raise_not_begun("tpc_prepare", "");
        if (two_phase->stage == PGCONN_TWO_PHASE_PREPARED) {
            pgconn_error_raise(rb_ePgconnProgrammingError, "the transaction is prepared already");
        }
        sql = sql_with_xid(self, "PREPARE TRANSACTION ");
        flight = pgconn_control_flight(session, sql);
        flight->two_phase = two_phase->number;
        flight->begins = PGCONN_BEGINS; /* where nothing was executed */
        pgconn_boundary_mark(flight, PGCONN_BOUNDARY_OUTSIDE, NULL);
    } while (!pgconn_control_wait(session, flight, sql, &result));
    RB_GC_GUARD(self);
    return Qnil;
}

/* The flight, and its SQL, that ends the transaction of tpc_begin at the stage that it is at. */
static struct pgconn_flight *
flight_to_finish(VALUE self, struct pgconn_session *session, bool commits, VALUE *sql)
{
    bool prepared = session->two_phase.stage == PGCONN_TWO_PHASE_PREPARED;
    struct pgconn_flight *flight;

    if (session->two_phase.stage == PGCONN_TWO_PHASE_NONE) {
        raise_not_begun(commits ? "tpc_commit without a xid" : "tpc_rollback without a xid",
                        PERHAPS_ENDED);
    }
    if (prepared) *sql = sql_with_xid(self, commits ? "COMMIT PREPARED " : "ROLLBACK PREPARED ");
    else *sql = rb_str_freeze(rb_utf8_str_new_cstr(commits ? "COMMIT" : "ROLLBACK"));
    flight = pgconn_control_flight(session, *sql);
    flight->two_phase = session->two_phase.number;
    flight->undoes = !commits;
    pgconn_boundary_mark(flight, prepared ? PGCONN_BOUNDARY_OUTSIDE : PGCONN_BOUNDARY_END, NULL);
    return flight;
}

static VALUE
connection_two_phase_finish(VALUE self, VALUE commits)
{
    struct pgconn_session *session = pgconn_connection_get_outside(
        self, RTEST(commits) ? "tpc_commit can't be called" : "tpc_rollback can't be called");
    struct pgconn_flight *flight;
    VALUE sql, result;

    do {
        flight = flight_to_finish(self, session, RTEST(commits), &sql);
    } while (!pgconn_control_wait(session, flight, sql, &result));
    RB_GC_GUARD(self);
    return Qnil;
}

/* Another session's transaction. */
static VALUE
connection_two_phase_recover(VALUE self, VALUE sql)
{
    struct pgconn_session *session =
        pgconn_connection_get_outside(self, "a transaction can't be ended by its xid");
    struct pgconn_flight *flight;
    VALUE result;

    sql = rb_str_new_frozen(sql);
    do {
        flight = pgconn_control_flight(session, sql);
        flight->outside = "tpc_commit and tpc_rollback with a xid can't be used inside a "
                          "transaction";
        pgconn_boundary_mark(flight, PGCONN_BOUNDARY_OUTSIDE, NULL);
    } while (!pgconn_control_wait(session, flight, sql, &result));
    RB_GC_GUARD(self);
    return Qnil;
}

void
pgconn_connection_two_phase_init(void)
{
    rb_define_private_method(rb_cPgconnConnection, "two_phase_begin", connection_two_phase_begin,
                             1);
    rb_define_private_method(rb_cPgconnConnection, "two_phase_prepare",
                             connection_two_phase_prepare, 0);
    rb_define_private_method(rb_cPgconnConnection, "two_phase_finish", connection_two_phase_finish,
                             1);
    rb_define_private_method(rb_cPgconnConnection, "two_phase_recover",
                             connection_two_phase_recover, 1);
}
