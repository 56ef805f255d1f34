#include "columns.h"

static VALUE rb_cPgconnColumns;

static void
columns_mark(void *data)
{
    const struct pgconn_columns *columns = data;

    rb_gc_mark_movable(columns->names);
    rb_gc_mark_movable(columns->index);
    rb_gc_mark_movable(columns->keys);
}

static void
columns_compact(void *data)
{
    struct pgconn_columns *columns = data;

    columns->names = rb_gc_location(columns->names);
    columns->index = rb_gc_location(columns->index);
    columns->keys = rb_gc_location(columns->keys);
}

static size_t
columns_memsize(const void *data)
{
    (void)data;
    return sizeof(struct pgconn_columns);
}

static const rb_data_type_t columns_type = {
    .wrap_struct_name = "Pgconn::Columns",
    .function = {.dmark = columns_mark,
                 .dfree = RUBY_DEFAULT_FREE,
                 .dsize = columns_memsize,
                 .dcompact = columns_compact},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED | RUBY_TYPED_FROZEN_SHAREABLE,
};

const struct pgconn_columns *
pgconn_columns_get(VALUE columns)
{
    return RTYPEDDATA_DATA(columns);
}

static VALUE
index_new(VALUE names, VALUE keys)
{
    VALUE index = rb_hash_new();

    for (long i = 0; i < RARRAY_LEN(names); i++) {
        rb_hash_aset(index, RARRAY_AREF(names, i), LONG2FIX(i));
        rb_hash_aset(index, RARRAY_AREF(keys, i), LONG2FIX(i));
    }
    return rb_obj_freeze(index);
}

static VALUE
keys_new(VALUE names)
{
    VALUE keys = rb_ary_new_capa(RARRAY_LEN(names));

    for (long i = 0; i < RARRAY_LEN(names); i++) {
        rb_ary_push(keys, rb_str_intern(RARRAY_AREF(names, i)));
    }
    return rb_obj_freeze(keys);
}

VALUE
pgconn_columns_new(VALUE names)
{
    struct pgconn_columns *columns;
    VALUE self = TypedData_Make_Struct(rb_cPgconnColumns, struct pgconn_columns, &columns_type,
                                       columns);

    columns->names = columns->index = columns->keys = Qnil;
    columns->count = RARRAY_LEN(names);
    RB_OBJ_WRITE(self, &columns->names, rb_obj_freeze(names));
    RB_OBJ_WRITE(self, &columns->keys, keys_new(names));
    RB_OBJ_WRITE(self, &columns->index, index_new(names, columns->keys));
    return rb_obj_freeze(self);
}

void
Init_pgconn_columns(void)
{
    rb_cPgconnColumns = rb_class_new(rb_cObject);
    rb_gc_register_mark_object(rb_cPgconnColumns);
    rb_undef_alloc_func(rb_cPgconnColumns);
}
