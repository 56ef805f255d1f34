#include "row.h"

VALUE rb_cPgconnRow;

struct row {
    VALUE names; /* frozen Array of frozen Strings */
    VALUE index; /* frozen Hash: name to position */
    long size;
    VALUE values[];
};

static void
row_mark(void *data)
{
    struct row *row = data;
    long at;

    if (!row) return;
    rb_gc_mark_movable(row->names);
    rb_gc_mark_movable(row->index);
    for (at = 0; at < row->size; at++) rb_gc_mark_movable(row->values[at]);
}

static void
row_compact(void *data)
{
    struct row *row = data;
    long at;

    if (!row) return;
    row->names = rb_gc_location(row->names);
    row->index = rb_gc_location(row->index);
    for (at = 0; at < row->size; at++) row->values[at] = rb_gc_location(row->values[at]);
}

static size_t
row_memsize(const void *data)
{
    const struct row *row = data;

    return row ? sizeof(*row) + row->size * sizeof(VALUE) : 0;
}

static const rb_data_type_t row_type = {
    .wrap_struct_name = "Pgconn::Row",
    .function = {.dmark = row_mark,
                 .dfree = RUBY_DEFAULT_FREE,
                 .dsize = row_memsize,
                 .dcompact = row_compact},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED | RUBY_TYPED_FROZEN_SHAREABLE,
};

static VALUE
row_allocate(VALUE class)
{
    return TypedData_Wrap_Struct(class, &row_type, NULL);
}

static struct row *
row_get(VALUE self)
{
    struct row *row = rb_check_typeddata(self, &row_type);

    if (!row) rb_raise(rb_eTypeError, "uninitialized Pgconn::Row");
    return row;
}

static void
row_fill(VALUE self, VALUE names, VALUE index, long size, const VALUE *values)
{
    struct row *row = ruby_xmalloc2(sizeof(VALUE), sizeof(struct row) / sizeof(VALUE) + size);
    long at;

    row->size = 0; /* The collector sees nothing that isn't there yet. */
    row->names = row->index = Qnil;
    RTYPEDDATA_DATA(self) = row;
    RB_OBJ_WRITE(self, &row->names, names);
    RB_OBJ_WRITE(self, &row->index, index);
    for (at = 0; at < size; at++) RB_OBJ_WRITE(self, &row->values[at], values[at]);
    row->size = size;
    rb_obj_freeze(self);
}

VALUE
pgconn_row_new(VALUE names, VALUE index, long size, const VALUE *values)
{
    VALUE self = row_allocate(rb_cPgconnRow);

    row_fill(self, names, index, size, values);
    return self;
}

VALUE
pgconn_row_index(VALUE names)
{
    VALUE index = rb_hash_new();
    long at;

    for (at = 0; at < RARRAY_LEN(names); at++) {
        VALUE name = RARRAY_AREF(names, at);
        rb_hash_aset(index, name, LONG2FIX(at));
        rb_hash_aset(index, rb_str_intern(name), LONG2FIX(at));
    }
    return rb_obj_freeze(index);
}

static VALUE
row_at(const struct row *row, long at)
{
    if (at < 0) at += row->size;
    return at < 0 || at >= row->size ? Qnil : row->values[at];
}

/*
 * @overload [](column)
 *   The value in a column.
 *   @param column [Integer, String, Symbol] its position (negative: from the end) or its name; of a
 *     name that occurs twice, the last column
 *   @return [Object, nil] nil also for a position outside of the row
 *   @raise [KeyError] for a name that the row doesn't have
 *   @example
 *     row[0]
 *     row[:name]
 */
static VALUE
row_aref(VALUE self, VALUE column)
{
    const struct row *row = row_get(self);
    VALUE at = column;

    if (RB_TYPE_P(column, T_STRING) || RB_TYPE_P(column, T_SYMBOL)) {
        at = rb_hash_lookup2(row->index, column, Qundef);
        if (at == Qundef) rb_raise(rb_eKeyError, "column not found: %+" PRIsVALUE, column);
    }
    return row_at(row, NUM2LONG(at));
}

/*
 * @return [Array] the values, in the order of the columns
 */
static VALUE
row_to_a(VALUE self)
{
    const struct row *row = row_get(self);

    return rb_ary_new_from_values(row->size, row->values);
}

/*
 * @return [Integer] the number of columns
 */
static VALUE
row_size(VALUE self)
{
    return LONG2NUM(row_get(self)->size);
}

/*
 * @return [Array<String>] the names of the columns
 */
static VALUE
row_names(VALUE self)
{
    return row_get(self)->names;
}

/* Fills a row that Marshal has allocated: [names, values] as marshal_dump gives them. */
static VALUE
row_marshal_load(VALUE self, VALUE dumped)
{
    VALUE names, values;
    long at;

    rb_check_frozen(self);
    Check_Type(dumped, T_ARRAY);
    names = rb_ary_dup(rb_convert_type(rb_ary_entry(dumped, 0), T_ARRAY, "Array", "to_ary"));
    values = rb_convert_type(rb_ary_entry(dumped, 1), T_ARRAY, "Array", "to_ary");
    if (RARRAY_LEN(names) != RARRAY_LEN(values)) rb_raise(rb_eArgError, "a row of another size");
    for (at = 0; at < RARRAY_LEN(names); at++) {
        VALUE name = rb_ary_entry(names, at);
        Check_Type(name, T_STRING);
        rb_ary_store(names, at, rb_str_freeze(rb_str_dup(name)));
    }
    rb_obj_freeze(names);
    row_fill(self, names, pgconn_row_index(names), RARRAY_LEN(values), RARRAY_CONST_PTR(values));
    RB_GC_GUARD(values);
    return self;
}

void
Init_pgconn_row(void)
{
    rb_cPgconnRow = rb_define_class_under(rb_mPgconn, "Row", rb_cObject);
    rb_gc_register_mark_object(rb_cPgconnRow);
    rb_define_alloc_func(rb_cPgconnRow, row_allocate);
    rb_undef_method(rb_singleton_class(rb_cPgconnRow), "new");
    rb_define_method(rb_cPgconnRow, "[]", row_aref, 1);
    rb_define_method(rb_cPgconnRow, "to_a", row_to_a, 0);
    rb_define_method(rb_cPgconnRow, "size", row_size, 0);
    rb_define_method(rb_cPgconnRow, "names", row_names, 0);
    rb_define_private_method(rb_cPgconnRow, "marshal_load", row_marshal_load, 1);
}
