/*
 * Codecs: from an OID to functions that decode a column's bytes and encode a parameter. A codec
 * never sees a connection. Decoders raise DataError for malformed input and never read outside
 * of the given bytes; they never give nil.
 */
#ifndef PGCONN_CODEC_H
#define PGCONN_CODEC_H

#include "buffer.h"
#include "pgconn.h"

struct pgconn_codec;

/* The bytes of one value. encoding_index is the client encoding's. */
struct pgconn_input {
    const char *data; /* libpq ends text values with a NUL, but decoders rely on length alone */
    int length;
    int encoding_index;
};

/* Where the bytes of one parameter go. */
struct pgconn_output {
    struct pgconn_buffer *bytes; /* the caller looks whether writing has failed */
    int encoding_index;          /* the client encoding's */
    Oid type;                    /* 0: not fixed by the user */
    int number;                  /* 1 for $1, for messages */
};

typedef VALUE (*pgconn_decode_function)(const struct pgconn_codec *codec,
                                        struct pgconn_input input);
typedef void (*pgconn_encode_function)(const struct pgconn_codec *codec, VALUE value,
                                       struct pgconn_output *output);

struct pgconn_codec {
    Oid oid;
    const char *name; /* the type's name in PostgreSQL, for messages */
    pgconn_decode_function decode_text;
    pgconn_encode_function encode_binary; /* NULL: the value's text form is sent */
};

/* The codec of a type; for a type without one, the codec that gives Strings. Never NULL. */
const struct pgconn_codec *pgconn_codec_find(Oid oid);

/* Raises the DataError for bytes that aren't the text form of the codec's type, and shows them. */
RBIMPL_ATTR_NORETURN()
void pgconn_codec_raise_malformed(const struct pgconn_codec *codec, struct pgconn_input input);

/* The bytes as a printable, shortened text in quotes, for messages. */
VALUE pgconn_codec_sight(struct pgconn_input input);

/* The tables of the families, one file each (codec_*.c), ended by a zero OID. */
extern const struct pgconn_codec pgconn_codec_numbers[];   /* bool, integers, floats, numeric */
extern const struct pgconn_codec pgconn_codec_texts[];     /* text family, bytea, uuid */
extern const struct pgconn_codec pgconn_codec_datetimes[]; /* date, timestamp, timestamptz */

/* Of every type that has no codec of its own. */
extern const struct pgconn_codec pgconn_codec_unknown;

/* Called by Init_pgconn_codec: the families look up the Ruby classes and methods they need. */
void pgconn_codec_numbers_init(void);
void pgconn_codec_datetimes_init(void);

#endif
