#include "result.h"

#include "pg_result.h"
#include "row.h"

static VALUE rb_cPgconnResult, rb_cPgconnColumn;
static ID id_call;

struct result {
    PGresult *pg;
    VALUE plan;        /* nil where there are no rows */
    VALUE description; /* nil until somebody asks */
    int encoding_index;
    bool binary;    /* the format of all columns */
    ssize_t memory; /* of the PGresult, as told to the collector */
};

static void
result_mark(void *data)
{
    struct result *result = data;

    rb_gc_mark_movable(result->plan);
    rb_gc_mark_movable(result->description);
}

static void
result_compact(void *data)
{
    struct result *result = data;

    result->plan = rb_gc_location(result->plan);
    result->description = rb_gc_location(result->description);
}

static void
result_free(void *data)
{
    struct result *result = data;

    PQclear(result->pg);
    rb_gc_adjust_memory_usage(-result->memory);
    xfree(result);
}

static size_t
result_memsize(const void *data)
{
    const struct result *result = data;

    return sizeof(*result) + result->memory;
}

static const rb_data_type_t result_type = {
    .wrap_struct_name = "Pgconn::Result",
    .function = {.dmark = result_mark,
                 .dfree = result_free,
                 .dsize = result_memsize,
                 .dcompact = result_compact},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static struct result *
result_get(VALUE self)
{
    return rb_check_typeddata(self, &result_type);
}

VALUE
pgconn_result_new(void)
{
    struct result *result;
    VALUE self = TypedData_Make_Struct(rb_cPgconnResult, struct result, &result_type, result);

    result->plan = result->description = Qnil;
    return self;
}

void
pgconn_result_adopt(VALUE self, PGresult *pg, int encoding_index, VALUE registry, VALUE *plan)
{
    struct result *result = result_get(self);

    result->pg = pg;
    result->encoding_index = encoding_index;
    result->memory = PQresultMemorySize(pg);
    rb_gc_adjust_memory_usage(result->memory);
    if (PQresultStatus(pg) != PGRES_TUPLES_OK) return;
    result->binary = PQbinaryTuples(pg);
    if (!pgconn_plan_fits(*plan, pg, encoding_index, registry)) {
        *plan = pgconn_plan_new(pg, encoding_index, registry);
    }
    RB_OBJ_WRITE(self, &result->plan, *plan);
}

const PGresult *
pgconn_result_pg(VALUE self)
{
    return result_get(self)->pg;
}

bool
pgconn_result_has_rows(VALUE self)
{
    return PQresultStatus(result_get(self)->pg) == PGRES_TUPLES_OK;
}

long
pgconn_result_row_count(VALUE self)
{
    return PQntuples(result_get(self)->pg);
}

static VALUE
result_decode(const struct result *result, const struct pgconn_plan *plan, int row, int column)
{
    struct pgconn_cell cell = pgconn_pg_result_cell(result->pg, row, column);
    const struct pgconn_codec *codec = plan->codecs[column];
    struct pgconn_input input = {cell.value, cell.length, result->encoding_index};

    if (cell.length < 0) return Qnil;
    return result->binary ? codec->decode_binary(codec, input) : codec->decode_text(codec, input);
}

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

/* Of columns with one name the last one's value. */
static VALUE
struct_new_of_unique(VALUE class, const struct pgconn_columns *columns, const VALUE *values)
{
    VALUE members = rb_struct_s_members(class), arguments = rb_ary_new();

    for (long i = 0; i < RARRAY_LEN(members); i++) {
        VALUE at = rb_hash_lookup(columns->index, rb_ary_entry(members, i));

        rb_ary_push(arguments, values[FIX2LONG(at)]);
    }
    return rb_struct_alloc(class, arguments);
}

static VALUE
struct_new(VALUE columns_object, const struct pgconn_columns *columns, const VALUE *values)
{
    VALUE class = pgconn_columns_structure(columns_object);

    if (RHASH_SIZE(columns->index) == 2 * (size_t)columns->count) {
        return rb_class_new_instance((int)columns->count, values, class);
    }
    return struct_new_of_unique(class, columns, values);
}

/* The making of rows of one result. */
struct row_maker {
    VALUE result;
    const struct pgconn_row_shape *shape;
    VALUE columns;
    VALUE *values; /* room for those of a row; holds nothing but objects from the beginning */
    struct pgconn_row_pool pool;
};

static VALUE
shape_apply(struct row_maker *maker)
{
    const struct pgconn_columns *columns = pgconn_columns_get(maker->columns);
    VALUE array;

    switch (maker->shape->kind) {
    case PGCONN_ROW_ARRAY:
        return rb_ary_new_from_values(columns->count, maker->values);
    case PGCONN_ROW_HASH:
        return hash_new(columns, maker->values);
    case PGCONN_ROW_STRUCT:
        return struct_new(maker->columns, columns, maker->values);
    case PGCONN_ROW_CALL:
        array = rb_ary_new_from_values(columns->count, maker->values);
        return rb_funcall(maker->shape->callable, id_call, 2,
                          pgconn_result_description(maker->result), array);
    default:
        return pgconn_row_pool_make(&maker->pool, maker->values);
    }
}

static VALUE
row_make(struct row_maker *maker, long row)
{
    const struct result *result = RTYPEDDATA_DATA(maker->result);
    const struct pgconn_plan *plan = pgconn_plan_get(result->plan);

    for (int column = 0; column < plan->count; column++) {
        maker->values[column] = result_decode(result, plan, (int)row, column);
    }
    return shape_apply(maker);
}

/* A decoder may run the collector, which looks at all of a buffer on the heap. */
static void
values_clear(VALUE *values, long count)
{
    for (long i = 0; i < count; i++) values[i] = Qnil;
}

/* A row, or an Array of them. */
struct row_run {
    struct row_maker maker;
    long *position;
    long count; /* -1: one row by itself */
};

static VALUE
row_run_start(VALUE arg)
{
    struct row_run *run = (struct row_run *)arg;
    VALUE rows;

    if (run->count < 0) return row_make(&run->maker, *run->position);
    rows = rb_ary_new_capa(run->count);
    for (; run->count > 0; run->count--) {
        /* A callable may have moved the cursor. */
        if (*run->position >= pgconn_result_row_count(run->maker.result)) break;
        rb_ary_push(rows, row_make(&run->maker, (*run->position)++));
    }
    return rows;
}

static VALUE
row_run_end(VALUE arg)
{
    pgconn_row_pool_finish(&((struct row_run *)arg)->maker.pool);
    return Qnil;
}

static VALUE
row_run_make(VALUE self, struct row_run *run)
{
    const struct result *result = result_get(self);
    const struct pgconn_plan *plan = pgconn_plan_get(result->plan);
    VALUE buffer, made;

    run->maker.result = self;
    run->maker.columns = plan->columns;
    run->maker.values = ALLOCV_N(VALUE, buffer, plan->count);
    values_clear(run->maker.values, plan->count);
    pgconn_row_pool_start(&run->maker.pool, plan->columns, plan->count, labs(run->count));
    made = rb_ensure(row_run_start, (VALUE)run, row_run_end, (VALUE)run);
    ALLOCV_END(buffer);
    RB_GC_GUARD(self);
    return made;
}

VALUE
pgconn_result_row(VALUE self, long row, const struct pgconn_row_shape *shape)
{
    struct row_run run = {.maker = {.shape = shape}, .position = &row, .count = -1};

    return row_run_make(self, &run);
}

VALUE
pgconn_result_rows(VALUE self, long *position, long count, const struct pgconn_row_shape *shape)
{
    struct row_run run = {.maker = {.shape = shape}, .position = position, .count = count};

    return row_run_make(self, &run);
}

VALUE
pgconn_result_value(VALUE self, long row, long column)
{
    const struct result *result = result_get(self);
    VALUE value = result_decode(result, pgconn_plan_get(result->plan), (int)row, (int)column);

    RB_GC_GUARD(self);
    return value;
}

VALUE
pgconn_result_values(VALUE self, long row, long column)
{
    const struct result *result = result_get(self);
    const struct pgconn_plan *plan = pgconn_plan_get(result->plan);
    long count = PQntuples(result->pg);
    VALUE values = rb_ary_new_capa(count - row);

    for (; row < count; row++) {
        rb_ary_push(values, result_decode(result, plan, (int)row, (int)column));
    }
    RB_GC_GUARD(self);
    return values;
}

long
pgconn_result_column(VALUE self, VALUE column)
{
    const struct result *result = result_get(self);
    const struct pgconn_plan *plan = pgconn_plan_get(result->plan);
    long columns = plan->count, at;
    VALUE found;

    if (RB_TYPE_P(column, T_STRING) || RB_TYPE_P(column, T_SYMBOL)) {
        found = rb_hash_lookup2(pgconn_columns_get(plan->columns)->index, column, Qundef);
        if (found == Qundef) rb_raise(rb_eKeyError, "column not found: %+" PRIsVALUE, column);
        return NUM2LONG(found);
    }
    at = NUM2LONG(column);
    if (at < -columns || at >= columns) {
        rb_raise(rb_eIndexError, "column %ld is outside of the %ld columns", at, columns);
    }
    return at < 0 ? at + columns : at;
}

static VALUE
column_new(const struct result *result, int column)
{
    const struct pgconn_columns *columns = pgconn_columns_get(
        pgconn_plan_get(result->plan)->columns);
    ID keywords[] = {rb_intern("name"),          rb_intern("type_oid"),  rb_intern("internal_size"),
                     rb_intern("type_modifier"), rb_intern("table_oid"), rb_intern("table_column")};
    VALUE values[] = {
        rb_ary_entry(columns->names, column),   UINT2NUM(PQftype(result->pg, column)),
        INT2NUM(PQfsize(result->pg, column)),   INT2NUM(PQfmod(result->pg, column)),
        UINT2NUM(PQftable(result->pg, column)), INT2NUM(PQftablecol(result->pg, column)),
    };
    VALUE arguments = rb_hash_new();
    size_t at;

    for (at = 0; at < sizeof(keywords) / sizeof(keywords[0]); at++) {
        rb_hash_aset(arguments, ID2SYM(keywords[at]), values[at]);
    }
    return rb_class_new_instance_kw(1, &arguments, rb_cPgconnColumn, RB_PASS_KEYWORDS);
}

VALUE
pgconn_result_description(VALUE self)
{
    struct result *result = result_get(self);
    int columns = PQnfields(result->pg);
    VALUE description;

    if (!NIL_P(result->description)) return result->description;
    description = rb_ary_new_capa(columns);
    for (int column = 0; column < columns; column++) {
        rb_ary_push(description, column_new(result, column));
    }
    RB_OBJ_WRITE(self, &result->description, rb_obj_freeze(description));
    RB_GC_GUARD(self);
    return description;
}

long
pgconn_result_affected(VALUE self)
{
    PGresult *pg = result_get(self)->pg;
    const char *rows = PQcmdTuples(pg);

    if (PQresultStatus(pg) == PGRES_TUPLES_OK) return PQntuples(pg);
    return *rows ? NUM2LONG(rb_cstr_to_inum(rows, 10, 0)) : -1;
}

void
Init_pgconn_result(void)
{
    /* Without a name: no user meets one. */
    rb_cPgconnResult = rb_class_new(rb_cObject);
    rb_gc_register_mark_object(rb_cPgconnResult);
    rb_undef_alloc_func(rb_cPgconnResult);
    rb_cPgconnColumn = rb_const_get(rb_mPgconn, rb_intern("Column"));
    rb_gc_register_mark_object(rb_cPgconnColumn);
    id_call = rb_intern("call");
}
