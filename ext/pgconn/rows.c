#include "rows.h"

#include "pg_result.h"

/* So many are collected before they are handed to the Array, which takes them quicker together. */
#define CHUNK 64

static VALUE
result_decode(const struct pgconn_result *result, const struct pgconn_plan *plan, int row,
              int column)
{
    struct pgconn_cell cell = pgconn_pg_result_cell(result->pg, row, column);
    struct pgconn_input input = {cell.value, cell.length, result->encoding_index};

    return pgconn_plan_decode(plan, column, result->binary, input);
}

/* One reading of a result: of a value, of rows... */
struct reading {
    VALUE object;
    struct pgconn_result *result;
    const struct pgconn_plan *plan;
    VALUE *values; /* room for those of a row; holds nothing but objects from the beginning */
    struct pgconn_row_maker maker;
    long row; /* the next */
    long count;
    const VALUE *current; /* the cursor's result, which a user's callable may replace */
    long *position;       /* of the cursor, which goes on with each row; or NULL */
    int column;
};

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
    return pgconn_row_maker_make(&reading->maker, reading->values);
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

    pgconn_row_maker_finish(&reading->maker);
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
    pgconn_row_maker_start(&reading->maker, object, reading->count);
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
    struct reading reading = {.maker.shape = shape, .row = row, .count = 1};

    return reading_run(result, &reading, row_read_one);
}

VALUE
pgconn_rows_many(const VALUE *current, long *position, long count,
                 const struct pgconn_row_shape *shape)
{
    struct reading reading = {
        .maker.shape = shape,
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
pgconn_rows_column(VALUE result, long row, long column, long count)
{
    struct reading reading = {.row = row, .column = (int)column, .count = count};

    return reading_run(result, &reading, column_read);
}
