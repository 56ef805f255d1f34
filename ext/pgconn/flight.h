/*
 * A flight is a run of messages to the server, ended by one Sync, with all that has to be known of
 * it from when it is made until its caller has the answer.
 */
#ifndef PGCONN_FLIGHT_H
#define PGCONN_FLIGHT_H

#include "caller.h"
#include "failure.h"
#include "message.h"
#include "modes.h"
#include "resource.h"
#include "sql_statements.h"
#include "transfer.h"

enum pgconn_flight_state {
    PGCONN_FLIGHT_QUEUED,    /* may leave the queue as if it had never been there */
    PGCONN_FLIGHT_UNDER_WAY, /* admitted: who drives sends it, and its answer must be read */
    PGCONN_FLIGHT_ANSWERED,  /* complete, and out of the queue */
    PGCONN_FLIGHT_LOST,      /* the connection ended before that */
    PGCONN_FLIGHT_WITHDRAWN, /* taken out of the queue before it was sent */
};

/* The session's settings that the bytes of a statement, and of its answer, rest on. */
struct pgconn_text_settings {
    int encoding_index;
    bool standard_strings; /* a backslash is an ordinary character in '...' */
};

static inline bool
pgconn_text_settings_equal(struct pgconn_text_settings one, struct pgconn_text_settings other)
{
    return one.encoding_index == other.encoding_index &&
           one.standard_strings == other.standard_strings;
}

/* What the driver sends for itself, without a caller. */
enum pgconn_errand {
    PGCONN_ERRAND_NONE,
    PGCONN_ERRAND_SETTINGS, /* SETs what the driver wants of the session */
    PGCONN_ERRAND_ROLLBACK, /* ends a transaction in which nothing was done */
    PGCONN_ERRAND_CLOSE,    /* DEALLOCATEs statements that the cache has dropped */
    PGCONN_ERRAND_RESOURCE, /* CLOSEs a cursor that couldn't be closed in a failed transaction */
};

/* Whether a flight begins the transaction, if none is open, and the blocks that it is in. */
enum pgconn_begins {
    PGCONN_BEGINS_NEVER,
    PGCONN_BEGINS_IN_BLOCK, /* the user's own BEGIN, COMMIT and the like */
    PGCONN_BEGINS_AS_PART,  /* in a block or a two-phase transaction: LISTEN, NOTIFY */
    PGCONN_BEGINS,          /* in a block, and else unless each statement commits by itself */
};

/* What a flight means for transactions and blocks. All but NONE are barriers. */
enum pgconn_boundary {
    PGCONN_BOUNDARY_NONE,
    PGCONN_BOUNDARY_END,     /* COMMIT or ROLLBACK: not sent if no transaction is open */
    PGCONN_BOUNDARY_MODES,   /* changes the session's modes; nothing is sent */
    PGCONN_BOUNDARY_OPEN,    /* opens a block; nothing is sent */
    PGCONN_BOUNDARY_RELEASE, /* keeps what was done in a block within a transaction */
    PGCONN_BOUNDARY_LEAVE,   /* undoes what wasn't kept of a block, and ends it; is never lost */
    PGCONN_BOUNDARY_OUTSIDE, /* what can't be in a block at all: reset, PREPARE TRANSACTION... */
};

struct pgconn_flight {
    struct pgconn_flight *next;
    struct pgconn_command *commands; /* none: the Sync alone */
    struct pgconn_command *tail;     /* the last of them, until it is answered */
    struct pgconn_command *leaving;  /* the one that goes to libpq next, once it has begun to */
    struct pgconn_command *answering;
    struct pgconn_transfer *transfer; /* the COPY that it is, or the stream; or NULL */
    enum pgconn_flight_state state;
    enum pgconn_errand errand;
    enum pgconn_begins begins;
    enum pgconn_boundary boundary;
    struct pgconn_hold *hold;             /* the block that it opens or ends; or NULL */
    struct pgconn_modes_change *change;   /* of MODES; its caller's */
    pgconn_caller caller;                 /* 0: nobody held the line when it was queued */
    struct pgconn_text_settings settings; /* of its statements, then of its answer */
    int sent_encoding_index;              /* of its statements */
    int client_encoding;                  /* libpq's number, as of its answer */
    size_t size;                          /* of its statements and parameters, in bytes */
    bool sent;       /* libpq has its bytes; also once lost: the server may have run it */
    bool complete;   /* its ReadyForQuery has been read: the step says so, state follows */
    bool abandoned;  /* its caller has gone: the answer is read and dropped */
    bool begun;      /* it was queued by pgconn_driver_begin: who runs it waits for it only */
    bool runs_on;    /* is never cancelled when abandoned: it takes the time that it takes */
    bool timeless;   /* its text means the same by all settings: it is never outdated */
    bool barrier;    /* may change the session's state: alone on the wire */
    bool simple;     /* goes as one simple query, its last command being STATEMENTS; a barrier */
    bool began;      /* it begins a transaction: BEGIN is its first command */
    bool opens;      /* it begins blocks within: SAVEPOINTs follow */
    bool ends;       /* the user's own COMMIT, ROLLBACK or the like */
    bool undoes;     /* ROLLBACK: for what its caller did before, whether it failed or not */
    bool may_end;    /* such a statement may be among several */
    bool joins;      /* the driver's own question: in whatever transaction is open, or in none */
    bool resets;     /* the session: ROLLBACK goes first if a transaction is open */
    bool forgets;    /* may drop the session's prepared statements: DISCARD, DEALLOCATE */
    bool refused;    /* as stale, or struck, and its caller can send it again: nothing is lost */
    bool expired;    /* its deadline has passed, and the server was asked to cancel it */
    bool canceled;   /* by its cursor */
    bool unwanted;   /* the server is to be asked to cancel it, when its answer is the next */
    bool asked;      /* the server was, or is being */
    bool exposed;    /* was on its way while the server was asked to cancel one ahead of it */
    bool struck;     /* by that request */
    bool repeatable; /* can be sent again then: nothing of it is left */
    unsigned long two_phase; /* the stage that it is to end, see two_phase.h; 0: none */
    const char *outside;     /* not for inside of transactions: what is said there; or NULL */
    const char *inside;      /* not for outside of transactions: what is said there; or NULL */
    struct pgconn_resource *resource; /* that it makes or uses, retained; or NULL */
    bool makes;                       /* it makes it */
    bool asks;                        /* whether it is there: there is a row if so */
    struct pgconn_failure *failure; /* of the transaction that it met or ended, retained; or NULL */
    bool fails;                     /* its own error is that */
    const char *forbidden;          /* why the session's state forbade it to be sent; or NULL */
    struct pgconn_sleeper *sleeper; /* its caller's; NULL once that has gone */
    struct pgconn_flight **keeper;  /* its owner's link to it, see below; or NULL */
    struct pgconn_command only;     /* what most flights have as their only command */
};

/* NULL when out of memory. */
struct pgconn_flight *pgconn_flight_new(void);
void pgconn_flight_free(struct pgconn_flight *flight);

/*
 * Links it with its owner, who has it in *keeper until it is freed, or unlinked because it is
 * another's from then on, or the owner goes. Both are fine where there is nothing to cut.
 */
void pgconn_flight_link(struct pgconn_flight *flight, struct pgconn_flight **keeper);
void pgconn_flight_unlink(struct pgconn_flight *flight);

/*
 * As if it had never been sent, which is possible again: for one that is complete, and whose
 * commands have no parameters.
 */
void pgconn_flight_rewind(struct pgconn_flight *flight);

/* Of its statements and their parameters, in bytes, as long as it wasn't sent. */
size_t pgconn_flight_size(const struct pgconn_flight *flight);

/*
 * Adds a command behind the others, or ahead of them, copying the SQL (which may be NULL); NULL
 * when out of memory.
 */
struct pgconn_command *pgconn_flight_append(struct pgconn_flight *flight,
                                            enum pgconn_command_kind kind, const char *sql);
struct pgconn_command *pgconn_flight_prepend(struct pgconn_flight *flight,
                                             enum pgconn_command_kind kind, const char *sql);

/*
 * The first answer that is an error (or a COPY's, which nobody can use), else the answer of the
 * last statement; NULL: there is none.
 */
PGresult *pgconn_flight_result(const struct pgconn_flight *flight);

/* The command that was answered with an error; NULL: there is none. */
struct pgconn_command *pgconn_flight_failed(const struct pgconn_flight *flight);

/* Whether nothing of it is wanted any more, and it holds up who waits behind it. */
static inline bool
pgconn_flight_is_given_up(const struct pgconn_flight *flight)
{
    return flight->abandoned && !flight->runs_on;
}

/* Whether a result is the beginning of a COPY. */
bool pgconn_flight_starts_copy(const PGresult *result);

/* The tag of that answer, "COMMIT" for one; empty where it is an error or there is none. */
const char *pgconn_flight_tag(const struct pgconn_flight *flight);

/* Whether one of its statements has this tag. */
bool pgconn_flight_has_tag(const struct pgconn_flight *flight, const char *tag);

/*
 * The command whose result the caller has asked for: the last; in a simple query the first of the
 * user's statements, with those of the further ones behind it. NULL: there is none.
 */
struct pgconn_command *pgconn_flight_asked(const struct pgconn_flight *flight);

#endif
