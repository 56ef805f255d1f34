/*
 * Composite types: codec_composite.c reads them into Ruby objects and writes them, and
 * composite_values.c finds what a user's value has for each attribute.
 */
#ifndef PGCONN_COMPOSITE_H
#define PGCONN_COMPOSITE_H

#include "owned_codec.h"

struct pgconn_attribute {
    const struct pgconn_codec *codec;
    Oid type;   /* in pg_attribute: a domain's, where the codec may be of the type below */
    long place; /* among the arguments of the class's new, and the members of a Struct */
};

struct pgconn_composite {
    struct pgconn_owned_codec owned;
    VALUE names;     /* frozen Array of Symbols, the attributes' */
    VALUE structure; /* the class of the values */
    bool by_keyword; /* its new takes keywords */
    bool is_struct;  /* it is a Struct, so that places are those of members */
    long count;
    struct pgconn_attribute *attributes;
};

/*
 * An Array with the value of each attribute: of an instance of the class, a Struct or a Hash by
 * their names (Symbols, in a Hash also Strings; what is missing is nil), of an Array by their
 * order. Qundef where the value is none of these. Raises DataError where it doesn't fit.
 */
VALUE pgconn_composite_values(const struct pgconn_composite *composite, VALUE value,
                              const struct pgconn_output *output);

#endif
