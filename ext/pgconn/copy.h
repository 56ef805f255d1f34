/*
 * Pgconn::Copy: one COPY between its caller and a transfer (copy.c), of what rows it is
 * (copy_describe.c), what it sends (copy_in.c) and what it receives (copy_out.c); how rows become
 * bytes (copy_encode.c), and the way back (copy_decode.c).
 */
#ifndef PGCONN_COPY_H
#define PGCONN_COPY_H

#include "cursor.h"

/* How rows are written and read. */
enum pgconn_copy_format {
    PGCONN_COPY_BINARY,
    PGCONN_COPY_TEXT,
    PGCONN_COPY_CSV, /* written only */
};

/* What rows of a COPY are made of, or become. */
struct pgconn_copy_rows {
    const struct pgconn_plan *plan;
    enum pgconn_copy_format format;
    int encoding_index;
    bool any;                     /* there are types that take values without a text form */
    struct pgconn_buffer scratch; /* of one value */
};

/* Whether all columns can be written, or read, in binary. (copy_encode.c, copy_decode.c) */
bool pgconn_copy_encode_is_binary(const struct pgconn_plan *plan);
bool pgconn_copy_decode_is_binary(const struct pgconn_plan *plan, int encoding_index);

/* What stands ahead of all rows, and behind them. (copy_encode.c) */
void pgconn_copy_encode_start(const struct pgconn_copy_rows *rows, struct pgconn_buffer *bytes);
void pgconn_copy_encode_end(const struct pgconn_copy_rows *rows, struct pgconn_buffer *bytes);

/*
 * Appends a row, an Array of as many values as there are columns. -1, or the column whose value has
 * no binary form while its type has; the row is there in part then. *column is the one at work, for
 * messages. Raises what encoders and the values' own methods raise. (copy_encode.c)
 */
int pgconn_copy_encode_row(struct pgconn_copy_rows *rows, VALUE row, struct pgconn_buffer *bytes,
                           int *column);

enum pgconn_copy_piece {
    PGCONN_COPY_ROW,     /* its values are there */
    PGCONN_COPY_PARTIAL, /* more has to come */
    PGCONN_COPY_END,     /* there are no more rows */
};

/* Reads what stands ahead of the rows; false where not all of it has come. (copy_decode.c) */
bool pgconn_copy_decode_start(const struct pgconn_copy_rows *rows, struct pgconn_reader *reader);

/*
 * Reads a row's values; the reader stays where it is unless all of it has come. Raises DataError
 * for what isn't a row of such columns, and what decoders raise. (copy_decode.c)
 */
enum pgconn_copy_piece pgconn_copy_decode_row(struct pgconn_copy_rows *rows,
                                              struct pgconn_reader *reader, VALUE *values);

/* The data of a Pgconn::Copy. */
struct pgconn_copy {
    VALUE connection, cursor;
    VALUE text;          /* what errors tell of it: the user's own text; nil: sql */
    VALUE sql, text_sql; /* where values have no binary form; or nil */
    VALUE plan;          /* of its columns; nil: it moves bytes only */
    VALUE progress;      /* a callable, or nil */
    VALUE result;        /* nil until it has ended */
    struct pgconn_request request;
    struct pgconn_flight *flight;     /* while it waits for us; or NULL */
    struct pgconn_transfer *transfer; /* of the last flight; or NULL */
    struct pgconn_buffer bytes;       /* gathered to be sent, or received and still to be read */
    size_t read;                      /* how many of them were */
    struct pgconn_copy_rows rows;
    long long row_count, byte_count;
    pgconn_time resumed; /* when it was gone on with, roughly */
    bool started;
    bool busy; /* user code is called for a row */
};

struct pgconn_copy *pgconn_copy_get(VALUE self);

/*
 * For what the user's code does with it: raises ProgrammingError in the middle of a row, and once
 * it has ended.
 */
struct pgconn_copy *pgconn_copy_get_open(VALUE self);

/*
 * Has the request be for that statement: errors tell of the text, and of a place in it where it is
 * a part of the statement.
 */
void pgconn_copy_ask(struct pgconn_copy *copy, VALUE sql);

/* Begins the statement. Raises as pgconn_answer_wait does, and where it isn't one COPY. */
void pgconn_copy_start(struct pgconn_copy *copy);

/*
 * Raises QueryCanceledError once the deadline has passed: what isn't ended yet is aborted then,
 * also where it is the user's code that took the time.
 */
void pgconn_copy_check_time(const struct pgconn_copy *copy);

/*
 * Goes on, and comes back when it waits for us again, or has ended: flight is NULL then. Raises,
 * also as pgconn_copy_check_time.
 */
void pgconn_copy_resume(struct pgconn_copy *copy);

/* The buffers change places: what was gathered here is the transfer's, and the other way round. */
void pgconn_copy_swap(struct pgconn_copy *copy);

/* Raises NoMemoryError or, for what is too large, DataError if a write has failed. */
void pgconn_copy_check_memory(const struct pgconn_buffer *bytes);

/* The encoding of the data itself. */
int pgconn_copy_encoding_index(const struct pgconn_copy *copy);

/* Tells the user's callable, which may raise. */
void pgconn_copy_tell_progress(const struct pgconn_copy *copy);

/* Define the methods of the other files. */
void pgconn_copy_describe_init(VALUE class);
void pgconn_copy_in_init(VALUE class);
void pgconn_copy_out_init(VALUE class);

#endif
