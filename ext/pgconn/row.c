#include "row.h"

#include <ruby/atomic.h>

VALUE rb_cPgconnRow;

/* About so many bytes of rows are allocated at once. */
#define PAGE_BYTES 1024

/*
 * Rows that were allocated together; freed with the last of them. Another Ractor's collection may
 * free rows while the one that made them makes more: the count is atomic.
 */
struct pgconn_row_page {
    rb_atomic_t users; /* the rows, also those that are still to be made */
    VALUE memory[];    /* of the rows */
};

struct row {
    VALUE columns;   /* a pgconn_columns */
    uint32_t size;   /* of the values */
    uint32_t offset; /* from the beginning of the page */
    VALUE values[];
};

static void
row_mark(void *data)
{
    const struct row *row = data;

    if (!row) return;
    rb_gc_mark_movable(row->columns);
    for (uint32_t i = 0; i < row->size; i++) {
        if (!RB_SPECIAL_CONST_P(row->values[i])) rb_gc_mark_movable(row->values[i]);
    }
}

static void
row_compact(void *data)
{
    struct row *row = data;

    if (!row) return;
    row->columns = rb_gc_location(row->columns);
    for (uint32_t i = 0; i < row->size; i++) row->values[i] = rb_gc_location(row->values[i]);
}

static void
page_leave(struct pgconn_row_page *page, rb_atomic_t users)
{
    if (RUBY_ATOMIC_FETCH_SUB(page->users, users) == users) xfree(page);
}

static void
row_free(void *data)
{
    struct row *row = data;

    if (row) page_leave((struct pgconn_row_page *)((char *)row - row->offset), 1);
}

static size_t
row_size_of(long count)
{
    return sizeof(struct row) + (size_t)count * sizeof(VALUE);
}

static size_t
row_memsize(const void *data)
{
    const struct row *row = data;

    return row ? row_size_of(row->size) : 0;
}

static const rb_data_type_t row_type = {
    .wrap_struct_name = "Pgconn::Row",
    .function = {.dmark = row_mark,
                 .dfree = row_free,
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
    struct row *row = pgconn_typed_data(self, &row_type);

    if (!row) rb_raise(rb_eTypeError, "uninitialized Pgconn::Row");
    return row;
}

static struct pgconn_row_page *
page_new(long rows, long count)
{
    struct pgconn_row_page *page = ruby_xmalloc(sizeof(*page) + (size_t)rows * row_size_of(count));

    page->users = (rb_atomic_t)rows;
    return page;
}

static struct row *
row_fill(struct pgconn_row_page *page, char *at, VALUE columns, long count, const VALUE *values)
{
    struct row *row = (struct row *)at;

    row->columns = columns;
    row->size = (uint32_t)count;
    row->offset = (uint32_t)(at - (char *)page);
    memcpy(row->values, values, (size_t)count * sizeof(VALUE));
    return row;
}

/*
 * The values are in place before there is an object that holds them, which needs no write barriers
 * therefore; until then the caller's own array keeps them.
 */
static VALUE
row_wrap(struct row *row)
{
    VALUE self = TypedData_Wrap_Struct(rb_cPgconnRow, &row_type, row);

    RB_OBJ_FREEZE(self);
    return self;
}

VALUE
pgconn_row_new(VALUE columns, long count, const VALUE *values)
{
    struct pgconn_row_page *page = page_new(1, count);

    return row_wrap(row_fill(page, (char *)page->memory, columns, count, values));
}

void
pgconn_row_pool_start(struct pgconn_row_pool *pool, VALUE columns, long count, long rows)
{
    pool->columns = columns;
    pool->count = count;
    pool->planned = rows;
    pool->page = NULL;
    pool->left = 0;
}

static void
pool_turn(struct pgconn_row_pool *pool)
{
    long rows = PAGE_BYTES / (long)row_size_of(pool->count);

    pgconn_row_pool_finish(pool);
    if (rows > pool->planned) rows = pool->planned;
    if (rows < 1) rows = 1;
    pool->page = page_new(rows, pool->count);
    pool->next = (char *)pool->page->memory;
    pool->left = rows;
}

VALUE
pgconn_row_pool_make(struct pgconn_row_pool *pool, const VALUE *values)
{
    struct row *row;
    VALUE self;

    if (pool->left == 0) pool_turn(pool);
    row = row_fill(pool->page, pool->next, pool->columns, pool->count, values);
    self = row_wrap(row);
    pool->next += row_size_of(pool->count);
    pool->left--;
    pool->planned--;
    return self;
}

void
pgconn_row_pool_finish(struct pgconn_row_pool *pool)
{
    if (pool->left > 0) page_leave(pool->page, (rb_atomic_t)pool->left);
    pool->page = NULL;
    pool->left = 0;
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
        at = rb_hash_lookup2(pgconn_columns_get(row->columns)->index, column, Qundef);
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
    return pgconn_columns_get(row_get(self)->columns)->names;
}

/* Fills a row that Marshal has allocated: [names, values] as marshal_dump gives them. */
static VALUE
row_marshal_load(VALUE self, VALUE dumped)
{
    struct pgconn_row_page *page;
    VALUE names, values, columns;
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
    columns = pgconn_columns_new(names);
    page = page_new(1, RARRAY_LEN(values));
    RTYPEDDATA_DATA(self) = row_fill(page, (char *)page->memory, columns, RARRAY_LEN(values),
                                     RARRAY_CONST_PTR(values));
    rb_gc_writebarrier_unprotect(self); /* it may be an old object already */
    rb_obj_freeze(self);
    RB_GC_GUARD(columns);
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
