#include "container.h"
#include "element_text.h"

/* Of a bound, which is an int4. */
#define BOUND_DIGITS_MAX 10

/* One array's text while it is read. */
struct array_text {
    const struct pgconn_codec *codec;
    struct pgconn_element_text text;
    int encoding_index;
    long sizes[PGCONN_DIMENSIONS_MAX]; /* of the dimensions; -1: not known yet */
    int dimensions;                    /* 0: not known yet */
};

static bool
bound_take(struct pgconn_reader *reader, int64_t *bound)
{
    bool negative = pgconn_reader_take(reader, '-');

    if (!pgconn_reader_take_digits(reader, 1, BOUND_DIGITS_MAX, bound)) return false;
    if (negative) *bound = -*bound;
    return true;
}

/*
 * [1:3][-2:0]= before arrays whose lower bounds aren't 1. Ruby has no place for them; but they say
 * how many dimensions there are, and of which size.
 */
static bool
bounds_take(struct array_text *array)
{
    struct pgconn_reader *reader = &array->text.reader;
    int64_t lower, upper;

    if (!pgconn_reader_sees(reader, '[')) return true;
    while (pgconn_reader_take(reader, '[')) {
        if (array->dimensions == PGCONN_DIMENSIONS_MAX) return false;
        if (!bound_take(reader, &lower) || !pgconn_reader_take(reader, ':')) return false;
        if (!bound_take(reader, &upper) || !pgconn_reader_take(reader, ']')) return false;
        if (lower > upper) return false;
        array->sizes[array->dimensions++] = (long)(upper - lower + 1);
    }
    return pgconn_reader_take(reader, '=');
}

static bool
element_take(struct array_text *array, VALUE *value)
{
    const struct pgconn_codec *codec = array->codec->element;
    struct pgconn_input input = {.encoding_index = array->encoding_index};
    bool quoted;

    if (!pgconn_element_text_take(&array->text, &input, &quoted)) return false;
    if (!quoted && input.length == 0) return false;
    *value = Qnil;
    if (!quoted && pgconn_input_is(input, "NULL")) return true;
    *value = codec->decode_text(codec, input);
    return true;
}

static bool dimension_take(struct array_text *array, int depth, VALUE *value);

/* What stands between two delimiters: an element in the innermost dimension, else an array. */
static bool
member_take(struct array_text *array, int depth, VALUE *value)
{
    if (pgconn_reader_sees(&array->text.reader, '{')) {
        return array->dimensions != depth && dimension_take(array, depth, value);
    }
    if (array->dimensions == 0) array->dimensions = depth;
    return array->dimensions == depth && element_take(array, value);
}

static bool
members_take(struct array_text *array, int depth, VALUE into)
{
    struct pgconn_reader *reader = &array->text.reader;
    VALUE member;

    do {
        if (!member_take(array, depth, &member)) return false;
        rb_ary_push(into, member);
    } while (pgconn_reader_take(reader, array->codec->delimiter));
    return pgconn_reader_take(reader, '}');
}

static bool
dimension_take(struct array_text *array, int depth, VALUE *value)
{
    *value = rb_ary_new();
    if (depth == PGCONN_DIMENSIONS_MAX || !pgconn_reader_take(&array->text.reader, '{')) {
        return false;
    }
    if (depth == 0 && array->dimensions == 0 && pgconn_reader_take(&array->text.reader, '}')) {
        return true;
    }
    if (!members_take(array, depth + 1, *value)) return false;
    if (array->sizes[depth] < 0) array->sizes[depth] = RARRAY_LEN(*value);
    return array->sizes[depth] == RARRAY_LEN(*value);
}

static bool
array_take(struct array_text *array, VALUE *value)
{
    return bounds_take(array) && dimension_take(array, 0, value) &&
           pgconn_reader_at_end(&array->text.reader);
}

VALUE
pgconn_array_decode_text(const struct pgconn_codec *codec, struct pgconn_input input)
{
    const char stops[] = {'{', '}', codec->delimiter, '\0'};
    struct array_text array = {.codec = codec, .encoding_index = input.encoding_index};
    VALUE buffer, value;
    char *scratch = ALLOCV_N(char, buffer, (size_t)input.length + 1);

    for (int i = 0; i < PGCONN_DIMENSIONS_MAX; i++) array.sizes[i] = -1;
    pgconn_element_text_start(&array.text, input, scratch, stops, false);
    if (!array_take(&array, &value)) pgconn_codec_raise_malformed(codec, input);
    ALLOCV_END(buffer);
    return value;
}
