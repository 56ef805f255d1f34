#include "types.h"

#include "error.h"
#include "owned_codec.h"

static VALUE rb_cPgconnRegistry;

struct registry {
    VALUE codecs; /* frozen Hash: OID to Pgconn::Types::Codec */
    VALUE kept;   /* Array of all of these that there were, in their order */
    unsigned long generation;
    bool asks, takes_any;
};

static void
registry_mark(void *data)
{
    const struct registry *registry = data;

    rb_gc_mark_movable(registry->codecs);
    rb_gc_mark_movable(registry->kept);
}

static void
registry_compact(void *data)
{
    struct registry *registry = data;

    registry->codecs = rb_gc_location(registry->codecs);
    registry->kept = rb_gc_location(registry->kept);
}

static size_t
registry_memsize(const void *data)
{
    (void)data;
    return sizeof(struct registry);
}

static const rb_data_type_t registry_type = {
    .wrap_struct_name = "Pgconn::Types::Registry",
    .function = {.dmark = registry_mark,
                 .dfree = RUBY_DEFAULT_FREE,
                 .dsize = registry_memsize,
                 .dcompact = registry_compact},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static VALUE
registry_allocate(VALUE class)
{
    struct registry *registry;
    VALUE self = TypedData_Make_Struct(class, struct registry, &registry_type, registry);

    registry->codecs = registry->kept = Qnil;
    RB_OBJ_WRITE(self, &registry->codecs, rb_obj_freeze(rb_hash_new()));
    RB_OBJ_WRITE(self, &registry->kept, rb_ary_new());
    return self;
}

static struct registry *
registry_get(VALUE self)
{
    return pgconn_typed_data(self, &registry_type);
}

const struct pgconn_codec *
pgconn_types_find(VALUE self, Oid oid)
{
    VALUE found = Qnil;

    if (!NIL_P(self)) found = rb_hash_lookup(registry_get(self)->codecs, UINT2NUM(oid));
    return NIL_P(found) ? pgconn_codec_find(oid) : RTYPEDDATA_DATA(found);
}

/* In the encoding that lets the most of them: the value is there, and was asked for rightly. */
static bool
codec_reads_binary(const struct pgconn_codec *codec)
{
    return pgconn_codec_reads_binary(codec, rb_utf8_encindex());
}

const struct pgconn_codec *
pgconn_types_find_binary(VALUE self, Oid oid)
{
    const struct pgconn_codec *codec = pgconn_types_find(self, oid);
    VALUE kept;

    if (codec_reads_binary(codec)) return codec;
    kept = NIL_P(self) ? rb_ary_new() : registry_get(self)->kept;
    for (long i = RARRAY_LEN(kept) - 1; i >= 0; i--) {
        codec = RTYPEDDATA_DATA(rb_ary_entry(kept, i));
        if (codec->oid == oid && codec_reads_binary(codec)) return codec;
    }
    codec = pgconn_codec_find(oid);
    return codec_reads_binary(codec) ? codec : &pgconn_codec_unreadable;
}

bool
pgconn_types_read_binary(VALUE registry, const PGresult *result, int encoding_index)
{
    for (int i = 0; i < PQnfields(result); i++) {
        const struct pgconn_codec *codec = pgconn_types_find(registry, PQftype(result, i));

        if (!pgconn_codec_reads_binary(codec, encoding_index)) return false;
    }
    return true;
}

unsigned long
pgconn_types_generation(VALUE self)
{
    return NIL_P(self) ? 0 : registry_get(self)->generation;
}

bool
pgconn_types_ask(VALUE self)
{
    return !NIL_P(self) && registry_get(self)->asks;
}

bool
pgconn_types_take_any(VALUE self)
{
    return !NIL_P(self) && registry_get(self)->takes_any;
}

static VALUE
registry_codecs(VALUE self)
{
    return registry_get(self)->codecs;
}

static int
codec_note(VALUE oid, VALUE object, VALUE argument)
{
    struct registry *registry = (struct registry *)argument;
    const struct pgconn_codec *codec = pgconn_owned_codec_get(object);

    (void)oid;
    if (codec->convert) registry->asks = true;
    if (codec->takes_any) registry->takes_any = true;
    return ST_CONTINUE;
}

static int
codec_keep(VALUE oid, VALUE object, VALUE self)
{
    struct registry *registry = registry_get(self);

    if (rb_hash_lookup(registry->codecs, oid) != object) rb_ary_push(registry->kept, object);
    return ST_CONTINUE;
}

/* Replaces all codecs at once: whoever looks for one finds either the earlier ones or these. */
static VALUE
registry_store(VALUE self, VALUE codecs)
{
    struct registry *registry = registry_get(self), noted = {0};

    Check_Type(codecs, T_HASH);
    rb_hash_foreach(codecs, codec_note, (VALUE)&noted);
    rb_hash_foreach(codecs, codec_keep, self);
    RB_OBJ_WRITE(self, &registry->codecs, rb_obj_freeze(codecs));
    registry->asks = noted.asks;
    registry->takes_any = noted.takes_any;
    registry->generation++;
    return self;
}

/*
 * Decodes a value without a server, as Pgconn::Codec.decode does for built-in types: for specs.
 */
static VALUE
registry_decode(VALUE self, VALUE oid, VALUE bytes, VALUE format)
{
    VALUE value = pgconn_codec_decode(pgconn_types_find(self, NUM2UINT(oid)), bytes, format);

    RB_GC_GUARD(self);
    return value;
}

/*
 * Document-class: Pgconn::Types::Registry
 *
 * The types that have been registered, of one database.
 * @api private
 */
void
Init_pgconn_types(void)
{
    rb_cPgconnRegistry = rb_define_class_under(rb_path2class("Pgconn::Types"), "Registry",
                                               rb_cObject);
    rb_gc_register_mark_object(rb_cPgconnRegistry);
    rb_define_alloc_func(rb_cPgconnRegistry, registry_allocate);
    rb_define_private_method(rb_cPgconnRegistry, "codecs", registry_codecs, 0);
    rb_define_private_method(rb_cPgconnRegistry, "store", registry_store, 1);
    rb_define_private_method(rb_cPgconnRegistry, "decode", registry_decode, 3);
}
