/*
 * How the values of a result are decoded: the codec of each column. Made once for a statement, and
 * again when its columns turn out to be others. A Ruby object without a name of its own.
 */
#ifndef PGCONN_PLAN_H
#define PGCONN_PLAN_H

#include "columns.h"
#include "types.h"

struct pgconn_plan {
    VALUE columns;
    VALUE registry;  /* keeps the codecs of users' types */
    VALUE structure; /* a Struct with a member for each name; nil until somebody wants it */
    const struct pgconn_codec **codecs;
    Oid *types;
    int count;
    int encoding_index;       /* of the names */
    unsigned long generation; /* of the registry that the codecs are from */
};

/* That of a result with rows; registry as in pgconn_types_find. */
VALUE pgconn_plan_new(const PGresult *result, int encoding_index, VALUE registry);

/* Whether it would be made the same for this result; plan may be nil. */
bool pgconn_plan_fits(VALUE plan, const PGresult *result, int encoding_index, VALUE registry);

const struct pgconn_plan *pgconn_plan_get(VALUE plan);

/* A column's value; nil for a length of -1. Raises what its decoder raises. */
static inline VALUE
pgconn_plan_decode(const struct pgconn_plan *plan, int column, bool binary,
                   struct pgconn_input input)
{
    const struct pgconn_codec *codec = plan->codecs[column];

    if (input.length < 0) return Qnil;
    return binary ? codec->decode_binary(codec, input) : codec->decode_text(codec, input);
}

/*
 * The Struct class, made when it is first asked for; equal names have one member. Raises
 * ProgrammingError for names that Ruby's Struct doesn't take.
 */
VALUE pgconn_plan_structure(VALUE plan);

#endif
