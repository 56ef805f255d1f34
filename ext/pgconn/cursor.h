/*
 * Pgconn::Cursor: what it is (cursor.c), how it executes statements (cursor_execute.c), gives their
 * rows (cursor_rows.c), streams them (cursor_stream.c), what else it knows of them
 * (cursor_readers.c), how it uses a portal (cursor_portal.c) and reads what came from it in pages
 * (cursor_pages.c).
 */
#ifndef PGCONN_CURSOR_H
#define PGCONN_CURSOR_H

#include "begun.h"
#include "connection.h"
#include "rows.h"

/* What is known of a portal of the server's, as PostgreSQL calls an open cursor. */
struct pgconn_portal {
    struct pgconn_resource *resource;
    struct pgconn_begun ahead; /* the page that was requested before it was asked for */
    unsigned long moves;       /* of the resource's, those whose answers were taken note of */
    long floor;                /* what lies before this position was dropped */
    bool holds;                /* WITH HOLD */
    bool opened; /* by execute; or something was fetched from it, which a function has opened */
    bool known;  /* rows are counted from its first */
    bool at_end; /* its last row was fetched, or gone past */
};

struct pgconn_cursor {
    VALUE connection;
    VALUE result;   /* of the last execute, or nil */
    VALUE further;  /* Array of those of the statements behind it in one string, or of the pages
                        behind it; or nil */
    VALUE spare;    /* an empty one for the next, or nil */
    VALUE query;    /* the text as sent, or nil */
    VALUE pipeline; /* that the last execute was in, or nil */
    VALUE failure;  /* the exception that it came to there, or nil */
    long place;     /* in what the pipeline has gathered; -1: no more in it */
    struct pgconn_portal *portal; /* of a named cursor; or NULL */
    long before;                  /* rows of a portal that come before those of the result */
    long position;                /* of the next row, in the result */
    long array_size;              /* rows that fetch_many gives by default */
    long iter_size; /* rows that a named cursor asks for at a time when it is iterated */
    VALUE timeout;  /* nil, or seconds: the default of its executes */
    struct pgconn_row_shape shape;
    pgconn_caller enumerator; /* who has made the last Enumerator of a stream or COPY of it; or 0 */
    bool closed;
};

extern VALUE rb_cPgconnCursor;

/* Raises InterfaceError where initialize didn't run, and, the second one, for a closed cursor. */
struct pgconn_cursor *pgconn_cursor_get(VALUE self);
struct pgconn_cursor *pgconn_cursor_get_open(VALUE self);

/*
 * For what reads results: waits for that of a pipeline, and raises its error. Raises InterfaceError
 * for a closed cursor or connection.
 */
struct pgconn_cursor *pgconn_cursor_get_readable(VALUE self);

/* Waits for what was executed in a pipeline, if its answer wasn't taken yet; raises its error. */
void pgconn_cursor_await(VALUE self, const struct pgconn_cursor *cursor);

/* One that has no connection yet. */
VALUE pgconn_cursor_allocate(VALUE class);

/* Drops what the last execute gave. */
void pgconn_cursor_reset(VALUE self, struct pgconn_cursor *cursor);

/* Drops the result, and makes another one, or none (nil), the current one. */
void pgconn_cursor_set_result(VALUE self, struct pgconn_cursor *cursor, VALUE result);

/* The arguments of execute, sorted out. */
struct pgconn_execute_call {
    VALUE sql;       /* frozen String */
    VALUE arguments; /* nil, an Array or a Hash */
    VALUE timeout;
};

/*
 * Reads them; SQL that is composed is rendered for the connection. Raises ProgrammingError for nil
 * as SQL, TypeError and ArgumentError. (cursor_execute.c)
 */
struct pgconn_execute_call pgconn_execute_call_get(int argc, VALUE *argv, VALUE connection);

/* SQL as a frozen String. Raises ProgrammingError for nil, TypeError. (cursor_execute.c) */
VALUE pgconn_execute_sql_get(VALUE sql, VALUE connection);

/* Drops what the last execute gave, and says what is asked for now. (cursor_execute.c) */
struct pgconn_request pgconn_cursor_start(VALUE self, struct pgconn_cursor *cursor,
                                          const struct pgconn_execute_call *call);

/* The request of an execute whose result becomes that of the cursor. (cursor_execute.c) */
struct pgconn_request pgconn_cursor_request(VALUE self, struct pgconn_cursor *cursor,
                                            const struct pgconn_execute_call *call);

/*
 * Of a named cursor: where its portal stands, behind so many rows; and that all that was fetched
 * lies behind now, with the portal there. (cursor_pages.c)
 */
long pgconn_cursor_portal_position(const struct pgconn_cursor *cursor);
void pgconn_cursor_stand(VALUE self, struct pgconn_cursor *cursor, long position);

/*
 * Whether rows of the portal were skipped that nobody has seen: an interrupt has come between the
 * server and who asked for them. Waits for the end of what was interrupted. (cursor_portal.c)
 */
bool pgconn_cursor_portal_is_lost(const struct pgconn_cursor *cursor);

/* NULL: there is none. (cursor_portal.c) */
void pgconn_portal_free(struct pgconn_portal *portal);

/* Define the methods of the other files. */
void pgconn_cursor_execute_init(void);
void pgconn_cursor_execute_many_init(void);
void pgconn_cursor_pages_init(void);
void pgconn_cursor_portal_init(void);
void pgconn_cursor_readers_init(void);
void pgconn_cursor_rows_init(void);
void pgconn_cursor_stream_init(void);

#endif
