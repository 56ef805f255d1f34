/*
 * Codecs: from an OID to functions that decode a column's bytes and encode a parameter. A codec
 * never sees a connection. Decoders raise DataError for malformed input and never read outside
 * of the given bytes; but for JSON's null they never give nil (SQL NULL has no bytes, and
 * containers know it).
 */
#ifndef PGCONN_CODEC_H
#define PGCONN_CODEC_H

#include "buffer.h"
#include "pgconn.h"

struct pgconn_codec;

/* Of what types without a codec of their own are much like. */
#define PGCONN_TEXT_OID 25

/* The bytes of one value. encoding_index is the client encoding's. */
struct pgconn_input {
    const char *data; /* libpq ends text values with a NUL, but decoders rely on length alone */
    int length;
    int encoding_index;
};

/* Reads the bytes from their beginning. */
static inline struct pgconn_reader
pgconn_input_reader(struct pgconn_input input)
{
    struct pgconn_reader reader = {input.data, input.data + input.length};

    return reader;
}

/*
 * Takes the bytes of an element of a container, which stand behind their length. NULL, the length
 * -1, has no data. False where they don't fit into what is left.
 */
static inline bool
pgconn_input_take(struct pgconn_input *element, struct pgconn_reader *reader)
{
    int32_t length;

    element->data = NULL;
    if (!pgconn_reader_take_int32(reader, &length)) return false;
    element->length = length;
    if (length == -1) return true;
    if (length < 0 || (size_t)length > pgconn_reader_left(reader)) return false;
    element->data = reader->at;
    reader->at += length;
    return true;
}

/* Where the bytes of one parameter go. */
struct pgconn_output {
    struct pgconn_buffer *bytes; /* the caller looks whether writing has failed */
    int encoding_index;          /* the client encoding's */
    Oid type;                    /* 0: not known */
    int number;                  /* 1 for $1, for messages */
};

static inline bool
pgconn_input_is(struct pgconn_input input, const char *text)
{
    return (size_t)input.length == strlen(text) && memcmp(input.data, text, strlen(text)) == 0;
}

typedef VALUE (*pgconn_decode_function)(const struct pgconn_codec *codec,
                                        struct pgconn_input input);

/*
 * Appends a value, which isn't nil, a Typed or something with to_pg: those are resolved before.
 * False where this isn't the function for values of its class: the caller then takes back what was
 * appended and goes on to the next way. Raises DataError for a value that the type can't hold.
 */
typedef bool (*pgconn_encode_function)(const struct pgconn_codec *codec, VALUE value,
                                       struct pgconn_output *output);

/* Gives another value for one that isn't nil; that is encoded in its place. May raise anything. */
typedef VALUE (*pgconn_convert_function)(const struct pgconn_codec *codec, VALUE value);

/*
 * What can be sent is tried in this order: encode_binary, encode_text, the text form that values of
 * the class have for every type (text_form.h).
 */
struct pgconn_codec {
    Oid oid;
    const char *name; /* the type's name in PostgreSQL, for messages */
    pgconn_decode_function decode_text;
    /* NULL: text is asked for, since what comes in binary can't be made the same value. */
    pgconn_decode_function decode_binary;
    pgconn_encode_function encode_binary;
    pgconn_encode_function encode_text; /* for values whose text form depends on the type */
    const struct pgconn_codec *element; /* of containers: the codec of what is in them */
    bool takes_arrays;                  /* a Ruby Array is one value of the type, as for json */
    bool takes_any;                     /* values of every class, also those without a text form */
    pgconn_convert_function convert;    /* runs ahead of the encoders; NULL: nothing does */
    /* NULL, or what besides decode_binary it takes for results to be asked for in binary. */
    bool (*reads_binary)(const struct pgconn_codec *codec, int encoding_index);
    /* Of such a type: how many dimensions an Array has that is an array of it; NULL: one. */
    int (*dimensions)(const struct pgconn_codec *codec, VALUE array);
    char delimiter; /* between elements in an array's text: ',' or, for box, ';' */
};

/*
 * The codec of a built-in type; for a type without one, the codec that gives Strings. Never NULL.
 */
const struct pgconn_codec *pgconn_codec_find(Oid oid);

/* Makes a codec known that lives as long as the process; while the extension loads only. */
void pgconn_codec_add(const struct pgconn_codec *codec);

/*
 * Whether values in binary can be read in a client encoding, by the codec and those of what is in
 * it.
 */
bool pgconn_codec_reads_binary(const struct pgconn_codec *codec, int encoding_index);

/* What stands for an Array, Set or Range where the type isn't known: {..}, and [..) or the like. */
void pgconn_codec_array_write(VALUE value, struct pgconn_output *output);
void pgconn_codec_range_write(VALUE value, struct pgconn_output *output);

/* Calls visit with the codec of each built-in type that has one, in no particular order. */
void pgconn_codec_each(void (*visit)(const struct pgconn_codec *codec, void *argument),
                       void *argument);

/* Raises the DataError for bytes that aren't the form of the codec's type, and shows them. */
RBIMPL_ATTR_NORETURN()
void pgconn_codec_raise_malformed(const struct pgconn_codec *codec, struct pgconn_input input);

/* Raises the DataError for a value that the type can't hold. */
RBIMPL_ATTR_NORETURN()
void pgconn_codec_raise_range(const struct pgconn_codec *codec, const struct pgconn_output *output);

/*
 * Decodes a String of bytes without a server; format is :text, :binary or Qundef. They are copied
 * to memory of their own that ends with them, so that valgrind sees who reads on. Raises DataError,
 * and ArgumentError for a format that the codec doesn't read.
 */
VALUE pgconn_codec_decode(const struct pgconn_codec *codec, VALUE bytes, VALUE format);

/* The bytes as a printable, shortened text in quotes, for messages. */
VALUE pgconn_codec_sight(struct pgconn_input input);

/* The tables of the families, one file each (codec_*.c), ended by a zero OID. */
extern const struct pgconn_codec pgconn_codec_numbers[];   /* bool, integers, oid */
extern const struct pgconn_codec pgconn_codec_floats[];    /* float4, float8 */
extern const struct pgconn_codec pgconn_codec_numeric[];   /* numeric */
extern const struct pgconn_codec pgconn_codec_texts[];     /* text family, bytea */
extern const struct pgconn_codec pgconn_codec_uuid[];      /* uuid */
extern const struct pgconn_codec pgconn_codec_datetimes[]; /* date, timestamp, timestamptz */
extern const struct pgconn_codec pgconn_codec_times[];     /* time, timetz, interval */
extern const struct pgconn_codec pgconn_codec_json[];      /* json, jsonb */
extern const struct pgconn_codec pgconn_codec_network[];   /* inet, cidr, macaddr, macaddr8 */

/* Of values in binary of types that aren't read so; raises DataError for each. */
extern const struct pgconn_codec pgconn_codec_unreadable;

/* Of every type that has no codec of its own. */
extern const struct pgconn_codec pgconn_codec_unknown;

/* Called by Init_pgconn_codec: the families look up the Ruby classes and methods they need. */
void pgconn_codec_numeric_init(void);
void pgconn_codec_texts_init(void);
void pgconn_codec_datetimes_init(void);
void pgconn_codec_times_init(void);
void pgconn_codec_json_init(void);
void pgconn_codec_network_init(void);

#endif
