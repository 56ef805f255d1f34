#include "composite.h"
#include "container.h"
#include "element_text.h"
#include "encode.h"
#include "error.h"

static ID id_new;

static void
composite_mark(void *data)
{
    const struct pgconn_composite *composite = data;

    pgconn_owned_codec_mark(data);
    rb_gc_mark_movable(composite->names);
    rb_gc_mark_movable(composite->structure);
}

static void
composite_compact(void *data)
{
    struct pgconn_composite *composite = data;

    pgconn_owned_codec_compact(data);
    composite->names = rb_gc_location(composite->names);
    composite->structure = rb_gc_location(composite->structure);
}

static void
composite_free(void *data)
{
    struct pgconn_composite *composite = data;

    xfree(composite->attributes);
    pgconn_owned_codec_free(data);
}

static size_t
composite_memsize(const void *data)
{
    const struct pgconn_composite *composite = data;

    return sizeof(*composite) + (size_t)composite->count * sizeof(*composite->attributes);
}

static const rb_data_type_t composite_type = {
    .wrap_struct_name = "Pgconn::Types::Codec (composite)",
    .function = {.dmark = composite_mark,
                 .dfree = composite_free,
                 .dsize = composite_memsize,
                 .dcompact = composite_compact},
    .parent = &pgconn_owned_codec_type,
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static const struct pgconn_composite *
composite_of(const struct pgconn_codec *codec)
{
    return (const struct pgconn_composite *)codec;
}

NORETURN(static void composite_raise_changed(const struct pgconn_codec *codec));

static void
composite_raise_changed(const struct pgconn_codec *codec)
{
    pgconn_error_raise(rb_ePgconnDataError,
                       "%s has other attributes than when it was registered: register it again",
                       codec->name);
}

/* The keywords that new takes. */
static VALUE
keywords_of(const struct pgconn_composite *composite, const VALUE *values)
{
    VALUE keywords = rb_hash_new();

    for (long i = 0; i < composite->count; i++) {
        rb_hash_aset(keywords, RARRAY_AREF(composite->names, i),
                     values[composite->attributes[i].place]);
    }
    return keywords;
}

/* Of the attributes' values, each at its place. */
static VALUE
composite_new(const struct pgconn_composite *composite, const VALUE *values)
{
    VALUE keywords;

    if (!composite->by_keyword) {
        return rb_funcallv(composite->structure, id_new, (int)composite->count, values);
    }
    keywords = keywords_of(composite, values);
    return rb_funcallv_kw(composite->structure, id_new, 1, &keywords, RB_PASS_KEYWORDS);
}

/* Type, length (-1 is NULL) and bytes of one attribute; false where they don't fit what is left. */
static bool
attribute_take(const struct pgconn_codec *codec, const struct pgconn_attribute *attribute,
               struct pgconn_reader *reader, int encoding_index, VALUE *value)
{
    struct pgconn_input input = {.encoding_index = encoding_index};
    int32_t type;

    if (!pgconn_reader_take_int32(reader, &type)) return false;
    if ((Oid)type != attribute->type) composite_raise_changed(codec);
    if (!pgconn_input_take(&input, reader)) return false;
    if (input.data) *value = attribute->codec->decode_binary(attribute->codec, input);
    return true;
}

static bool
attributes_take(const struct pgconn_codec *codec, struct pgconn_reader *reader, int encoding_index,
                VALUE *values)
{
    const struct pgconn_composite *composite = composite_of(codec);
    int32_t count;

    if (!pgconn_reader_take_int32(reader, &count) || count < 0) return false;
    if (count != composite->count) composite_raise_changed(codec);
    for (long i = 0; i < count; i++) {
        const struct pgconn_attribute *attribute = &composite->attributes[i];

        if (!attribute_take(codec, attribute, reader, encoding_index, &values[attribute->place])) {
            return false;
        }
    }
    return pgconn_reader_at_end(reader);
}

static VALUE
composite_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    const struct pgconn_composite *composite = composite_of(codec);
    struct pgconn_reader reader = pgconn_input_reader(input);
    VALUE buffer, value, *values = ALLOCV_N(VALUE, buffer, composite->count + 1);

    rb_mem_clear(values, composite->count);
    if (!attributes_take(codec, &reader, input.encoding_index, values)) {
        pgconn_codec_raise_malformed(codec, input);
    }
    value = composite_new(composite, values);
    ALLOCV_END(buffer);
    return value;
}

/* An attribute's text; nothing at all is NULL. */
static bool
attribute_read(const struct pgconn_attribute *attribute, struct pgconn_element_text *text,
               int encoding_index, VALUE *value)
{
    struct pgconn_input input = {.encoding_index = encoding_index};
    bool quoted;

    if (!pgconn_element_text_take(text, &input, &quoted)) return false;
    if (quoted || input.length > 0) *value = attribute->codec->decode_text(attribute->codec, input);
    return true;
}

/* Between the brackets. */
static bool
attributes_read(const struct pgconn_codec *codec, struct pgconn_element_text *text,
                int encoding_index, VALUE *values)
{
    const struct pgconn_composite *composite = composite_of(codec);
    struct pgconn_reader *reader = &text->reader;

    for (long i = 0; i < composite->count; i++) {
        const struct pgconn_attribute *attribute = &composite->attributes[i];

        if (i > 0 && pgconn_reader_sees(reader, ')')) composite_raise_changed(codec);
        if (i > 0 && !pgconn_reader_take(reader, ',')) return false;
        if (!attribute_read(attribute, text, encoding_index, &values[attribute->place])) {
            return false;
        }
    }
    if (pgconn_reader_sees(reader, ',')) composite_raise_changed(codec);
    return true;
}

static bool
composite_read(const struct pgconn_codec *codec, struct pgconn_input input, char *scratch,
               VALUE *values)
{
    struct pgconn_element_text text;

    pgconn_element_text_start(&text, input, scratch, ",)", true);
    if (!pgconn_reader_take(&text.reader, '(')) return false;
    if (!attributes_read(codec, &text, input.encoding_index, values)) return false;
    return pgconn_reader_take(&text.reader, ')') && pgconn_reader_at_end(&text.reader);
}

static VALUE
composite_decode_text(const struct pgconn_codec *codec, struct pgconn_input input)
{
    const struct pgconn_composite *composite = composite_of(codec);
    VALUE value, buffer, *values = ALLOCV_N(VALUE, buffer, composite->count + 1);
    VALUE scratch_buffer;
    char *scratch = ALLOCV_N(char, scratch_buffer, (size_t)input.length + 1);

    rb_mem_clear(values, composite->count);
    if (!composite_read(codec, input, scratch, values)) pgconn_codec_raise_malformed(codec, input);
    ALLOCV_END(scratch_buffer);
    value = composite_new(composite, values);
    ALLOCV_END(buffer);
    return value;
}

static bool
composite_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    const struct pgconn_composite *composite = composite_of(codec);
    VALUE values = pgconn_composite_values(composite, value, output);

    if (values == Qundef) return false;
    pgconn_buffer_append_int32(output->bytes, (int32_t)composite->count);
    for (long i = 0; i < composite->count; i++) {
        const struct pgconn_attribute *attribute = &composite->attributes[i];

        pgconn_buffer_append_int32(output->bytes, (int32_t)attribute->type);
        if (!pgconn_encode_element(attribute->codec, rb_ary_entry(values, i), output)) return false;
    }
    RB_GC_GUARD(values);
    return true;
}

/* NULL is nothing at all. */
static bool
composite_encode_text(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    const struct pgconn_composite *composite = composite_of(codec);
    VALUE values = pgconn_composite_values(composite, value, output);

    if (values == Qundef) return false;
    pgconn_buffer_append_byte(output->bytes, '(');
    for (long i = 0; i < composite->count; i++) {
        if (i > 0) pgconn_buffer_append_byte(output->bytes, ',');
        pgconn_encode_element_quoted(composite->attributes[i].codec, rb_ary_entry(values, i),
                                     output);
    }
    pgconn_buffer_append_byte(output->bytes, ')');
    RB_GC_GUARD(values);
    return true;
}

static bool
composite_reads_binary(const struct pgconn_codec *codec, int encoding_index)
{
    const struct pgconn_composite *composite = composite_of(codec);

    for (long i = 0; i < composite->count; i++) {
        if (!pgconn_codec_reads_binary(composite->attributes[i].codec, encoding_index)) {
            return false;
        }
    }
    return true;
}

static bool
composite_is_value(const struct pgconn_codec *codec, VALUE value)
{
    return RTEST(rb_obj_is_kind_of(value, composite_of(codec)->structure));
}

/* Where there are instances, they tell: Arrays around them are none with the attributes' values. */
static int
composite_dimensions(const struct pgconn_codec *codec, VALUE array)
{
    int depth = pgconn_array_depth_of(codec, array, composite_is_value);

    return depth > 0 ? depth : 1;
}

static bool
attributes_write_binary(const struct pgconn_composite *composite)
{
    for (long i = 0; i < composite->count; i++) {
        if (!composite->attributes[i].codec->encode_binary) return false;
    }
    return true;
}

static void
functions_fill(struct pgconn_composite *composite)
{
    struct pgconn_codec *codec = &composite->owned.codec;

    codec->decode_text = composite_decode_text;
    codec->decode_binary = composite_decode_binary;
    codec->encode_text = composite_encode_text;
    codec->encode_binary = attributes_write_binary(composite) ? composite_encode : NULL;
    codec->reads_binary = composite_reads_binary;
    codec->dimensions = composite_dimensions;
    codec->takes_arrays = true;
    codec->takes_any = !composite->is_struct;
}

static void
attributes_fill(struct pgconn_composite *composite, VALUE parts, VALUE types, VALUE places)
{
    long count = RARRAY_LEN(parts);

    composite->attributes = ZALLOC_N(struct pgconn_attribute, count + 1);
    composite->count = count;
    for (long i = 0; i < count; i++) {
        composite->attributes[i].codec = pgconn_owned_codec_part(rb_ary_entry(parts, i));
        composite->attributes[i].type = NUM2UINT(rb_ary_entry(types, i));
        composite->attributes[i].place = NUM2LONG(rb_ary_entry(places, i));
    }
}

/* structure is a Pgconn::Types::Structure. */
static VALUE
codec_s_composite(VALUE class, VALUE definition, VALUE parts, VALUE types, VALUE structure)
{
    struct pgconn_composite *composite;
    VALUE self = TypedData_Make_Struct(class, struct pgconn_composite, &composite_type, composite);
    VALUE names = rb_funcall(structure, rb_intern("names"), 0);
    VALUE klass = rb_funcall(structure, rb_intern("klass"), 0);

    pgconn_owned_codec_fill(self, definition, parts);
    RB_OBJ_WRITE(self, &composite->names, names);
    RB_OBJ_WRITE(self, &composite->structure, klass);
    composite->by_keyword = RTEST(rb_funcall(structure, rb_intern("keyword_init?"), 0));
    composite->is_struct = RTEST(rb_class_inherited_p(klass, rb_cStruct));
    attributes_fill(composite, parts, types, rb_funcall(structure, rb_intern("places"), 0));
    functions_fill(composite);
    return self;
}

void
pgconn_codec_composite_init(void)
{
    id_new = rb_intern("new");
    rb_define_singleton_method(rb_cPgconnTypesCodec, "composite", codec_s_composite, 4);
}
