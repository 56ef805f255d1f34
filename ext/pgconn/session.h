/*
 * The state of one session with a server: its transaction, its encoding, its end. It decides what
 * goes with a flight (BEGIN, the settings that results rely on) at the moment it may be sent,
 * because only then the state is known. All of it runs with the GVL held.
 */
#ifndef PGCONN_SESSION_H
#define PGCONN_SESSION_H

#include "busy_poll.h"
#include "cancel.h"
#include "connecting.h"
#include "inbox.h"
#include "line.h"
#include "names.h"
#include "queue.h"
#include "reported.h"
#include "tracer.h"
#include "two_phase.h"
#include "wakeup.h"

enum pgconn_session_life {
    PGCONN_SESSION_NEW, /* its initialize wasn't called */
    PGCONN_SESSION_CONNECTING,
    PGCONN_SESSION_OPEN,
    PGCONN_SESSION_BROKEN, /* the connection was lost */
    PGCONN_SESSION_CLOSED,
};

/* A caller that waits for what the server says unasked; on that caller's stack. */
struct pgconn_waiter {
    struct pgconn_waiter *next;
    struct pgconn_wakeup *doorbell; /* NULL: it doesn't sleep */
};

/* What a caller has gathered in a pipeline { }: it goes ahead of that caller's next flight. */
struct pgconn_gathered {
    struct pgconn_gathered *outer; /* the pipeline that was opened before, whoever's it is */
    VALUE object;                  /* that it is part of: marked by the connection */
    VALUE fiber; /* the object id of that which opened it: only what it executes is gathered */
    pgconn_caller caller;
    bool busy; /* it is being sent, or added to: what its caller executes then goes by itself */
    void (*send)(struct pgconn_gathered *);         /* and waits; raises the first error */
    void (*send_to_undo)(struct pgconn_gathered *); /* the error is raised later, see flight.h */
    void (*drop)(struct pgconn_gathered *);         /* it is never sent; raises nothing */
};

struct pgconn_session {
    PGconn *pg;
    enum pgconn_session_life life;
    struct pgconn_queue queue;
    struct pgconn_connecting *connecting; /* to one address; or NULL */
    struct pgconn_cancel cancel;
    struct pgconn_messages messages;
    struct pgconn_inbox inbox;
    struct pgconn_tracer tracer;          /* looked after by the connection */
    struct pgconn_run *driver;            /* the caller that drives the queue */
    struct pgconn_wakeup **doorbell;      /* what ends its wait for the socket, if there is one */
    struct pgconn_waiter *waiters;        /* but these, only it is in libpq without the GVL */
    PGTransactionStatusType transaction;  /* of the last ReadyForQuery, also once it has ended */
    struct pgconn_text_settings settings; /* as of the last answer */
    int client_encoding;                  /* libpq's number, as of the last answer */
    bool async; /* callers don't wait: all that does is an operation, which is polled */
    bool autocommit;
    bool autocommit_by_default; /* what connect was told */
    struct pgconn_two_phase two_phase;
    struct pgconn_modes modes; /* of the transactions that it begins */
    struct pgconn_line line;
    struct pgconn_failures failures; /* marked by the connection */
    struct pgconn_names names;
    struct pgconn_resources resources; /* what the server keeps for callers */
    struct pgconn_reported reported;   /* once it is closed */
    bool styles_unset;                 /* DateStyle or IntervalStyle must still be SET */
    struct pgconn_modes defaults; /* what default_transaction_* was SET to; KEEP: isn't known */
    struct pgconn_busy_poll busy_poll;
    double cancel_timeout;
    double statement_timeout; /* of what the driver executes to control the session; 0: none */
    struct pgconn_gathered *gathered; /* the newest pipeline { }; or NULL */
    unsigned long barriers;           /* that have had their turn so far */
    pgconn_time patience;             /* how much longer what holds everybody up is waited for */
    char *loss;                       /* how the connection was lost; NULL: out of memory */
};

void pgconn_session_init(struct pgconn_session *session);

/* For the garbage collector: sends what PQfinish sends, nothing in a forked child. */
void pgconn_session_destroy(struct pgconn_session *session);

/*
 * Takes over a PGconn that has just connected. nil, or why it can't be used, a String; the session
 * is then as it was and the PGconn the caller's.
 */
VALUE pgconn_session_open(struct pgconn_session *session, PGconn *pg);

/* The connection that it belongs to. */
VALUE pgconn_session_connection(const struct pgconn_session *session);

/*
 * Takes over from libpq what may have changed with an answer; in it the client encoding was this.
 * What is said of the transaction means the last that was sent, so it counts only if no other
 * answer is awaited.
 */
void pgconn_session_follow(struct pgconn_session *session, int client_encoding, bool last);

/* Whether values would come in a style that the codecs don't read. */
bool pgconn_session_styles_differ(PGconn *pg);

/* Whether a transaction is open, be it a two-phase one in which nothing was executed so far. */
bool pgconn_session_is_in_transaction(const struct pgconn_session *session);

/* Whether something is under way that may begin or end a transaction. */
bool pgconn_session_is_changing(const struct pgconn_session *session);

/* Whether this process is a fork of the one that connected. */
bool pgconn_session_inherited(const struct pgconn_session *session);

/*
 * The newest of this caller's pipelines; NULL: it has none. Fine, and free, where nobody has one.
 * (session_flights.c)
 */
struct pgconn_gathered *pgconn_session_gathered(const struct pgconn_session *session);

/*
 * A flight whose bytes are made with the session's settings; the caller adds its commands. Raises
 * NoMemoryError. (session_flights.c)
 */
struct pgconn_flight *pgconn_session_flight(const struct pgconn_session *session);

/* Whether a statement with that first keyword is a barrier. (session_flights.c) */
bool pgconn_session_goes_alone(enum pgconn_keyword keyword);

/*
 * Marks what the first keyword of a caller's statement says: whether it begins, whether it is a
 * barrier. (session_flights.c)
 */
void pgconn_session_classify(struct pgconn_flight *flight, enum pgconn_keyword keyword);

/*
 * Admits what may be sent now, with BEGIN and settings where needed; before that, takes over what
 * was answered. Raises NoMemoryError only. (session_flights.c)
 */
void pgconn_session_launch(struct pgconn_session *session);

/*
 * Takes what was answered out of the queue, wakes its callers, follows the state. Nothing that was
 * answered is left where nobody drives. (session_flights.c)
 */
void pgconn_session_land(struct pgconn_session *session);

/*
 * The connection is lost, and every flight with it; where somebody is in libpq, when that one
 * leaves it. text is copied; NULL: what libpq says.
 */
void pgconn_session_lose(struct pgconn_session *session, const char *text);

/* Ends the session: at once, or where somebody is in libpq, when that one leaves it. */
void pgconn_session_close(struct pgconn_session *session);

/* Whether the flight waits for the end of another caller's block. (session_flights.c) */
bool pgconn_session_bars(const struct pgconn_session *session, const struct pgconn_flight *flight);

/*
 * Whether anybody is needed who drives: something is under way, or isn't barred. Not while a
 * transfer waits for its caller. (session_flights.c)
 */
bool pgconn_session_has_work(const struct pgconn_session *session);

/* The driver, or a waiter, has left libpq: does what was put off for it. */
void pgconn_session_leave(struct pgconn_session *session);

/* Makes whoever drives or waits see the end of the connection. */
void pgconn_session_hang_up(struct pgconn_session *session);

/*
 * Reads what the server says while nothing is under way, or a COPY IN waits for its caller, unless
 * somebody drives. The session may be lost then.
 */
void pgconn_session_listen(struct pgconn_session *session);

/* Makes who drives look at how things stand. */
void pgconn_session_ring_driver(const struct pgconn_session *session);

/* Lets those who wait for messages look whether there is one. */
void pgconn_session_ring(const struct pgconn_session *session);

/* A parameter as the server has last reported it, copied to a String, or nil. */
VALUE pgconn_session_parameter(struct pgconn_session *session, const char *name);

/* Between these two, libpq may be asked while somebody drives. */
void pgconn_session_lock(struct pgconn_session *session);
void pgconn_session_unlock(struct pgconn_session *session);

/*
 * What a flight at the head that was given up still sends, and a cancel request whose end is waited
 * for, hold up everybody.
 */
bool pgconn_session_is_held_up(struct pgconn_session *session);

/* Whether nothing can be done before a cancel request has ended. */
bool pgconn_session_must_rest(struct pgconn_session *session);

#endif
