/*
 * Codecs of types that hold values of another type, made from that type's codec: for the built-in
 * types when the extension loads, for users' types when those are registered.
 */
#ifndef PGCONN_CONTAINER_H
#define PGCONN_CONTAINER_H

#include "codec.h"

/* The server's own limit, MAXDIM. */
#define PGCONN_DIMENSIONS_MAX 6

/* Each fills in everything but oid, name, delimiter and owner; the element's codec must live on. */
void pgconn_container_array(struct pgconn_codec *codec, const struct pgconn_codec *element);
void pgconn_container_range(struct pgconn_codec *codec, const struct pgconn_codec *subtype);
void pgconn_container_multirange(struct pgconn_codec *codec, const struct pgconn_codec *range);

/*
 * How deep in an Array, or in the Arrays in it, the first value lies that is found to be of the
 * type; 1 for its own elements, 0 where there is none. (codec_arrays.c)
 */
int pgconn_array_depth_of(const struct pgconn_codec *codec, VALUE array,
                          bool (*is_value)(const struct pgconn_codec *codec, VALUE value));

/* Adds those of the built-in types to what pgconn_codec_find knows; called by Init_pgconn_codec. */
void pgconn_containers_add(void);

/* An Array, or a Set as an Array; Qundef for anything else. (codec_arrays.c) */
VALUE pgconn_container_elements(VALUE value);

/* The text decoder of arrays. (array_text.c) */
VALUE pgconn_array_decode_text(const struct pgconn_codec *codec, struct pgconn_input input);

/* Looks up Ruby's classes; called by Init_pgconn_codec. */
void pgconn_codec_ranges_init(void);

#endif
