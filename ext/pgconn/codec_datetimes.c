#include "codec.h"
#include "date_cache.h"
#include "datetime_text.h"
#include "error.h"
#include "moment.h"

#include <math.h>
#include <time.h>

/* rb_time_timespec_new's word for UTC. */
#define TIME_IN_UTC (INT_MAX - 1)

/* PostgreSQL counts from 2000-01-01. */
#define EPOCH_DAYS 10957 /* since 1970-01-01 */
#define EPOCH_SECONDS (EPOCH_DAYS * INT64_C(86400))

/* 4714-11-24 BC, the first Julian day, and 5874897-12-31. */
#define DAYS_MIN (-2451545)
#define DAYS_MAX 2145031948

/* 4714-11-24 00:00:00 BC, and what comes right after 294276-12-31 23:59:59.999999. */
#define MICROSECONDS_MIN (DAYS_MIN * PGCONN_MICROSECONDS_PER_DAY)
#define MICROSECONDS_END INT64_C(9223371331200000000)

/* More seconds than a timestamp has, and few enough to be counted in microseconds. */
#define SECONDS_LIMIT (INT64_MAX / PGCONN_MICROSECONDS_PER_SECOND - 1)

static VALUE rb_cDate, rb_cDateTime;

static bool
days_in_range(int64_t days)
{
    return days >= DAYS_MIN && days <= DAYS_MAX;
}

static bool
microseconds_in_range(int64_t microseconds)
{
    return microseconds >= MICROSECONDS_MIN && microseconds < MICROSECONDS_END;
}

NORETURN(static void datetime_raise(const struct pgconn_codec *codec, struct pgconn_input input));

static void
datetime_raise(const struct pgconn_codec *codec, struct pgconn_input input)
{
    if (!pgconn_datetime_text_is_foreign(pgconn_input_reader(input))) {
        pgconn_codec_raise_malformed(codec, input);
    }
    pgconn_error_raise(rb_ePgconnDataError,
                       "can't read %s %" PRIsVALUE ": the setting DateStyle must be ISO",
                       codec->name, pgconn_codec_sight(input));
}

/* What the text is when it is no date and no timestamp. */
static VALUE
infinity_decode_text(const struct pgconn_codec *codec, struct pgconn_input input)
{
    if (input.length == 8 && memcmp(input.data, "infinity", 8) == 0) return DBL2NUM(INFINITY);
    if (input.length == 9 && memcmp(input.data, "-infinity", 9) == 0) return DBL2NUM(-INFINITY);
    datetime_raise(codec, input);
}

static VALUE
date_decode_text(const struct pgconn_codec *codec, struct pgconn_input input)
{
    int64_t days;

    if (!pgconn_datetime_text_date(pgconn_input_reader(input), &days)) {
        return infinity_decode_text(codec, input);
    }
    if (!days_in_range(days)) pgconn_codec_raise_malformed(codec, input);
    return pgconn_date_cache_fetch((int32_t)days);
}

static VALUE
date_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    int32_t days;

    if (input.length != 4) pgconn_codec_raise_malformed(codec, input);
    days = pgconn_int32_at(input.data);
    if (days_in_range(days)) return pgconn_date_cache_fetch(days);
    if (days == INT32_MAX) return DBL2NUM(INFINITY);
    if (days == INT32_MIN) return DBL2NUM(-INFINITY);
    pgconn_codec_raise_malformed(codec, input);
}

static VALUE
time_new(int64_t microseconds)
{
    int64_t fraction = microseconds % PGCONN_MICROSECONDS_PER_SECOND;
    struct timespec time;

    if (fraction < 0) fraction += PGCONN_MICROSECONDS_PER_SECOND;
    time.tv_sec = (time_t)((microseconds - fraction) / PGCONN_MICROSECONDS_PER_SECOND +
                           EPOCH_SECONDS);
    time.tv_nsec = (long)fraction * 1000;
    return rb_time_timespec_new(&time, TIME_IN_UTC);
}

static VALUE
datetime_decode_text(const struct pgconn_codec *codec, struct pgconn_input input, bool zoned)
{
    int64_t microseconds;

    if (!pgconn_datetime_text_timestamp(pgconn_input_reader(input), zoned, &microseconds)) {
        return infinity_decode_text(codec, input);
    }
    if (!microseconds_in_range(microseconds)) pgconn_codec_raise_malformed(codec, input);
    return time_new(microseconds);
}

static VALUE
timestamp_decode_text(const struct pgconn_codec *codec, struct pgconn_input input)
{
    return datetime_decode_text(codec, input, false);
}

static VALUE
timestamptz_decode_text(const struct pgconn_codec *codec, struct pgconn_input input)
{
    return datetime_decode_text(codec, input, true);
}

/* Both types have the same form: timestamptz is in UTC. */
static VALUE
timestamp_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    int64_t microseconds;

    if (input.length != 8) pgconn_codec_raise_malformed(codec, input);
    microseconds = pgconn_int64_at(input.data);
    if (microseconds_in_range(microseconds)) return time_new(microseconds);
    if (microseconds == INT64_MAX) return DBL2NUM(INFINITY);
    if (microseconds == INT64_MIN) return DBL2NUM(-INFINITY);
    pgconn_codec_raise_malformed(codec, input);
}

/* 1 and -1 for the infinities, 0 for everything else. */
static int
infinity_sign(VALUE value)
{
    double number;

    if (!RB_FLOAT_TYPE_P(value)) return 0;
    number = RFLOAT_VALUE(value);
    return isinf(number) ? number > 0 ? 1 : -1 : 0;
}

/* A DateTime is a Date by its class, but its day depends on the offset: the server reads that. */
static bool
value_is_plain_date(VALUE value)
{
    return rb_obj_class(value) == rb_cDate || (RTEST(rb_obj_is_kind_of(value, rb_cDate)) &&
                                               !RTEST(rb_obj_is_kind_of(value, rb_cDateTime)));
}

static bool
date_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    int sign = infinity_sign(value);
    int64_t days;

    if (sign) {
        pgconn_buffer_append_int32(output->bytes, sign > 0 ? INT32_MAX : INT32_MIN);
        return true;
    }
    if (!value_is_plain_date(value)) return false;
    if (!pgconn_moment_days_of_date(value, &days) || !days_in_range(days - EPOCH_DAYS)) {
        pgconn_codec_raise_range(codec, output);
    }
    pgconn_buffer_append_int32(output->bytes, (int32_t)(days - EPOCH_DAYS));
    return true;
}

/* False for a moment outside of the types' range. */
static bool
moment_append(const struct pgconn_moment *moment, struct pgconn_output *output)
{
    int64_t seconds = moment->seconds - EPOCH_SECONDS, microseconds;

    if (seconds < -SECONDS_LIMIT || seconds > SECONDS_LIMIT) return false;
    microseconds = seconds * PGCONN_MICROSECONDS_PER_SECOND + moment->microseconds;
    if (!microseconds_in_range(microseconds)) return false;
    pgconn_buffer_append_int64(output->bytes, microseconds);
    return true;
}

/* A Date isn't taken: as a timestamptz it begins when the day does in the session's time zone. */
static bool
timestamp_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    int sign = infinity_sign(value);
    struct pgconn_moment moment;
    bool counted;

    if (sign) {
        pgconn_buffer_append_int64(output->bytes, sign > 0 ? INT64_MAX : INT64_MIN);
        return true;
    }
    if (RTEST(rb_obj_is_kind_of(value, rb_cTime))) {
        counted = pgconn_moment_of_time(value, &moment);
    }
    else if (RTEST(rb_obj_is_kind_of(value, rb_cDateTime))) {
        counted = pgconn_moment_of_date_time(value, &moment);
    }
    else {
        return false;
    }
    if (!counted || !moment_append(&moment, output)) pgconn_codec_raise_range(codec, output);
    return true;
}

const struct pgconn_codec pgconn_codec_datetimes[] = {
    {.oid = 1082,
     .name = "date",
     .decode_text = date_decode_text,
     .decode_binary = date_decode_binary,
     .encode_binary = date_encode},
    {.oid = 1114,
     .name = "timestamp",
     .decode_text = timestamp_decode_text,
     .decode_binary = timestamp_decode_binary,
     .encode_binary = timestamp_encode},
    {.oid = 1184,
     .name = "timestamptz",
     .decode_text = timestamptz_decode_text,
     .decode_binary = timestamp_decode_binary,
     .encode_binary = timestamp_encode},
    {.oid = 0                    },
};

void
pgconn_codec_datetimes_init(void)
{
    pgconn_date_cache_init();
    rb_cDate = rb_const_get(rb_cObject, rb_intern("Date"));
    rb_cDateTime = rb_const_get(rb_cObject, rb_intern("DateTime"));
    rb_gc_register_mark_object(rb_cDate);
    rb_gc_register_mark_object(rb_cDateTime);
}
