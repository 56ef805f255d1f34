#include "container.h"
#include "encode.h"
#include "error.h"

/* So many elements are collected before they are handed to the Array. */
#define CHUNK 128

/* The rest of a binary array while it is read. */
struct binary_array {
    const struct pgconn_codec *element;
    struct pgconn_reader reader;
    int dimensions;
    int32_t sizes[PGCONN_DIMENSIONS_MAX];
    int encoding_index;
};

/* ndim, flags, element type; then for each dimension its size and lower bound. */
static bool
header_take(struct binary_array *array)
{
    int32_t dimensions, flags, oid, bound;

    if (!pgconn_reader_take_int32(&array->reader, &dimensions)) return false;
    if (!pgconn_reader_take_int32(&array->reader, &flags)) return false;
    if (!pgconn_reader_take_int32(&array->reader, &oid)) return false;
    if (dimensions < 0 || dimensions > PGCONN_DIMENSIONS_MAX) return false;
    if (flags != 0 && flags != 1) return false;
    if (array->element->oid != 0 && array->element->oid != (Oid)oid) return false;
    array->dimensions = dimensions;
    for (int i = 0; i < dimensions; i++) {
        if (!pgconn_reader_take_int32(&array->reader, &array->sizes[i])) return false;
        if (!pgconn_reader_take_int32(&array->reader, &bound)) return false;
    }
    return true;
}

/*
 * Each element has a length of four bytes, so that no more can be claimed than there is room for.
 */
static bool
sizes_fit(const struct binary_array *array)
{
    size_t room = pgconn_reader_left(&array->reader) / 4, elements = 1;

    for (int i = 0; i < array->dimensions; i++) {
        if (array->sizes[i] <= 0 || (size_t)array->sizes[i] > room / elements) return false;
        elements *= (size_t)array->sizes[i];
    }
    return true;
}

/* One element; false where it doesn't fit into what is left. */
static bool
element_take(struct binary_array *array, VALUE *value)
{
    struct pgconn_input input = {.encoding_index = array->encoding_index};

    *value = Qnil;
    if (!pgconn_input_take(&input, &array->reader)) return false;
    if (input.data) *value = array->element->decode_binary(array->element, input);
    return true;
}

/* The elements of the innermost dimension. */
static bool
elements_take(struct binary_array *array, VALUE into, int32_t size)
{
    VALUE chunk[CHUNK];

    while (size > 0) {
        int count = size < CHUNK ? (int)size : CHUNK;

        for (int i = 0; i < count; i++) {
            if (!element_take(array, &chunk[i])) return false;
        }
        rb_ary_cat(into, chunk, count);
        size -= count;
    }
    return true;
}

static bool
dimension_take(struct binary_array *array, int dimension, VALUE *value)
{
    int32_t size = array->sizes[dimension];
    VALUE into = rb_ary_new_capa(size), inner;

    *value = into;
    if (dimension == array->dimensions - 1) return elements_take(array, into, size);
    for (int32_t i = 0; i < size; i++) {
        if (!dimension_take(array, dimension + 1, &inner)) return false;
        rb_ary_push(into, inner);
    }
    return true;
}

static VALUE
array_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    struct binary_array array = {
        .element = codec->element,
        .reader = {input.data, input.data + input.length},
        .encoding_index = input.encoding_index,
    };
    VALUE value = Qundef;

    if (!header_take(&array)) pgconn_codec_raise_malformed(codec, input);
    if (array.dimensions == 0) value = rb_ary_new();
    else if (!sizes_fit(&array) || !dimension_take(&array, 0, &value)) value = Qundef;
    if (value == Qundef || !pgconn_reader_at_end(&array.reader)) {
        pgconn_codec_raise_malformed(codec, input);
    }
    return value;
}

/* The shape of a Ruby Array that goes as an array: what its first elements say. */
struct shape {
    const struct pgconn_codec *codec; /* the array's */
    int dimensions;
    int dimensions_max; /* Arrays that lie deeper are values */
    long sizes[PGCONN_DIMENSIONS_MAX];
};

static bool
value_is_set(VALUE value)
{
    return RTEST(rb_obj_is_kind_of(value, rb_path2class("Set")));
}

VALUE
pgconn_container_elements(VALUE value)
{
    if (RB_TYPE_P(value, T_ARRAY)) return value;
    return value_is_set(value) ? rb_funcall(value, rb_intern("to_a"), 0) : Qundef;
}

int
pgconn_array_depth_of(const struct pgconn_codec *codec, VALUE array,
                      bool (*is_value)(const struct pgconn_codec *codec, VALUE value))
{
    static const int deepest = PGCONN_DIMENSIONS_MAX + 1; /* of multiranges, which are Arrays */
    VALUE nested[PGCONN_DIMENSIONS_MAX + 1] = {array};
    long next[PGCONN_DIMENSIONS_MAX + 1] = {0};
    int depth = 1;

    while (depth > 0) {
        VALUE element = rb_ary_entry(nested[depth - 1], next[depth - 1]);

        if (next[depth - 1]++ >= RARRAY_LEN(nested[depth - 1])) depth--;
        else if (!RB_TYPE_P(element, T_ARRAY) && is_value(codec, element)) return depth;
        else if (RB_TYPE_P(element, T_ARRAY) && depth < deepest) {
            nested[depth] = element;
            next[depth++] = 0;
        }
    }
    return 0;
}

static int
dimensions_max(const struct pgconn_codec *codec, VALUE array)
{
    if (!codec->takes_arrays) return PGCONN_DIMENSIONS_MAX + 1; /* which is one too many */
    return codec->dimensions ? codec->dimensions(codec, array) : 1;
}

/* Whether an element at this depth, 1 for those of the Array itself, is a dimension. */
static bool
element_is_dimension(const struct shape *shape, VALUE element, int depth)
{
    return RB_TYPE_P(element, T_ARRAY) && depth < shape->dimensions_max;
}

NORETURN(static void shape_raise(const struct shape *shape, const struct pgconn_output *output,
                                 const char *what));

static void
shape_raise(const struct shape *shape, const struct pgconn_output *output, const char *what)
{
    pgconn_error_raise(rb_ePgconnDataError, "can't encode parameter $%d as %s: %s", output->number,
                       shape->codec->name, what);
}

static struct shape
shape_of(const struct pgconn_codec *codec, VALUE array, const struct pgconn_output *output)
{
    struct shape shape = {.codec = codec, .dimensions_max = dimensions_max(codec->element, array)};

    for (;;) {
        if (shape.dimensions == PGCONN_DIMENSIONS_MAX) {
            shape_raise(&shape, output, "it has more than six dimensions");
        }
        shape.sizes[shape.dimensions++] = RARRAY_LEN(array);
        if (RARRAY_LEN(array) == 0) {
            shape.dimensions = 0; /* the server has no empty dimension either */
            return shape;
        }
        if (!element_is_dimension(&shape, rb_ary_entry(array, 0), shape.dimensions)) return shape;
        array = rb_ary_entry(array, 0);
    }
}

/* Raises unless the element at this depth is an Array where, and as long as, its siblings are. */
static void
element_check(const struct shape *shape, VALUE element, int depth,
              const struct pgconn_output *output)
{
    bool innermost = depth == shape->dimensions;
    bool fits = element_is_dimension(shape, element, depth)
                    ? !innermost && RARRAY_LEN(element) == shape->sizes[depth]
                    : innermost;

    if (!fits) shape_raise(shape, output, "the Arrays in it must have the same size");
}

static void
empty_check(const struct shape *shape, VALUE array, const struct pgconn_output *output)
{
    for (long i = 0; i < RARRAY_LEN(array); i++) {
        VALUE element = rb_ary_entry(array, i);

        if (!RB_TYPE_P(element, T_ARRAY)) {
            shape_raise(shape, output, "the Arrays in it must have the same size");
        }
        empty_check(shape, element, output);
    }
}

static bool
dimension_append(const struct shape *shape, VALUE array, int depth, struct pgconn_output *output)
{
    for (long i = 0; i < shape->sizes[depth]; i++) {
        VALUE element = rb_ary_entry(array, i);

        element_check(shape, element, depth + 1, output);
        if (element_is_dimension(shape, element, depth + 1)) {
            if (!dimension_append(shape, element, depth + 1, output)) return false;
        }
        else if (!pgconn_encode_element(shape->codec->element, element, output)) {
            return false;
        }
    }
    RB_GC_GUARD(array);
    return true;
}

static void
header_append(const struct shape *shape, VALUE array, struct pgconn_buffer *bytes)
{
    pgconn_buffer_append_int32(bytes, shape->dimensions);
    pgconn_buffer_append_int32(bytes, 1); /* there may be NULLs */
    pgconn_buffer_append_int32(bytes, (int32_t)shape->codec->element->oid);
    for (int i = 0; i < shape->dimensions; i++) {
        pgconn_buffer_append_int32(bytes, (int32_t)shape->sizes[i]);
        pgconn_buffer_append_int32(bytes, 1);
    }
    RB_GC_GUARD(array);
}

static bool
array_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    VALUE array = pgconn_container_elements(value);
    struct shape shape;

    if (array == Qundef || !codec->element->encode_binary) return false;
    shape = shape_of(codec, array, output);
    header_append(&shape, array, output->bytes);
    if (shape.dimensions > 0) return dimension_append(&shape, array, 0, output);
    empty_check(&shape, array, output);
    return true;
}

static void
dimension_write(const struct shape *shape, VALUE array, int depth, struct pgconn_output *output)
{
    pgconn_buffer_append_byte(output->bytes, '{');
    for (long i = 0; i < shape->sizes[depth]; i++) {
        VALUE element = rb_ary_entry(array, i);

        element_check(shape, element, depth + 1, output);
        if (i > 0) pgconn_buffer_append_byte(output->bytes, shape->codec->delimiter);
        if (element_is_dimension(shape, element, depth + 1)) {
            dimension_write(shape, element, depth + 1, output);
        }
        else if (!pgconn_encode_element_quoted(shape->codec->element, element, output)) {
            pgconn_buffer_append(output->bytes, "NULL", 4);
        }
    }
    pgconn_buffer_append_byte(output->bytes, '}');
    RB_GC_GUARD(array);
}

static bool
array_encode_text(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    VALUE array = pgconn_container_elements(value);
    struct shape shape;

    if (array == Qundef) return false;
    shape = shape_of(codec, array, output);
    if (shape.dimensions > 0) {
        dimension_write(&shape, array, 0, output);
        return true;
    }
    empty_check(&shape, array, output);
    pgconn_buffer_append(output->bytes, "{}", 2);
    return true;
}

void
pgconn_codec_array_write(VALUE value, struct pgconn_output *output)
{
    static const struct pgconn_codec untyped = {
        .name = "an array",
        .element = &pgconn_codec_unknown,
        .delimiter = ',',
    };

    array_encode_text(&untyped, value, output);
}

void
pgconn_container_array(struct pgconn_codec *codec, const struct pgconn_codec *element)
{
    codec->decode_text = pgconn_array_decode_text;
    codec->decode_binary = array_decode_binary;
    codec->encode_binary = array_encode;
    codec->encode_text = array_encode_text;
    codec->element = element;
}
