#include "result.h"

#include "codec.h"
#include "row.h"

static VALUE rb_cPgconnResult, rb_cPgconnColumn;

struct result {
    PGresult *pg;
    const struct pgconn_codec **codecs; /* one for each column */
    VALUE names;
    VALUE index;
    int encoding_index;
    ssize_t memory; /* of the PGresult, as told to the collector */
};

static void
result_mark(void *data)
{
    struct result *result = data;

    rb_gc_mark_movable(result->names);
    rb_gc_mark_movable(result->index);
}

static void
result_compact(void *data)
{
    struct result *result = data;

    result->names = rb_gc_location(result->names);
    result->index = rb_gc_location(result->index);
}

static void
result_free(void *data)
{
    struct result *result = data;

    PQclear(result->pg);
    rb_gc_adjust_memory_usage(-result->memory);
    xfree(result->codecs);
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
pgconn_result_new(int encoding_index)
{
    struct result *result;
    VALUE self = TypedData_Make_Struct(rb_cPgconnResult, struct result, &result_type, result);

    result->names = result->index = Qnil;
    result->encoding_index = encoding_index;
    return self;
}

static void
result_plan(VALUE self, struct result *result)
{
    int column, columns = PQnfields(result->pg);
    VALUE names = rb_ary_new_capa(columns);

    result->codecs = ALLOC_N(const struct pgconn_codec *, columns);
    for (column = 0; column < columns; column++) {
        const char *name = PQfname(result->pg, column);
        VALUE string = rb_enc_str_new(name, strlen(name),
                                      rb_enc_from_index(result->encoding_index));

        rb_ary_push(names, rb_str_freeze(string));
        result->codecs[column] = pgconn_codec_find(PQftype(result->pg, column));
    }
    RB_OBJ_WRITE(self, &result->names, rb_obj_freeze(names));
    RB_OBJ_WRITE(self, &result->index, pgconn_row_index(names));
}

void
pgconn_result_adopt(VALUE self, PGresult *pg)
{
    struct result *result = result_get(self);

    result->pg = pg;
    result->memory = PQresultMemorySize(pg);
    rb_gc_adjust_memory_usage(result->memory);
    if (PQresultStatus(pg) == PGRES_TUPLES_OK) result_plan(self, result);
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
result_decode(const struct result *result, int row, int column)
{
    const struct pgconn_codec *codec = result->codecs[column];
    struct pgconn_input input;

    if (PQgetisnull(result->pg, row, column)) return Qnil;
    input.data = PQgetvalue(result->pg, row, column);
    input.length = PQgetlength(result->pg, row, column);
    input.encoding_index = result->encoding_index;
    return codec->decode_text(codec, input);
}

VALUE
pgconn_result_row(VALUE self, long row)
{
    const struct result *result = result_get(self);
    int column, columns = PQnfields(result->pg);
    VALUE buffer, *values = ALLOCV_N(VALUE, buffer, columns);
    VALUE made;

    /* A decoder may run the collector, which looks at all of a buffer on the heap. */
    for (column = 0; column < columns; column++) values[column] = Qnil;
    for (column = 0; column < columns; column++)
        values[column] = result_decode(result, (int)row, column);
    made = pgconn_row_new(result->names, result->index, columns, values);
    ALLOCV_END(buffer);
    RB_GC_GUARD(self);
    return made;
}

VALUE
pgconn_result_value(VALUE self, long row, long column)
{
    VALUE value = result_decode(result_get(self), (int)row, (int)column);

    RB_GC_GUARD(self);
    return value;
}

long
pgconn_result_column(VALUE self, VALUE column)
{
    const struct result *result = result_get(self);
    long columns = PQnfields(result->pg), at;
    VALUE found;

    if (RB_TYPE_P(column, T_STRING) || RB_TYPE_P(column, T_SYMBOL)) {
        found = rb_hash_lookup2(result->index, column, Qundef);
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
    ID keywords[] = {rb_intern("name"),          rb_intern("type_oid"),  rb_intern("internal_size"),
                     rb_intern("type_modifier"), rb_intern("table_oid"), rb_intern("table_column")};
    VALUE values[] = {
        rb_ary_entry(result->names, column),    UINT2NUM(PQftype(result->pg, column)),
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
    const struct result *result = result_get(self);
    int column, columns = PQnfields(result->pg);
    VALUE description = rb_ary_new_capa(columns);

    for (column = 0; column < columns; column++)
        rb_ary_push(description, column_new(result, column));
    RB_GC_GUARD(self);
    return rb_obj_freeze(description);
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
}
