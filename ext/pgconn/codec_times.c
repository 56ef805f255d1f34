#include "codec.h"
#include "datetime_text.h"
#include "error.h"
#include "interval_text.h"

static VALUE rb_cPgconnTimeOfDay, rb_cPgconnInterval;
static ID id_microseconds, id_offset, id_months, id_days;

/* 24:00:00 is a time of day, too. */
static bool
clock_in_range(int64_t microseconds)
{
    return microseconds >= 0 && microseconds <= PGCONN_MICROSECONDS_PER_DAY;
}

static bool
offset_in_range(int64_t seconds)
{
    return seconds > -PGCONN_OFFSET_LIMIT && seconds < PGCONN_OFFSET_LIMIT;
}

static VALUE
time_of_day_new(int64_t microseconds, VALUE offset)
{
    VALUE time = rb_obj_alloc(rb_cPgconnTimeOfDay);

    rb_ivar_set(time, id_microseconds, LL2NUM(microseconds));
    rb_ivar_set(time, id_offset, offset);
    return rb_obj_freeze(time);
}

/* No DateStyle changes how they are written. */
static VALUE
time_decode_text(const struct pgconn_codec *codec, struct pgconn_input input)
{
    struct pgconn_reader reader = pgconn_input_reader(input);
    int64_t microseconds;

    if (!pgconn_datetime_text_take_clock(&reader, &microseconds) ||
        !pgconn_reader_at_end(&reader) || !clock_in_range(microseconds)) {
        pgconn_codec_raise_malformed(codec, input);
    }
    return time_of_day_new(microseconds, Qnil);
}

static VALUE
timetz_decode_text(const struct pgconn_codec *codec, struct pgconn_input input)
{
    struct pgconn_reader reader = pgconn_input_reader(input);
    int64_t microseconds;
    int offset;

    if (!pgconn_datetime_text_take_clock(&reader, &microseconds) ||
        !pgconn_datetime_text_take_offset(&reader, &offset) || !pgconn_reader_at_end(&reader) ||
        !clock_in_range(microseconds)) {
        pgconn_codec_raise_malformed(codec, input);
    }
    return time_of_day_new(microseconds, INT2FIX(offset));
}

static VALUE
time_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    if (input.length != 8 || !clock_in_range(pgconn_int64_at(input.data))) {
        pgconn_codec_raise_malformed(codec, input);
    }
    return time_of_day_new(pgconn_int64_at(input.data), Qnil);
}

/* The server counts offsets to the west. */
static VALUE
timetz_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    if (input.length != 12 || !clock_in_range(pgconn_int64_at(input.data)) ||
        !offset_in_range(pgconn_int32_at(input.data + 8))) {
        pgconn_codec_raise_malformed(codec, input);
    }
    return time_of_day_new(pgconn_int64_at(input.data), INT2FIX(-pgconn_int32_at(input.data + 8)));
}

/* What becomes of an offset in a time is for the server to say. */
static bool
time_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    (void)codec;
    if (!RTEST(rb_obj_is_kind_of(value, rb_cPgconnTimeOfDay))) return false;
    if (!NIL_P(rb_ivar_get(value, id_offset))) return false;
    pgconn_buffer_append_int64(output->bytes, NUM2LL(rb_ivar_get(value, id_microseconds)));
    return true;
}

/* Without an offset it gets that of the session's time zone, which the server knows. */
static bool
timetz_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    VALUE offset;

    (void)codec;
    if (!RTEST(rb_obj_is_kind_of(value, rb_cPgconnTimeOfDay))) return false;
    offset = rb_ivar_get(value, id_offset);
    if (NIL_P(offset)) return false;
    pgconn_buffer_append_int64(output->bytes, NUM2LL(rb_ivar_get(value, id_microseconds)));
    pgconn_buffer_append_int32(output->bytes, -NUM2INT(offset));
    return true;
}

static VALUE
interval_new(const struct pgconn_interval *fields)
{
    VALUE interval = rb_obj_alloc(rb_cPgconnInterval);

    rb_ivar_set(interval, id_months, INT2NUM(fields->months));
    rb_ivar_set(interval, id_days, INT2NUM(fields->days));
    rb_ivar_set(interval, id_microseconds, LL2NUM(fields->microseconds));
    return rb_obj_freeze(interval);
}

NORETURN(static void interval_raise(const struct pgconn_codec *codec, struct pgconn_input input));

static void
interval_raise(const struct pgconn_codec *codec, struct pgconn_input input)
{
    if (!pgconn_interval_text_is_foreign(pgconn_input_reader(input))) {
        pgconn_codec_raise_malformed(codec, input);
    }
    pgconn_error_raise(rb_ePgconnDataError,
                       "can't read %s %" PRIsVALUE
                       ": the setting IntervalStyle must be postgres or iso_8601",
                       codec->name, pgconn_codec_sight(input));
}

static VALUE
interval_decode_text(const struct pgconn_codec *codec, struct pgconn_input input)
{
    struct pgconn_interval fields;

    if (!pgconn_interval_text_parse(pgconn_input_reader(input), &fields))
        interval_raise(codec, input);
    return interval_new(&fields);
}

static VALUE
interval_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    struct pgconn_interval fields;

    if (input.length != 16) pgconn_codec_raise_malformed(codec, input);
    fields.microseconds = pgconn_int64_at(input.data);
    fields.days = pgconn_int32_at(input.data + 8);
    fields.months = pgconn_int32_at(input.data + 12);
    return interval_new(&fields);
}

/* To a server before PostgreSQL 17 the fields of infinity are a long time, but finite. */
static bool
interval_is_infinite(const struct pgconn_interval *fields)
{
    return (fields->microseconds == INT64_MAX && fields->days == INT32_MAX &&
            fields->months == INT32_MAX) ||
           (fields->microseconds == INT64_MIN && fields->days == INT32_MIN &&
            fields->months == INT32_MIN);
}

static bool
interval_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    struct pgconn_interval fields;

    (void)codec;
    if (!RTEST(rb_obj_is_kind_of(value, rb_cPgconnInterval))) return false;
    fields.microseconds = NUM2LL(rb_ivar_get(value, id_microseconds));
    fields.days = NUM2INT(rb_ivar_get(value, id_days));
    fields.months = NUM2INT(rb_ivar_get(value, id_months));
    if (interval_is_infinite(&fields)) return false;
    pgconn_buffer_append_int64(output->bytes, fields.microseconds);
    pgconn_buffer_append_int32(output->bytes, fields.days);
    pgconn_buffer_append_int32(output->bytes, fields.months);
    return true;
}

const struct pgconn_codec pgconn_codec_times[] = {
    {.oid = 1083,
     .name = "time",
     .decode_text = time_decode_text,
     .decode_binary = time_decode_binary,
     .encode_binary = time_encode},
    {.oid = 1186,
     .name = "interval",
     .decode_text = interval_decode_text,
     .decode_binary = interval_decode_binary,
     .encode_binary = interval_encode},
    {.oid = 1266,
     .name = "timetz",
     .decode_text = timetz_decode_text,
     .decode_binary = timetz_decode_binary,
     .encode_binary = timetz_encode},
    {.oid = 0                    },
};

void
pgconn_codec_times_init(void)
{
    rb_cPgconnTimeOfDay = rb_const_get(rb_mPgconn, rb_intern("TimeOfDay"));
    rb_cPgconnInterval = rb_const_get(rb_mPgconn, rb_intern("Interval"));
    rb_gc_register_mark_object(rb_cPgconnTimeOfDay);
    rb_gc_register_mark_object(rb_cPgconnInterval);
    id_microseconds = rb_intern("@microseconds");
    id_offset = rb_intern("@offset");
    id_months = rb_intern("@months");
    id_days = rb_intern("@days");
}
