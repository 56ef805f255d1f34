#include "block.h"
#include "boundary.h"
#include "connection_transactions.h"

/* One run of a `transaction { }`; on its caller's stack. */
struct transaction {
    VALUE self;
    struct pgconn_hold *hold; /* the line's, too, while it is open */
    VALUE anchor;             /* holds it, and is collected with the caller's Fiber */
    bool alone;               /* it can't be part of another transaction */
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
    transaction->anchor = TypedData_Wrap_Struct(0, &anchor_type, NULL);
    transaction->hold = pgconn_hold_new();
    if (!transaction->hold) rb_memerror();
    RTYPEDDATA_DATA(transaction->anchor) = transaction->hold;
}

static void
transaction_finish(struct transaction *transaction)
{
    RTYPEDDATA_DATA(transaction->anchor) = NULL;
    pgconn_hold_release(transaction->hold);
}

static VALUE
transaction_body(VALUE arg)
{
    struct transaction *transaction = (struct transaction *)arg;

    pgconn_connection_open(transaction->self, transaction->hold);
    if (transaction->alone && !transaction->hold->outermost) {
        pgconn_error_raise(rb_ePgconnProgrammingError,
                           "isolation:, read_only:, deferrable: and retries: are for a transaction "
                           "of its own, but one is open already");
    }
    return rb_yield(transaction->self);
}

static void
transaction_drop_gathered(const struct transaction *transaction)
{
    const struct pgconn_session *session = &pgconn_connection_get(transaction->self)->session;
    struct pgconn_gathered *gathered = pgconn_session_gathered(session);

    if (gathered) gathered->drop(gathered);
}

/* A subclass's own commit and rollback are called for a whole transaction. */
static VALUE
transaction_settle(VALUE arg)
{
    struct transaction *transaction = (struct transaction *)arg;
    bool outermost = transaction->hold->outermost;

    if (transaction->left != PGCONN_LEFT_WELL) {
        transaction_drop_gathered(transaction); /* not for a rollback of the subclass's to send */
        if (outermost) pgconn_block_roll_back(transaction->self);
    }
    else if (outermost) rb_funcall(transaction->self, rb_intern("commit"), 0);
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

/*
 * Whether there is time to wait for the ROLLBACK. Not for a caller that was interrupted: by a kill,
 * or in a statement, whose cancelling would have to be waited for, too.
 */
static bool
transaction_may_wait(const struct transaction *transaction, const struct pgconn_session *session)
{
    if (session_has_given_up(session)) return false;
    if (transaction->settled) return transaction->left != PGCONN_LEFT_BY_KILL;
    return RTEST(rb_obj_is_kind_of(rb_errinfo(), rb_eStandardError));
}

static void
flight_wait(struct pgconn_session *session, struct pgconn_flight *flight)
{
    pgconn_time deadline = pgconn_wait_after(session->cancel_timeout);

    if (pgconn_run_gives_back(pgconn_driver_run(session, flight, deadline))) {
        pgconn_flight_free(flight);
    }
}

/* Undoes what wasn't committed, and lets go of the line. */
static void
transaction_undo(const struct transaction *transaction)
{
    struct pgconn_session *session = &pgconn_connection_get(transaction->self)->session;
    struct pgconn_hold *hold = transaction->hold;
    struct pgconn_flight *ending = hold->ending;

    transaction_drop_gathered(transaction);
    /* The server has rolled back, and the session keeps the hold for its own end. */
    if (session->life != PGCONN_SESSION_OPEN || pgconn_session_inherited(session)) return;
    hold->ending = NULL;
    pgconn_boundary_mark(ending, PGCONN_BOUNDARY_LEAVE, hold);
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

/*
 * Yields self in a transaction, or in a savepoint of the one that is open; gives the block's value.
 * alone: not in a savepoint.
 */
static VALUE
connection_run_transaction(VALUE self, VALUE isolation, VALUE read_only, VALUE deferrable,
                           VALUE alone, VALUE shared)
{
    struct transaction transaction = {.self = self, .alone = RTEST(alone)};
    struct pgconn_modes modes = pgconn_connection_modes(isolation, read_only, deferrable);
    VALUE value;

    transaction_start(&transaction);
    transaction.hold->caller = pgconn_caller_current();
    transaction.hold->shared = RTEST(shared);
    transaction.hold->modes = modes;
    if (pgconn_modes_given(modes)) transaction.alone = true;
    value = pgconn_block_run(transaction_body, transaction_leave, (VALUE)&transaction);
    RB_GC_GUARD(transaction.anchor);
    return value;
}

void
Init_pgconn_transaction(void)
{
    rb_define_private_method(rb_cPgconnConnection, "run_transaction", connection_run_transaction,
                             5);
}
