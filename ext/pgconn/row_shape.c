#include "row_shape.h"

static ID id_call;

static VALUE
hash_new(const struct pgconn_columns *columns, const VALUE *values)
{
    VALUE hash = rb_hash_new(), buffer, *pairs = ALLOCV_N(VALUE, buffer, 2 * columns->count);

    for (long i = 0; i < columns->count; i++) {
        pairs[2 * i] = RARRAY_AREF(columns->keys, i);
        pairs[2 * i + 1] = values[i];
    }
    rb_hash_bulk_insert(2 * columns->count, pairs, hash);
    ALLOCV_END(buffer);
    return hash;
}

/* The value of the Struct's member at a position; of columns with one name the last one's. */
static VALUE
member_value(const struct pgconn_columns *columns, const VALUE *values, VALUE members, long at)
{
    if (RARRAY_LEN(members) == columns->count) return values[at];
    return values[FIX2LONG(rb_hash_lookup(columns->index, rb_ary_entry(members, at)))];
}

/* Without its initialize, which is another method where a column is called so. */
static VALUE
struct_new(VALUE plan, const struct pgconn_columns *columns, const VALUE *values)
{
    VALUE class = pgconn_plan_structure(plan);
    VALUE members = rb_struct_s_members(class), object = rb_struct_alloc_noinit(class);

    for (long i = 0; i < RARRAY_LEN(members); i++) {
        RSTRUCT_SET(object, (int)i, member_value(columns, values, members, i));
    }
    return object;
}

void
pgconn_row_maker_start(struct pgconn_row_maker *maker, VALUE result, long count)
{
    maker->result = result;
    maker->plan = pgconn_result_get(result)->plan;
    maker->columns = pgconn_plan_get(maker->plan)->columns;
    pgconn_row_pool_start(&maker->pool, maker->columns, pgconn_columns_get(maker->columns)->count,
                          count);
}

/* The pool's columns are the same object. */
void
pgconn_row_maker_mark(const struct pgconn_row_maker *maker)
{
    rb_gc_mark(maker->result);
    rb_gc_mark(maker->plan);
    rb_gc_mark(maker->columns);
}

VALUE
pgconn_row_maker_make(struct pgconn_row_maker *maker, const VALUE *values)
{
    const struct pgconn_columns *columns = pgconn_columns_get(maker->columns);
    VALUE array;

    switch (maker->shape->kind) {
    case PGCONN_ROW_ARRAY:
        return rb_ary_new_from_values(columns->count, values);
    case PGCONN_ROW_HASH:
        return hash_new(columns, values);
    case PGCONN_ROW_STRUCT:
        return struct_new(maker->plan, columns, values);
    case PGCONN_ROW_CALL:
        array = rb_ary_new_from_values(columns->count, values);
        return rb_funcall(maker->shape->callable, id_call, 2,
                          pgconn_result_description(maker->result), array);
    default:
        return pgconn_row_pool_make(&maker->pool, values);
    }
}

void
pgconn_row_maker_finish(struct pgconn_row_maker *maker)
{
    pgconn_row_pool_finish(&maker->pool);
}

void
Init_pgconn_row_shape(void)
{
    id_call = rb_intern("call");
}
