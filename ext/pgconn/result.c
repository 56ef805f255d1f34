#include "result.h"

static VALUE rb_cPgconnResult, rb_cPgconnColumn;

static void
result_mark(void *data)
{
    struct pgconn_result *result = data;

    rb_gc_mark_movable(result->plan);
    rb_gc_mark_movable(result->description);
}

static void
result_compact(void *data)
{
    struct pgconn_result *result = data;

    result->plan = rb_gc_location(result->plan);
    result->description = rb_gc_location(result->description);
}

static void
result_free(void *data)
{
    struct pgconn_result *result = data;

    PQclear(result->pg);
    rb_gc_adjust_memory_usage(-result->memory);
    xfree(result);
}

static size_t
result_memsize(const void *data)
{
    const struct pgconn_result *result = data;

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

struct pgconn_result *
pgconn_result_get(VALUE self)
{
    return pgconn_typed_data(self, &result_type);
}

VALUE
pgconn_result_new(void)
{
    struct pgconn_result *result;
    VALUE self = TypedData_Make_Struct(rb_cPgconnResult, struct pgconn_result, &result_type,
                                       result);

    result->plan = result->description = Qnil;
    return self;
}

/* A SELECT may have none; what describes a portal has columns and is no answer with rows. */
static bool
has_columns(const PGresult *pg)
{
    return PQresultStatus(pg) == PGRES_TUPLES_OK || PQnfields(pg) > 0;
}

void
pgconn_result_adopt(VALUE self, PGresult *pg, int encoding_index, VALUE registry, VALUE *plan)
{
    struct pgconn_result *result = pgconn_result_get(self);

    result->pg = pg;
    result->encoding_index = encoding_index;
    result->summed = -1;
    result->memory = PQresultMemorySize(pg);
    rb_gc_adjust_memory_usage(result->memory);
    if (!has_columns(pg)) return;
    result->binary = PQbinaryTuples(pg);
    if (!pgconn_plan_fits(*plan, pg, encoding_index, registry)) {
        *plan = pgconn_plan_new(pg, encoding_index, registry);
    }
    RB_OBJ_WRITE(self, &result->plan, *plan);
}

bool
pgconn_result_release(VALUE self)
{
    struct pgconn_result *result = pgconn_result_get(self);

    if (result->users > 0) return false;
    PQclear(result->pg);
    rb_gc_adjust_memory_usage(-result->memory);
    result->pg = NULL;
    result->memory = 0;
    result->plan = result->description = Qnil;
    return true;
}

const PGresult *
pgconn_result_pg(VALUE self)
{
    return pgconn_result_get(self)->pg;
}

bool
pgconn_result_has_rows(VALUE self)
{
    return has_columns(pgconn_result_get(self)->pg);
}

long
pgconn_result_row_count(VALUE self)
{
    return PQntuples(pgconn_result_get(self)->pg);
}

long
pgconn_result_column(VALUE self, VALUE column)
{
    const struct pgconn_result *result = pgconn_result_get(self);
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
column_new(const struct pgconn_result *result, int column)
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
    struct pgconn_result *result = pgconn_result_get(self);
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

void
pgconn_result_set_affected(VALUE self, long rows)
{
    pgconn_result_get(self)->summed = rows;
}

long
pgconn_result_affected(VALUE self)
{
    const struct pgconn_result *result = pgconn_result_get(self);
    PGresult *pg = result->pg;
    const char *rows = PQcmdTuples(pg);

    if (result->summed >= 0) return result->summed;
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
}
