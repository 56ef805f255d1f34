#include "rows.h"

#include "pg_result.h"
#include "row.h"

/* So many are collected before they are handed to the Array, which takes them quicker together. */
#define CHUNK 64

static ID id_call;

static VALUE
result_decode(const struct pgconn_result *result, const struct pgconn_plan *plan, int row,
              int column)
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

/* One reading of a result: of a value, of rows... */
struct reading {
    VALUE object;
    struct pgconn_result *result;
    const struct pgconn_plan *plan;
    const struct pgconn_row_shape *shape;
    VALUE *values; /* room for those of a row; holds nothing but objects from the beginning */
    struct pgconn_row_pool pool;
    long row; /* the next */
    long count;
    const VALUE *current; /* the cursor's result, which a user's callable may replace */
    long *position;       /* of the cursor, which goes on with each row; or NULL */
    int column;
};

static VALUE
shape_apply(struct reading *reading)
{
    const struct pgconn_columns *columns = pgconn_columns_get(reading->plan->columns);
    VALUE array;

    switch (reading->shape->kind) {
    case PGCONN_ROW_ARRAY:
        return rb_ary_new_from_values(columns->count, reading->values);
    case PGCONN_ROW_HASH:
        return hash_new(columns, reading->values);
    case PGCONN_ROW_STRUCT:
        return struct_new(reading->result->plan, columns, reading->values);
    case PGCONN_ROW_CALL:
        array = rb_ary_new_from_values(columns->count, reading->values);
        return rb_funcall(reading->shape->callable, id_call, 2,
                          pgconn_result_description(reading->object), array);
    default:
        return pgconn_row_pool_make(&reading->pool, reading->values);
    }
}

/* Whether the cursor's position is one in this result. */
static bool
reading_is_current(const struct reading *reading)
{
    return reading->position && *reading->current == reading->object;
}

static VALUE
row_read(struct reading *reading)
{
    int row = (int)reading->row++;

    if (reading_is_current(reading)) *reading->position = reading->row;
    for (int column = 0; column < reading->plan->count; column++) {
        reading->values[column] = result_decode(reading->result, reading->plan, row, column);
    }
    return shape_apply(reading);
}

static int
chunk_size(long count)
{
    return count < CHUNK ? (int)count : CHUNK;
}

static VALUE
row_read_one(VALUE arg)
{
    return row_read((struct reading *)arg);
}

/* Goes on where the cursor is, which a user's callable may have moved; false at the end. */
static bool
reading_follow(struct reading *reading)
{
    if (reading_is_current(reading)) reading->row = *reading->position;
    return reading->row < PQntuples(reading->result->pg);
}

static VALUE
rows_read(VALUE arg)
{
    struct reading *reading = (struct reading *)arg;
    VALUE rows = rb_ary_new_capa(reading->count), chunk[CHUNK];

    while (reading->count > 0) {
        int count = chunk_size(reading->count), made = 0;

        while (made < count && reading_follow(reading)) chunk[made++] = row_read(reading);
        rb_ary_cat(rows, chunk, made);
        reading->count -= made;
        if (made < count) break;
    }
    return rows;
}

static VALUE
value_read(VALUE arg)
{
    struct reading *reading = (struct reading *)arg;

    return result_decode(reading->result, reading->plan, (int)reading->row, reading->column);
}

static VALUE
column_read(VALUE arg)
{
    struct reading *reading = (struct reading *)arg;
    VALUE values = rb_ary_new_capa(reading->count), chunk[CHUNK];

    while (reading->count > 0) {
        int count = chunk_size(reading->count);

        for (int i = 0; i < count; i++, ++reading->row) chunk[i] = value_read(arg);
        rb_ary_cat(values, chunk, count);
        reading->count -= count;
    }
    return values;
}

static VALUE
reading_end(VALUE arg)
{
    struct reading *reading = (struct reading *)arg;

    pgconn_row_pool_finish(&reading->pool);
    reading->result->users--;
    return Qnil;
}

static VALUE
reading_run(VALUE object, struct reading *reading, VALUE (*read)(VALUE))
{
    struct pgconn_result *result = pgconn_result_get(object);
    VALUE plan = result->plan, buffer, made;

    reading->object = object;
    reading->result = result;
    reading->plan = pgconn_plan_get(plan);
    reading->values = ALLOCV_N(VALUE, buffer, reading->plan->count);
    /* A decoder may run the collector, which looks at all of a buffer on the heap. */
    rb_mem_clear(reading->values, reading->plan->count);
    pgconn_row_pool_start(&reading->pool, reading->plan->columns, reading->plan->count,
                          reading->count);
    result->users++;
    made = rb_ensure(read, (VALUE)reading, reading_end, (VALUE)reading);
    ALLOCV_END(buffer);
    RB_GC_GUARD(object);
    RB_GC_GUARD(plan);
    return made;
}

VALUE
pgconn_rows_one(VALUE result, long row, const struct pgconn_row_shape *shape)
{
    struct reading reading = {.shape = shape, .row = row, .count = 1};

    return reading_run(result, &reading, row_read_one);
}

VALUE
pgconn_rows_many(const VALUE *current, long *position, long count,
                 const struct pgconn_row_shape *shape)
{
    struct reading reading = {
        .shape = shape,
        .row = *position,
        .count = count,
        .current = current,
        .position = position,
    };

    return reading_run(*current, &reading, rows_read);
}

VALUE
pgconn_rows_value(VALUE result, long row, long column)
{
    struct reading reading = {.row = row, .count = 1, .column = (int)column};

    return reading_run(result, &reading, value_read);
}

VALUE
pgconn_rows_column(VALUE result, long row, long column)
{
    struct reading reading = {.row = row, .column = (int)column};

    reading.count = pgconn_result_row_count(result) - row;
    return reading_run(result, &reading, column_read);
}

void
Init_pgconn_rows(void)
{
    id_call = rb_intern("call");
}
