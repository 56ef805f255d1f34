/*
 * The types that a user has registered: codecs by OID, in front of the built-in ones. A registry
 * may be shared by connections to one database. It keeps each codec that it ever had, so that what
 * was made with one (plans of results, statements) can go on to use it.
 */
#ifndef PGCONN_TYPES_H
#define PGCONN_TYPES_H

#include "codec.h"

/* The codec of a type, registered or built in. registry is a Pgconn::Types::Registry or nil. */
const struct pgconn_codec *pgconn_types_find(VALUE registry, Oid oid);

/*
 * The one that reads a value in binary; where a type has been registered anew since the value was
 * asked for, that may be an earlier one.
 */
const struct pgconn_codec *pgconn_types_find_binary(VALUE registry, Oid oid);

/* Whether all columns of a result, or of a description, can be read in binary. */
bool pgconn_types_read_binary(VALUE registry, const PGresult *result, int encoding_index);

/* Grows with each registration, so that what was worked out from codecs can be worked out again. */
unsigned long pgconn_types_generation(VALUE registry);

/* Whether there are users' encoders: any value may be meant for one, so the types come first. */
bool pgconn_types_ask(VALUE registry);

/* Whether there are types that take values without a text form. */
bool pgconn_types_take_any(VALUE registry);

#endif
