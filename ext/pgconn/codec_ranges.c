#include "container.h"
#include "element_text.h"
#include "encode.h"
#include "error.h"

/* The flags of the binary form. */
#define RANGE_EMPTY 0x01
#define RANGE_LOWER_INCLUSIVE 0x02
#define RANGE_UPPER_INCLUSIVE 0x04
#define RANGE_LOWER_INFINITE 0x08
#define RANGE_UPPER_INFINITE 0x10

static VALUE rb_cPgconnRange;
static ID id_lower, id_upper, id_bounds, id_empty;

/* What a range is made of; a bound that is nil is unbounded. */
struct range {
    VALUE lower, upper;
    bool lower_inclusive, upper_inclusive, empty;
};

/* The brackets by whether the lower and the upper bound are inclusive. */
static VALUE bounds_strings[2][2];

static VALUE
range_new(const struct range *range)
{
    VALUE object = rb_obj_alloc(rb_cPgconnRange);
    bool lower = range->lower_inclusive && !NIL_P(range->lower);
    bool upper = range->upper_inclusive && !NIL_P(range->upper);

    rb_ivar_set(object, id_lower, range->lower);
    rb_ivar_set(object, id_upper, range->upper);
    rb_ivar_set(object, id_bounds, bounds_strings[lower][upper]);
    rb_ivar_set(object, id_empty, RBOOL(range->empty));
    return rb_obj_freeze(object);
}

/* A bound behind its length, which NULL doesn't have here. */
static bool
bound_take(const struct pgconn_codec *codec, struct pgconn_reader *reader, int encoding_index,
           VALUE *bound)
{
    struct pgconn_input input = {.encoding_index = encoding_index};

    if (!pgconn_input_take(&input, reader) || !input.data) return false;
    *bound = codec->decode_binary(codec, input);
    return true;
}

static bool
bounds_take(const struct pgconn_codec *codec, struct pgconn_reader *reader, int encoding_index,
            struct range *range)
{
    int flags;

    if (pgconn_reader_at_end(reader)) return false;
    flags = (unsigned char)*reader->at++;
    range->empty = flags & RANGE_EMPTY;
    range->lower_inclusive = flags & RANGE_LOWER_INCLUSIVE;
    range->upper_inclusive = flags & RANGE_UPPER_INCLUSIVE;
    if (range->empty) return flags == RANGE_EMPTY;
    if (!(flags & RANGE_LOWER_INFINITE) &&
        !bound_take(codec->element, reader, encoding_index, &range->lower)) {
        return false;
    }
    return (flags & RANGE_UPPER_INFINITE) ||
           bound_take(codec->element, reader, encoding_index, &range->upper);
}

static VALUE
range_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    struct pgconn_reader reader = {input.data, input.data + input.length};
    struct range range = {.lower = Qnil, .upper = Qnil};

    if (!bounds_take(codec, &reader, input.encoding_index, &range) ||
        !pgconn_reader_at_end(&reader)) {
        pgconn_codec_raise_malformed(codec, input);
    }
    return range_new(&range);
}

/* A bound's text; nothing at all is unbounded. */
static bool
bound_read(const struct pgconn_codec *codec, struct pgconn_element_text *text, int encoding_index,
           VALUE *bound)
{
    struct pgconn_input input = {.encoding_index = encoding_index};
    bool quoted;

    if (!pgconn_element_text_take(text, &input, &quoted)) return false;
    if (quoted || input.length > 0) *bound = codec->decode_text(codec, input);
    return true;
}

static bool
range_read(const struct pgconn_codec *codec, struct pgconn_element_text *text, int encoding_index,
           struct range *range)
{
    struct pgconn_reader *reader = &text->reader;

    range->lower_inclusive = pgconn_reader_sees(reader, '[');
    if (!pgconn_reader_take(reader, '[') && !pgconn_reader_take(reader, '(')) return false;
    if (!bound_read(codec->element, text, encoding_index, &range->lower)) return false;
    if (!pgconn_reader_take(reader, ',')) return false;
    if (!bound_read(codec->element, text, encoding_index, &range->upper)) return false;
    range->upper_inclusive = pgconn_reader_sees(reader, ']');
    return pgconn_reader_take(reader, ']') || pgconn_reader_take(reader, ')');
}

static VALUE
range_decode_text(const struct pgconn_codec *codec, struct pgconn_input input)
{
    struct range range = {.lower = Qnil, .upper = Qnil, .empty = pgconn_input_is(input, "empty")};
    struct pgconn_element_text text;
    VALUE buffer;
    char *scratch;

    if (range.empty) return range_new(&range);
    scratch = ALLOCV_N(char, buffer, (size_t)input.length + 1);
    pgconn_element_text_start(&text, input, scratch, ",])", true);
    if (!range_read(codec, &text, input.encoding_index, &range) ||
        !pgconn_reader_at_end(&text.reader)) {
        pgconn_codec_raise_malformed(codec, input);
    }
    ALLOCV_END(buffer);
    return range_new(&range);
}

static void
ruby_range_get(VALUE value, struct range *range)
{
    int exclude_end;

    rb_range_values(value, &range->lower, &range->upper, &exclude_end);
    range->lower_inclusive = true;
    range->upper_inclusive = !exclude_end;
    range->empty = false;
}

static void
own_range_get(VALUE value, struct range *range)
{
    VALUE bounds = rb_ivar_get(value, id_bounds);

    if (!RB_TYPE_P(bounds, T_STRING) || RSTRING_LEN(bounds) != 2) {
        pgconn_error_raise(rb_ePgconnDataError,
                           "can't encode a Pgconn::Range that is not initialized: does initialize "
                           "call super?");
    }
    range->lower = rb_ivar_get(value, id_lower);
    range->upper = rb_ivar_get(value, id_upper);
    range->lower_inclusive = RSTRING_PTR(bounds)[0] == '[';
    range->upper_inclusive = RSTRING_PTR(bounds)[1] == ']';
    range->empty = RTEST(rb_ivar_get(value, id_empty));
}

/* Of a Pgconn::Range or Ruby's own. */
static bool
range_get(VALUE value, struct range *range)
{
    if (RTEST(rb_obj_is_kind_of(value, rb_cPgconnRange))) own_range_get(value, range);
    else if (RTEST(rb_obj_is_kind_of(value, rb_cRange))) ruby_range_get(value, range);
    else return false;
    return true;
}

static int
range_flags(const struct range *range)
{
    int flags = 0;

    if (range->empty) return RANGE_EMPTY;
    if (NIL_P(range->lower)) flags |= RANGE_LOWER_INFINITE;
    else if (range->lower_inclusive) flags |= RANGE_LOWER_INCLUSIVE;
    if (NIL_P(range->upper)) flags |= RANGE_UPPER_INFINITE;
    else if (range->upper_inclusive) flags |= RANGE_UPPER_INCLUSIVE;
    return flags;
}

/* One that can't be NULL here; where its to_pg gives nil, or it has no bytes, the text will do. */
static bool
element_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    size_t start = output->bytes->length;

    return pgconn_encode_element(codec->element, value, output) &&
           output->bytes->length > start + sizeof(int32_t);
}

static bool
range_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    struct range range;

    if (!range_get(value, &range)) return false;
    pgconn_buffer_append_byte(output->bytes, (char)range_flags(&range));
    if (range.empty) return true;
    if (!NIL_P(range.lower) && !element_encode(codec, range.lower, output)) return false;
    return NIL_P(range.upper) || element_encode(codec, range.upper, output);
}

static bool
range_encode_text(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    struct range range;

    if (!range_get(value, &range)) return false;
    if (range.empty) {
        pgconn_buffer_append(output->bytes, "empty", 5);
        return true;
    }
    pgconn_buffer_append_byte(output->bytes, range.lower_inclusive ? '[' : '(');
    pgconn_encode_element_quoted(codec->element, range.lower, output);
    pgconn_buffer_append_byte(output->bytes, ',');
    pgconn_encode_element_quoted(codec->element, range.upper, output);
    pgconn_buffer_append_byte(output->bytes, range.upper_inclusive ? ']' : ')');
    return true;
}

void
pgconn_codec_range_write(VALUE value, struct pgconn_output *output)
{
    static const struct pgconn_codec untyped = {
        .name = "a range",
        .element = &pgconn_codec_unknown,
    };

    range_encode_text(&untyped, value, output);
}

void
pgconn_container_range(struct pgconn_codec *codec, const struct pgconn_codec *subtype)
{
    codec->decode_text = range_decode_text;
    codec->decode_binary = range_decode_binary;
    codec->encode_binary = range_encode;
    codec->encode_text = range_encode_text;
    codec->element = subtype;
}

/* The number of ranges, then each of them behind its length. */
static bool
ranges_take(const struct pgconn_codec *codec, struct pgconn_reader *reader, int encoding_index,
            VALUE ranges)
{
    int32_t count;
    VALUE range;

    if (!pgconn_reader_take_int32(reader, &count) || count < 0) return false;
    for (; count > 0; count--) {
        if (!bound_take(codec->element, reader, encoding_index, &range)) return false;
        rb_ary_push(ranges, range);
    }
    return pgconn_reader_at_end(reader);
}

static VALUE
multirange_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    struct pgconn_reader reader = {input.data, input.data + input.length};
    VALUE ranges = rb_ary_new();

    if (!ranges_take(codec, &reader, input.encoding_index, ranges)) {
        pgconn_codec_raise_malformed(codec, input);
    }
    return ranges;
}

static bool
ranges_read(const struct pgconn_codec *codec, struct pgconn_element_text *text, int encoding_index,
            VALUE ranges)
{
    struct pgconn_reader *reader = &text->reader;

    if (!pgconn_reader_take(reader, '{')) return false;
    if (pgconn_reader_take(reader, '}')) return pgconn_reader_at_end(reader);
    do {
        struct range range = {.lower = Qnil, .upper = Qnil};

        if (!range_read(codec->element, text, encoding_index, &range)) return false;
        rb_ary_push(ranges, range_new(&range));
    } while (pgconn_reader_take(reader, ','));
    return pgconn_reader_take(reader, '}') && pgconn_reader_at_end(reader);
}

static VALUE
multirange_decode_text(const struct pgconn_codec *codec, struct pgconn_input input)
{
    struct pgconn_element_text text;
    VALUE buffer, ranges = rb_ary_new();
    char *scratch = ALLOCV_N(char, buffer, (size_t)input.length + 1);

    pgconn_element_text_start(&text, input, scratch, ",])", true);
    if (!ranges_read(codec, &text, input.encoding_index, ranges)) {
        pgconn_codec_raise_malformed(codec, input);
    }
    ALLOCV_END(buffer);
    return ranges;
}

static bool
multirange_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    VALUE ranges = pgconn_container_elements(value);

    if (ranges == Qundef) return false;
    pgconn_buffer_append_int32(output->bytes, (int32_t)RARRAY_LEN(ranges));
    for (long i = 0; i < RARRAY_LEN(ranges); i++) {
        if (!element_encode(codec, rb_ary_entry(ranges, i), output)) return false;
    }
    RB_GC_GUARD(ranges);
    return true;
}

static bool
multirange_encode_text(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    VALUE ranges = pgconn_container_elements(value);

    if (ranges == Qundef) return false;
    pgconn_buffer_append_byte(output->bytes, '{');
    for (long i = 0; i < RARRAY_LEN(ranges); i++) {
        VALUE range = rb_ary_entry(ranges, i);
        Oid type = 0;

        if (i > 0) pgconn_buffer_append_byte(output->bytes, ',');
        pgconn_encode_resolve(&range, &type, false, output->number);
        if (!range_encode_text(codec->element, range, output)) {
            pgconn_error_raise(rb_ePgconnDataError,
                               "can't encode parameter $%d as %s: it takes an Array of ranges",
                               output->number, codec->name);
        }
        RB_GC_GUARD(range);
    }
    pgconn_buffer_append_byte(output->bytes, '}');
    RB_GC_GUARD(ranges);
    return true;
}

static bool
value_is_range(const struct pgconn_codec *codec, VALUE value)
{
    struct range range;

    (void)codec;
    return range_get(value, &range);
}

/* A multirange is an Array of ranges itself. */
static int
multirange_dimensions(const struct pgconn_codec *codec, VALUE array)
{
    int depth = pgconn_array_depth_of(codec, array, value_is_range) - 1;

    return depth > 0 ? depth : 1;
}

void
pgconn_container_multirange(struct pgconn_codec *codec, const struct pgconn_codec *range)
{
    codec->decode_text = multirange_decode_text;
    codec->decode_binary = multirange_decode_binary;
    codec->encode_binary = multirange_encode;
    codec->encode_text = multirange_encode_text;
    codec->element = range;
    codec->takes_arrays = true;
    codec->dimensions = multirange_dimensions;
}

void
pgconn_codec_ranges_init(void)
{
    static const char *const brackets[2][2] = {
        {"()", "(]"},
        {"[)", "[]"}
    };

    for (int i = 0; i < 4; i++) {
        VALUE string = rb_str_freeze(rb_utf8_str_new_cstr(brackets[i / 2][i % 2]));

        rb_gc_register_mark_object(string);
        bounds_strings[i / 2][i % 2] = string;
    }
    rb_cPgconnRange = rb_path2class("Pgconn::Range");
    rb_gc_register_mark_object(rb_cPgconnRange);
    id_lower = rb_intern("@lower");
    id_upper = rb_intern("@upper");
    id_bounds = rb_intern("@bounds");
    id_empty = rb_intern("@empty");
}
