#include "composite.h"
#include "error.h"

static VALUE
attribute_name(const struct pgconn_composite *composite, long attribute)
{
    return RARRAY_AREF(composite->names, attribute);
}

static VALUE
array_values(const struct pgconn_composite *composite, VALUE array,
             const struct pgconn_output *output)
{
    if (RARRAY_LEN(array) != composite->count) {
        pgconn_error_raise(rb_ePgconnDataError,
                           "can't encode parameter $%d as %s: it has %ld attributes, the Array %ld "
                           "values",
                           output->number, composite->owned.codec.name, composite->count,
                           RARRAY_LEN(array));
    }
    return rb_ary_dup(array);
}

NORETURN(static void key_raise(const struct pgconn_composite *composite, VALUE hash,
                               const struct pgconn_output *output));

/* Finds the key to blame. */
static void
key_raise(const struct pgconn_composite *composite, VALUE hash, const struct pgconn_output *output)
{
    VALUE keys = rb_funcall(hash, rb_intern("keys"), 0);
    VALUE strings = rb_ary_new();

    for (long i = 0; i < composite->count; i++) {
        rb_ary_push(strings, rb_sym2str(attribute_name(composite, i)));
    }
    keys = rb_funcall(keys, '-', 1, rb_ary_plus(composite->names, strings));
    if (RARRAY_LEN(keys) == 0) {
        pgconn_error_raise(rb_ePgconnDataError,
                           "can't encode parameter $%d as %s: an attribute is there twice, by its "
                           "Symbol and its String",
                           output->number, composite->owned.codec.name);
    }
    pgconn_error_raise(rb_ePgconnDataError,
                       "can't encode parameter $%d as %s: it has no attribute %+" PRIsVALUE,
                       output->number, composite->owned.codec.name, rb_ary_entry(keys, 0));
}

/* The value of a name, by its Symbol or its String; counts what was found. */
static VALUE
hash_value(VALUE hash, VALUE name, size_t *found)
{
    VALUE value = rb_hash_lookup2(hash, name, Qundef);

    if (value == Qundef) value = rb_hash_lookup2(hash, rb_sym2str(name), Qundef);
    if (value == Qundef) return Qnil;
    ++*found;
    return value;
}

static VALUE
hash_values(const struct pgconn_composite *composite, VALUE hash,
            const struct pgconn_output *output)
{
    VALUE values = rb_ary_new_capa(composite->count);
    size_t found = 0;

    for (long i = 0; i < composite->count; i++) {
        rb_ary_push(values, hash_value(hash, attribute_name(composite, i), &found));
    }
    if (found != RHASH_SIZE(hash)) key_raise(composite, hash, output);
    return values;
}

static VALUE
struct_values(const struct pgconn_composite *composite, VALUE value)
{
    VALUE values = rb_ary_new_capa(composite->count);

    for (long i = 0; i < composite->count; i++) {
        rb_ary_push(values, rb_struct_aref(value, LONG2FIX(composite->attributes[i].place)));
    }
    return values;
}

/* Of the class that the user has given: by its public readers. */
static VALUE
object_values(const struct pgconn_composite *composite, VALUE value,
              const struct pgconn_output *output)
{
    VALUE values = rb_ary_new_capa(composite->count);

    for (long i = 0; i < composite->count; i++) {
        VALUE name = attribute_name(composite, i);

        if (!rb_respond_to(value, rb_sym2id(name))) {
            pgconn_error_raise(rb_ePgconnDataError,
                               "can't encode parameter $%d as %s: %" PRIsVALUE
                               " has no method %" PRIsVALUE,
                               output->number, composite->owned.codec.name, rb_obj_class(value),
                               name);
        }
        rb_ary_push(values, rb_funcallv_public(value, rb_sym2id(name), 0, NULL));
    }
    return values;
}

VALUE
pgconn_composite_values(const struct pgconn_composite *composite, VALUE value,
                        const struct pgconn_output *output)
{
    if (RTEST(rb_obj_is_kind_of(value, composite->structure))) {
        return composite->is_struct ? struct_values(composite, value)
                                    : object_values(composite, value, output);
    }
    if (RB_TYPE_P(value, T_ARRAY)) return array_values(composite, value, output);
    if (RB_TYPE_P(value, T_HASH)) return hash_values(composite, value, output);
    if (!RB_TYPE_P(value, T_STRUCT)) return Qundef;
    return hash_values(composite, rb_funcall(value, rb_intern("to_h"), 0), output);
}
