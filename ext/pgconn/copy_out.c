#include "copy.h"

#include "row.h"

/* Drops what was read, and adds what has come meanwhile. False at the end. */
static bool
copy_receive(struct pgconn_copy *copy)
{
    struct pgconn_buffer *bytes = &copy->bytes, *come;

    pgconn_copy_check_time(copy);
    if (!copy->flight && NIL_P(copy->result)) {
        pgconn_error_raise(rb_ePgconnProgrammingError, "the COPY was ended by rewind");
    }
    if (!copy->flight) return false;
    if (bytes->length > 0)
        memmove(bytes->data, bytes->data + copy->read, bytes->length - copy->read);
    bytes->length -= copy->read;
    copy->read = 0;
    come = &copy->transfer->bytes;
    if (come->length == 0) pgconn_copy_resume(copy);
    if (!copy->flight) return false;
    copy->byte_count += (long long)come->length;
    if (bytes->length == 0) pgconn_copy_swap(copy);
    else pgconn_buffer_append(bytes, come->data, come->length);
    pgconn_copy_check_memory(bytes);
    copy->transfer->bytes.length = 0;
    return true;
}

/*
 * @return [String, nil] the next piece of data, in the client encoding or, where it is binary,
 *   ASCII-8BIT; nil at the end
 */
static VALUE
copy_read(VALUE self)
{
    struct pgconn_copy *copy = pgconn_copy_get(self);
    VALUE data;

    if (!copy_receive(copy)) return Qnil;
    data = rb_enc_str_new(copy->bytes.data, (long)copy->bytes.length,
                          rb_enc_from_index(pgconn_copy_encoding_index(copy)));
    copy->read = copy->bytes.length;
    pgconn_copy_tell_progress(copy);
    RB_GC_GUARD(self);
    return data;
}

struct reading {
    struct pgconn_copy *copy;
    VALUE *values;
    bool headed; /* what stands ahead of the rows was read */
};

static struct pgconn_reader
reading_reader(const struct reading *reading)
{
    const struct pgconn_buffer *bytes = &reading->copy->bytes;
    struct pgconn_reader reader = {bytes->data + reading->copy->read, bytes->data + bytes->length};

    return reader;
}

/* The next row's values, of those that have come. */
static enum pgconn_copy_piece
reading_next(struct reading *reading)
{
    struct pgconn_copy *copy = reading->copy;
    struct pgconn_reader reader = reading_reader(reading);
    enum pgconn_copy_piece piece = PGCONN_COPY_PARTIAL;

    if (copy->bytes.length == 0) return piece;
    if (!reading->headed) reading->headed = pgconn_copy_decode_start(&copy->rows, &reader);
    if (reading->headed) piece = pgconn_copy_decode_row(&copy->rows, &reader, reading->values);
    copy->read = (size_t)(reader.at - copy->bytes.data);
    return piece;
}

static VALUE
reading_run(VALUE arg)
{
    struct reading *reading = (struct reading *)arg;
    struct pgconn_copy *copy = reading->copy;
    const struct pgconn_plan *plan = copy->rows.plan;

    while (copy_receive(copy)) {
        while (reading_next(reading) == PGCONN_COPY_ROW) {
            copy->row_count++;
            pgconn_copy_check_time(copy);
            rb_yield(pgconn_row_new(plan->columns, plan->count, reading->values));
        }
        pgconn_copy_tell_progress(copy);
    }
    return Qnil;
}

static VALUE
reading_end(VALUE arg)
{
    ((struct reading *)arg)->copy->busy = false;
    return Qnil;
}

/* Yields each row. */
static VALUE
copy_each_row(VALUE self)
{
    struct pgconn_copy *copy = pgconn_copy_get(self);
    struct reading reading = {.copy = copy};
    VALUE buffer;

    reading.values = ALLOCV_N(VALUE, buffer, copy->rows.plan->count);
    /* A decoder may run the collector, which looks at all of a buffer on the heap. */
    rb_mem_clear(reading.values, copy->rows.plan->count);
    copy->busy = true;
    rb_ensure(reading_run, (VALUE)&reading, reading_end, (VALUE)&reading);
    ALLOCV_END(buffer);
    RB_GC_GUARD(self);
    return Qnil;
}

void
pgconn_copy_out_init(VALUE class)
{
    rb_define_private_method(class, "each_row", copy_each_row, 0);
    rb_define_private_method(class, "read", copy_read, 0);
}
