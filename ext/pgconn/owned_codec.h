/*
 * Codecs of users' types, which belong to Ruby objects: instances of Pgconn::Types::Codec. They
 * never change: where a type is registered anew, it and those that hold it get new ones, so that
 * results that are still to be read go on with what they came for.
 */
#ifndef PGCONN_OWNED_CODEC_H
#define PGCONN_OWNED_CODEC_H

#include "codec.h"

/* What the struct of each kind of them begins with. */
struct pgconn_owned_codec {
    struct pgconn_codec codec;
    VALUE definition; /* the Pgconn::Types::Definition that it was made from */
    VALUE parts;      /* frozen Array of what pgconn_owned_codec_part takes */
};

/* The parent of the types of those structs. */
extern const rb_data_type_t pgconn_owned_codec_type;

extern VALUE rb_cPgconnTypesCodec;

/* For the types' own functions, each of which calls the one of these that fits it. */
void pgconn_owned_codec_mark(void *owned);
void pgconn_owned_codec_compact(void *owned);
void pgconn_owned_codec_free(void *owned);

/*
 * Fills in OID, name, definition and parts. The struct is zeroed, and owned by self: what is
 * missing of it when this, or what follows, raises is never read, only freed.
 */
void pgconn_owned_codec_fill(VALUE self, VALUE definition, VALUE parts);

/* The codec of an instance of Pgconn::Types::Codec. Raises TypeError for anything else. */
const struct pgconn_codec *pgconn_owned_codec_get(VALUE self);

/* The codec of a part: of an instance, or the built-in one of an Integer, its OID. */
const struct pgconn_codec *pgconn_owned_codec_part(VALUE part);

/* Define how each kind is made; called by Init_pgconn_owned_codec. */
void pgconn_codec_custom_init(void);
void pgconn_codec_composite_init(void);

/* Fills in the functions of hstore, for a database in UTF-8 or not. (codec_hstore.c) */
void pgconn_codec_hstore_fill(struct pgconn_codec *codec, bool server_has_utf8);

#endif
