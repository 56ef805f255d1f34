#include "owned_codec.h"

/* A codec whose decoders and encoder a user has written; what is nil is left to the type's own. */
struct custom {
    struct pgconn_owned_codec owned;
    VALUE decoder, binary_decoder, encoder;
};

static ID id_call;

static void
custom_mark(void *data)
{
    const struct custom *custom = data;

    pgconn_owned_codec_mark(data);
    rb_gc_mark_movable(custom->decoder);
    rb_gc_mark_movable(custom->binary_decoder);
    rb_gc_mark_movable(custom->encoder);
}

static void
custom_compact(void *data)
{
    struct custom *custom = data;

    pgconn_owned_codec_compact(data);
    custom->decoder = rb_gc_location(custom->decoder);
    custom->binary_decoder = rb_gc_location(custom->binary_decoder);
    custom->encoder = rb_gc_location(custom->encoder);
}

static size_t
custom_memsize(const void *data)
{
    (void)data;
    return sizeof(struct custom);
}

static const rb_data_type_t custom_type = {
    .wrap_struct_name = "Pgconn::Types::Codec (custom)",
    .function = {.dmark = custom_mark,
                 .dfree = pgconn_owned_codec_free,
                 .dsize = custom_memsize,
                 .dcompact = custom_compact},
    .parent = &pgconn_owned_codec_type,
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static VALUE
custom_decode_text(const struct pgconn_codec *codec, struct pgconn_input input)
{
    VALUE text = pgconn_codec_unknown.decode_text(&pgconn_codec_unknown, input);

    return rb_funcallv(((const struct custom *)codec)->decoder, id_call, 1, &text);
}

static VALUE
custom_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    VALUE bytes = rb_str_new(input.data, input.length);

    return rb_funcallv(((const struct custom *)codec)->binary_decoder, id_call, 1, &bytes);
}

static VALUE
custom_convert(const struct pgconn_codec *codec, VALUE value)
{
    return rb_funcallv(((const struct custom *)codec)->encoder, id_call, 1, &value);
}

/* Begins as the built-in codec of the type. */
static void
custom_fill(VALUE self, VALUE definition, VALUE parts)
{
    struct custom *custom = RTYPEDDATA_DATA(self);
    struct pgconn_codec *codec = &custom->owned.codec;

    *codec = *pgconn_codec_find(NUM2UINT(rb_funcall(definition, rb_intern("oid"), 0)));
    codec->name = NULL; /* that one's isn't ours to free */
    pgconn_owned_codec_fill(self, definition, parts);
    if (!NIL_P(custom->decoder)) {
        codec->decode_text = custom_decode_text;
        codec->decode_binary = NIL_P(custom->binary_decoder) ? NULL : custom_decode_binary;
    }
    if (!NIL_P(custom->encoder)) {
        codec->convert = custom_convert;
        codec->takes_any = true;
    }
}

/*
 * Makes the codec of a type with a user's own functions; nil where there is none.
 * @api private
 */
static VALUE
codec_s_custom(VALUE class, VALUE definition, VALUE parts, VALUE decoder, VALUE binary_decoder,
               VALUE encoder)
{
    struct custom *custom;
    VALUE self = TypedData_Make_Struct(class, struct custom, &custom_type, custom);

    custom->decoder = custom->binary_decoder = custom->encoder = Qnil;
    RB_OBJ_WRITE(self, &custom->decoder, decoder);
    RB_OBJ_WRITE(self, &custom->binary_decoder, binary_decoder);
    RB_OBJ_WRITE(self, &custom->encoder, encoder);
    custom_fill(self, definition, parts);
    return self;
}

void
pgconn_codec_custom_init(void)
{
    id_call = rb_intern("call");
    rb_define_singleton_method(rb_cPgconnTypesCodec, "custom", codec_s_custom, 5);
}
