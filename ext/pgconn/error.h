/*
 * The only place that raises pgconn's own errors. The classes are defined in Ruby
 * (lib/pgconn/error.rb, lib/pgconn/errors.rb) and looked up when the extension loads.
 */
#ifndef PGCONN_ERROR_H
#define PGCONN_ERROR_H

#include "fields.h"

extern VALUE rb_ePgconnInterfaceError, rb_ePgconnDataError, rb_ePgconnOperationalError;
extern VALUE rb_ePgconnProgrammingError, rb_ePgconnInternalError;
extern VALUE rb_ePgconnPipelineAborted;
extern VALUE rb_ePgconnQueryCanceledError, rb_ePgconnInFailedSqlTransaction;

/* Where an error result came from. Everything but result may be left out (Qnil, NULL, 0). */
struct pgconn_error_source {
    const PGresult *result;
    const struct pgconn_fields *said; /* instead of a result: what was kept of a message */
    int encoding_index;               /* of the texts in it */
    VALUE query;                      /* the user's own text, or Qnil */
    VALUE cursor;                     /* the Cursor, or Qnil */
    long position;       /* 1-based, in characters of the user's text; 0: as in result; -1: none */
    const char *outcome; /* "not_sent", "canceled", "unknown" or NULL */
    const char *remark;  /* what the driver adds to the message, or NULL */
    bool retryable;      /* whatever the SQLSTATE says of that */
    bool connection_ended; /* the session ended with this error: at least ConnectionLost */
};

/* Raises an exception of klass with a formatted UTF-8 message. */
RBIMPL_ATTR_NORETURN()
void pgconn_error_raise(VALUE klass, const char *format, ...)
    RBIMPL_ATTR_FORMAT(RBIMPL_PRINTF_FORMAT, 2, 3);

/*
 * The exception itself, with the source's query, cursor and outcome; result is not looked at.
 */
VALUE pgconn_error_new_about(const struct pgconn_error_source *source, VALUE klass,
                             const char *format, ...)
    RBIMPL_ATTR_FORMAT(RBIMPL_PRINTF_FORMAT, 3, 4);

/*
 * The exception for an error result, its class chosen by SQLSTATE. The result stays the caller's.
 */
VALUE pgconn_error_from_result(const struct pgconn_error_source *source);

/*
 * The exception for a lost connection: class ConnectionLost with libpq's own text (PQerrorMessage,
 * transcoded and stripped), after the server's last words if there are any.
 * libpq_text may be NULL.
 */
VALUE pgconn_error_lost(const char *libpq_text, const struct pgconn_error_source *last_words);

/*
 * Gives a new error its cause: this one, or what is being handled, if that has it among its own
 * causes. Gives the error.
 */
VALUE pgconn_error_with_cause(VALUE error, VALUE cause);

#endif
