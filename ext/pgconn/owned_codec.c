#include "owned_codec.h"

#include "container.h"

VALUE rb_cPgconnTypesCodec;

void
pgconn_owned_codec_mark(void *data)
{
    const struct pgconn_owned_codec *owned = data;

    rb_gc_mark_movable(owned->definition);
    rb_gc_mark_movable(owned->parts);
}

void
pgconn_owned_codec_compact(void *data)
{
    struct pgconn_owned_codec *owned = data;

    owned->definition = rb_gc_location(owned->definition);
    owned->parts = rb_gc_location(owned->parts);
}

void
pgconn_owned_codec_free(void *data)
{
    struct pgconn_owned_codec *owned = data;

    xfree((char *)owned->codec.name);
    xfree(owned);
}

static size_t
owned_codec_memsize(const void *data)
{
    const struct pgconn_owned_codec *owned = data;

    return sizeof(*owned) + (owned->codec.name ? strlen(owned->codec.name) + 1 : 0);
}

const rb_data_type_t pgconn_owned_codec_type = {
    .wrap_struct_name = "Pgconn::Types::Codec",
    .function = {.dmark = pgconn_owned_codec_mark,
                 .dfree = pgconn_owned_codec_free,
                 .dsize = owned_codec_memsize,
                 .dcompact = pgconn_owned_codec_compact},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static struct pgconn_owned_codec *
owned_codec_get(VALUE self)
{
    return pgconn_typed_data(self, &pgconn_owned_codec_type);
}

const struct pgconn_codec *
pgconn_owned_codec_get(VALUE self)
{
    return &owned_codec_get(self)->codec;
}

const struct pgconn_codec *
pgconn_owned_codec_part(VALUE part)
{
    return RB_INTEGER_TYPE_P(part) ? pgconn_codec_find(NUM2UINT(part))
                                   : pgconn_owned_codec_get(part);
}

/* A copy that xfree frees. */
static char *
string_copy(VALUE string)
{
    long length = RSTRING_LEN(StringValue(string));
    char *copy = ALLOC_N(char, (size_t)length + 1);

    memcpy(copy, RSTRING_PTR(string), (size_t)length);
    copy[length] = '\0';
    return copy;
}

void
pgconn_owned_codec_fill(VALUE self, VALUE definition, VALUE parts)
{
    struct pgconn_owned_codec *owned = owned_codec_get(self);

    owned->codec.oid = NUM2UINT(rb_funcall(definition, rb_intern("oid"), 0));
    owned->codec.name = string_copy(rb_funcall(definition, rb_intern("name"), 0));
    RB_OBJ_WRITE(self, &owned->definition, definition);
    RB_OBJ_WRITE(self, &owned->parts, rb_obj_freeze(parts));
}

static VALUE
owned_codec_new(VALUE definition, VALUE parts)
{
    struct pgconn_owned_codec *owned;
    VALUE self = TypedData_Make_Struct(rb_cPgconnTypesCodec, struct pgconn_owned_codec,
                                       &pgconn_owned_codec_type, owned);

    pgconn_owned_codec_fill(self, definition, parts);
    return self;
}

/* A new codec, made by one of container.h's functions from that of the only part. */
static VALUE
container_new(VALUE definition, VALUE parts,
              void (*fill)(struct pgconn_codec *codec, const struct pgconn_codec *element))
{
    VALUE self = owned_codec_new(definition, parts);

    fill(&owned_codec_get(self)->codec, pgconn_owned_codec_part(rb_ary_entry(parts, 0)));
    return self;
}

static VALUE
codec_s_array(VALUE class, VALUE definition, VALUE parts, VALUE delimiter)
{
    VALUE self = container_new(definition, parts, pgconn_container_array);

    (void)class;
    owned_codec_get(self)->codec.delimiter = StringValueCStr(delimiter)[0];
    return self;
}

static VALUE
codec_s_range(VALUE class, VALUE definition, VALUE parts)
{
    (void)class;
    return container_new(definition, parts, pgconn_container_range);
}

static VALUE
codec_s_multirange(VALUE class, VALUE definition, VALUE parts)
{
    (void)class;
    return container_new(definition, parts, pgconn_container_multirange);
}

/* Of types whose binary form is their text, as that of enums is. */
static VALUE
codec_s_text(VALUE class, VALUE definition, VALUE parts)
{
    VALUE self = owned_codec_new(definition, parts);
    struct pgconn_codec *codec = &owned_codec_get(self)->codec;
    const struct pgconn_codec *text = pgconn_codec_find(PGCONN_TEXT_OID);

    (void)class;
    codec->decode_text = text->decode_text;
    codec->decode_binary = text->decode_binary;
    codec->encode_binary = text->encode_binary;
    return self;
}

static VALUE
codec_s_hstore(VALUE class, VALUE definition, VALUE parts, VALUE server_has_utf8)
{
    VALUE self = owned_codec_new(definition, parts);

    (void)class;
    pgconn_codec_hstore_fill(&owned_codec_get(self)->codec, RTEST(server_has_utf8));
    return self;
}

static VALUE
codec_definition(VALUE self)
{
    return owned_codec_get(self)->definition;
}

static VALUE
codec_parts(VALUE self)
{
    return owned_codec_get(self)->parts;
}

/*
 * Document-class: Pgconn::Types::Codec
 *
 * How values of a registered type are read and written.
 * @api private
 */
void
Init_pgconn_owned_codec(void)
{
    VALUE class = rb_define_class_under(rb_path2class("Pgconn::Types"), "Codec", rb_cObject);

    rb_cPgconnTypesCodec = class;
    rb_gc_register_mark_object(class);
    rb_funcall(rb_path2class("Pgconn::Types"), rb_intern("private_constant"), 1,
               ID2SYM(rb_intern("Codec")));
    rb_undef_alloc_func(class);
    rb_define_singleton_method(class, "array", codec_s_array, 3);
    rb_define_singleton_method(class, "range", codec_s_range, 2);
    rb_define_singleton_method(class, "multirange", codec_s_multirange, 2);
    rb_define_singleton_method(class, "text", codec_s_text, 2);
    rb_define_singleton_method(class, "hstore", codec_s_hstore, 3);
    rb_define_method(class, "definition", codec_definition, 0);
    rb_define_method(class, "parts", codec_parts, 0);
    pgconn_codec_custom_init();
    pgconn_codec_composite_init();
}
