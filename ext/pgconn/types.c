#include "types.h"

static VALUE rb_cPgconnRegistry;

struct registry {
    VALUE codecs; /* Hash: OID to the object that holds the codec */
    VALUE kept;   /* Array of all of these objects that there were */
    unsigned long generation;
    bool asks;
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
    RB_OBJ_WRITE(self, &registry->codecs, rb_hash_new());
    RB_OBJ_WRITE(self, &registry->kept, rb_ary_new());
    return self;
}

static struct registry *
registry_get(VALUE self)
{
    return rb_check_typeddata(self, &registry_type);
}

const struct pgconn_codec *
pgconn_types_find(VALUE self, Oid oid)
{
    VALUE found = Qnil;

    if (!NIL_P(self)) found = rb_hash_lookup(registry_get(self)->codecs, UINT2NUM(oid));
    return NIL_P(found) ? pgconn_codec_find(oid) : RTYPEDDATA_DATA(found);
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

void
Init_pgconn_types(void)
{
    rb_cPgconnRegistry = rb_define_class_under(rb_path2class("Pgconn::Types"), "Registry",
                                               rb_cObject);
    rb_gc_register_mark_object(rb_cPgconnRegistry);
    rb_define_alloc_func(rb_cPgconnRegistry, registry_allocate);
}
