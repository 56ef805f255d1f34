#include "transaction.h"

#include "block.h"
#include "boundary.h"
#include "connection_transactions.h"
#include "control.h"

/* One run of a `transaction { }`, or of the driver's own; on its caller's stack. */
struct transaction {
    VALUE self;
    VALUE (*body)(VALUE argument, struct pgconn_hold *hold);
    VALUE argument;
    const struct pgconn_request *timed; /* of the driver's own; or NULL */
    struct pgconn_hold *hold;           /* the line's, too, while it is open */
    VALUE anchor;                       /* holds it, and is collected with the caller's Fiber */
    bool alone;                         /* it can't be part of another transaction */
    enum pgconn_left left;
    bool settled; /* committed or rolled back, as far as Ruby's methods do that */
};

/* Not by the end of the block, which takes the hold out before: by that of the caller's stack. */
static void
anchor_free(void *hold)
{
    ((struct pgconn_hold *)hold)->dropped = true;
    pgconn_hold_release(hold);
}

static size_t
anchor_memsize(const void *hold)
{
    return hold ? sizeof(struct pgconn_hold) : 0;
}

static const rb_data_type_t anchor_type = {
    .wrap_struct_name = "Pgconn transaction",
    .function = {.dfree = anchor_free, .dsize = anchor_memsize},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static void
transaction_start(struct transaction *transaction)
{
    struct pgconn_hold *hold;

    transaction->anchor = TypedData_Wrap_Struct(0, &anchor_type, NULL);
    hold = transaction->hold = pgconn_hold_new();
    if (!hold) rb_memerror();
    RTYPEDDATA_DATA(transaction->anchor) = hold;
    hold->caller = pgconn_caller_current();
}

static void
transaction_finish(struct transaction *transaction)
{
    RTYPEDDATA_DATA(transaction->anchor) = NULL;
    pgconn_hold_release(transaction->hold);
}

/* All of it has as much time as the request. */
static struct pgconn_request
own_request(const struct pgconn_request *timed)
{
    struct pgconn_request request = pgconn_answer_request(Qnil);

    request.cursor = timed->cursor;
    request.timeout = timed->timeout;
    request.deadline = timed->deadline;
    return request;
}

static void
own_open(const struct transaction *transaction)
{
    struct pgconn_session *session = pgconn_connection_get_open(transaction->self);
    struct pgconn_request request = own_request(transaction->timed);
    struct pgconn_hold *hold = transaction->hold;
    struct pgconn_flight *flight;
    VALUE result;

    request.text = transaction->timed->text;
    do {
        flight = pgconn_boundary_flight(session, PGCONN_BOUNDARY_OPEN, hold);
        flight->caller = hold->caller;
    } while (pgconn_answer_wait(session, flight, &request, &result) != PGCONN_ANSWER_RESULT);
    RB_OBJ_WRITE(transaction->self, &hold->thread, rb_thread_current());
}

static VALUE
transaction_body(VALUE arg)
{
    struct transaction *transaction = (struct transaction *)arg;

    if (transaction->timed) own_open(transaction);
    else pgconn_connection_open(transaction->self, transaction->hold);
    if (transaction->alone && !transaction->hold->outermost) {
        pgconn_error_raise(rb_ePgconnProgrammingError,
                           "isolation:, read_only:, deferrable: and retries: are for a transaction "
                           "of its own, but one is open already");
    }
    return transaction->body(transaction->argument, transaction->hold);
}

static void
transaction_drop_gathered(const struct transaction *transaction)
{
    const struct pgconn_session *session = &pgconn_connection_get(transaction->self)->session;
    struct pgconn_gathered *gathered = pgconn_session_gathered(session);

    if (gathered) gathered->drop(gathered);
}

/* A subclass's own commit and rollback are called for a whole transaction of the user's. */
static VALUE
transaction_settle(VALUE arg)
{
    struct transaction *transaction = (struct transaction *)arg;
    bool own = transaction->hold->in_place_of_autocommit;
    bool whole = transaction->hold->outermost && !own;

    /* Its body has committed the driver's own: one that is open still was left by break. */
    if (transaction->left != PGCONN_LEFT_WELL || own) {
        transaction_drop_gathered(transaction); /* not for a rollback of the subclass's to send */
        if (whole) pgconn_block_roll_back(transaction->self);
    }
    else if (whole) rb_funcall(transaction->self, rb_intern("commit"), 0);
    else pgconn_connection_release(transaction->self, transaction->hold);
    transaction->settled = true;
    return Qnil;
}

static bool
session_has_given_up(const struct pgconn_session *session)
{
    const struct pgconn_flight *flight;

    for (flight = session->queue.head; flight; flight = flight->next) {
        if (pgconn_flight_is_given_up(flight)) return true;
    }
    return false;
}

/* What a throw leaves as errinfo is no object of Ruby's. */
static bool
raises_standard_error(void)
{
    VALUE error = rb_errinfo();

    return RB_TYPE_P(error, T_OBJECT) && RTEST(rb_obj_is_kind_of(error, rb_eStandardError));
}

/*
 * In place of autocommit the server must not be left with an open transaction, and its locks, by a
 * break or an error: then cancelling is waited for.
 */
static bool
own_may_wait(const struct transaction *transaction)
{
    return transaction->left == PGCONN_LEFT_WELL || raises_standard_error();
}

/*
 * Whether there is time to wait for the ROLLBACK. Not for a caller that was interrupted: by a kill,
 * or in a statement, whose cancelling would have to be waited for, too.
 */
static bool
transaction_may_wait(const struct transaction *transaction, const struct pgconn_session *session)
{
    if (transaction->hold->in_place_of_autocommit) return own_may_wait(transaction);
    if (session_has_given_up(session)) return false;
    if (transaction->settled) return transaction->left != PGCONN_LEFT_BY_KILL;
    return raises_standard_error();
}

static void
flight_wait(struct pgconn_session *session, struct pgconn_flight *flight)
{
    pgconn_time deadline = pgconn_wait_after(session->cancel_timeout);

    if (pgconn_run_gives_back(pgconn_driver_run(session, flight, deadline))) {
        pgconn_flight_free(flight);
    }
}

/* The LEAVE of a hold, which is the caller's to send; NULL where it was queued before. */
static struct pgconn_flight *
hold_take_ending(struct pgconn_hold *hold)
{
    struct pgconn_flight *ending = hold->ending;

    hold->ending = NULL;
    if (ending) pgconn_boundary_mark(ending, PGCONN_BOUNDARY_LEAVE, hold);
    return ending;
}

/* Undoes what wasn't committed, and lets go of the line. */
static void
transaction_undo(const struct transaction *transaction)
{
    struct pgconn_session *session = &pgconn_connection_get(transaction->self)->session;
    struct pgconn_hold *hold = transaction->hold;
    struct pgconn_flight *ending;

    transaction_drop_gathered(transaction);
    /* The server has rolled back, and the session keeps the hold for its own end. */
    if (session->life != PGCONN_SESSION_OPEN || pgconn_session_inherited(session)) return;
    ending = hold_take_ending(hold);
    if (!ending) return;
    if (hold->begun && transaction_may_wait(transaction, session)) flight_wait(session, ending);
    else pgconn_driver_post(session, ending);
}

/* The hold isn't open where it has ended already, or where it never was its turn. */
static VALUE
transaction_close(VALUE arg)
{
    struct transaction *transaction = (struct transaction *)arg;

    if (transaction->hold->open) transaction_undo(transaction);
    transaction_finish(transaction);
    return Qnil;
}

static void
transaction_leave(VALUE arg, enum pgconn_left left)
{
    struct transaction *transaction = (struct transaction *)arg;

    transaction->left = left;
    transaction->hold->left = true;
    if (transaction->hold->open) rb_ensure(transaction_settle, arg, transaction_close, arg);
    else transaction_close(arg);
}

static VALUE
transaction_run(struct transaction *transaction)
{
    VALUE value = pgconn_block_run(transaction_body, transaction_leave, (VALUE)transaction);

    RB_GC_GUARD(transaction->anchor);
    return value;
}

static VALUE
connection_yield(VALUE self, struct pgconn_hold *hold)
{
    (void)hold;
    return rb_yield(self);
}

/*
 * Yields self in a transaction, or in a savepoint of the one that is open; gives the block's value.
 * alone: not in a savepoint.
 */
static VALUE
connection_run_transaction(VALUE self, VALUE isolation, VALUE read_only, VALUE deferrable,
                           VALUE alone, VALUE shared)
{
    struct transaction transaction = {.self = self, .body = connection_yield, .argument = self};
    struct pgconn_modes modes = pgconn_connection_modes(isolation, read_only, deferrable);

    transaction_start(&transaction);
    transaction.alone = RTEST(alone);
    transaction.hold->shared = RTEST(shared);
    transaction.hold->modes = modes;
    if (pgconn_modes_given(modes)) transaction.alone = true;
    return transaction_run(&transaction);
}

/* Its modes are the server's: so are those of statements that commit by themselves. */
VALUE
pgconn_transaction_run(VALUE connection, const struct pgconn_request *timed,
                       VALUE (*body)(VALUE, struct pgconn_hold *), VALUE argument)
{
    struct transaction transaction = {.self = connection, .body = body, .argument = argument};

    transaction.timed = timed;
    transaction_start(&transaction);
    transaction.hold->in_place_of_autocommit = true;
    return transaction_run(&transaction);
}

static void
hold_check(const struct pgconn_hold *hold)
{
    if (hold->open && !hold->dropped) return;
    pgconn_error_raise(rb_ePgconnProgrammingError, "its transaction was ended by rewind");
}

void
pgconn_transaction_commit(VALUE connection, struct pgconn_hold *hold,
                          const struct pgconn_request *timed)
{
    struct pgconn_session *session = pgconn_connection_get_open(connection);
    struct pgconn_request request = own_request(timed);
    struct pgconn_flight *flight;
    VALUE result;

    if (hold->depth == 0) return; /* it wasn't opened */
    hold_check(hold);
    request.sql = rb_str_freeze(rb_utf8_str_new_cstr("COMMIT"));
    request.fault = pgconn_control_fault;
    do {
        flight = pgconn_control_flight(session, request.sql);
        pgconn_boundary_mark(flight, PGCONN_BOUNDARY_END, hold);
    } while (pgconn_answer_wait(session, flight, &request, &result) != PGCONN_ANSWER_RESULT);
    RB_GC_GUARD(connection);
}

void
pgconn_transaction_abandon(struct pgconn_session *session)
{
    struct pgconn_hold *hold = session->line.top;
    struct pgconn_flight *ending;

    if (!hold || !hold->in_place_of_autocommit) return;
    hold->dropped = hold->left = true;
    ending = hold_take_ending(hold);
    if (ending) flight_wait(session, ending);
}

void
Init_pgconn_transaction(void)
{
    rb_define_private_method(rb_cPgconnConnection, "run_transaction", connection_run_transaction,
                             5);
}
