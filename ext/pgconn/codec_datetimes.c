#include "calendar.h"
#include "codec.h"
#include "error.h"

#include <math.h>
#include <time.h>

/* rb_time_timespec_new's word for UTC. */
#define TIME_IN_UTC (INT_MAX - 1)

/* PostgreSQL's dates end in 5874897. */
#define YEAR_DIGITS_MIN 4
#define YEAR_DIGITS_MAX 7

/* The server accepts and prints time zones of less than 16 hours. */
#define OFFSET_HOURS_MAX 15

static ID id_jd;
static VALUE rb_cDate;
static VALUE date_gregorian;

/* A point in time as the text gives it. */
struct datetime {
    struct pgconn_civil_date date;
    int64_t seconds; /* since midnight */
    int64_t microseconds;
    int64_t offset; /* seconds east of UTC */
};

/* Reads a number of just two digits. */
static bool
pair_take(struct pgconn_reader *reader, int64_t maximum, int64_t *value)
{
    return pgconn_reader_take_digits(reader, 2, 2, value) && *value <= maximum;
}

/* Only years of less than four digits are filled up with zeros. */
static bool
year_take(struct pgconn_reader *reader, int64_t *year)
{
    bool filled = pgconn_reader_sees(reader, '0');

    return pgconn_reader_take_digits(reader, YEAR_DIGITS_MIN,
                                     filled ? YEAR_DIGITS_MIN : YEAR_DIGITS_MAX, year);
}

static bool
date_take(struct pgconn_reader *reader, struct pgconn_civil_date *date)
{
    int64_t month, day;

    if (!year_take(reader, &date->year)) return false;
    if (!pgconn_reader_take(reader, '-') || !pair_take(reader, 12, &month)) return false;
    if (!pgconn_reader_take(reader, '-') || !pair_take(reader, 31, &day)) return false;
    date->month = (int)month;
    date->day = (int)day;
    return true;
}

/* Reads " BC" if it is there, after which the year is an astronomical one. */
static bool
era_take(struct pgconn_reader *reader, struct pgconn_civil_date *date)
{
    if (date->year < 1) return false;
    if (!pgconn_reader_take(reader, ' ')) return true;
    if (!pgconn_reader_take(reader, 'B') || !pgconn_reader_take(reader, 'C')) return false;
    date->year = 1 - date->year;
    return true;
}

static bool
date_exists(const struct pgconn_civil_date *date)
{
    return date->month >= 1 && date->day >= 1 &&
           date->day <= pgconn_calendar_days_in_month(date->year, date->month);
}

static bool
date_finish(struct pgconn_reader *reader, struct pgconn_civil_date *date)
{
    return era_take(reader, date) && pgconn_reader_at_end(reader) && date_exists(date);
}

/* Reads what may follow the seconds: .1 to .123456. */
static bool
fraction_take(struct pgconn_reader *reader, int64_t *microseconds)
{
    int digits;

    if (!pgconn_reader_take(reader, '.')) return true;
    digits = pgconn_reader_take_digits(reader, 1, 6, microseconds);
    for (int i = digits; i < 6; i++) *microseconds *= 10;
    return digits > 0;
}

static bool
clock_take(struct pgconn_reader *reader, struct datetime *datetime)
{
    int64_t hours, minutes, seconds;

    if (!pair_take(reader, 23, &hours) || !pgconn_reader_take(reader, ':')) return false;
    if (!pair_take(reader, 59, &minutes) || !pgconn_reader_take(reader, ':')) return false;
    if (!pair_take(reader, 59, &seconds)) return false;
    datetime->seconds = (hours * 60 + minutes) * 60 + seconds;
    return fraction_take(reader, &datetime->microseconds);
}

/* Reads the :mm or :ss of an offset, if it is there. */
static bool
offset_part_take(struct pgconn_reader *reader, int64_t *value)
{
    return !pgconn_reader_take(reader, ':') || pair_take(reader, 59, value);
}

/* Reads +hh, +hh:mm or +hh:mm:ss, in which the sign belongs to all of them. */
static bool
offset_take(struct pgconn_reader *reader, int64_t *offset)
{
    bool west = pgconn_reader_take(reader, '-');
    int64_t hours, minutes = 0, seconds = 0;

    if (!west && !pgconn_reader_take(reader, '+')) return false;
    if (!pair_take(reader, OFFSET_HOURS_MAX, &hours)) return false;
    if (!offset_part_take(reader, &minutes) || !offset_part_take(reader, &seconds)) return false;
    *offset = (hours * 60 + minutes) * 60 + seconds;
    if (west) *offset = -*offset;
    return true;
}

static bool
datetime_parse(struct pgconn_input input, bool zoned, struct datetime *datetime)
{
    struct pgconn_reader reader = {input.data, input.data + input.length};

    if (!date_take(&reader, &datetime->date) || !pgconn_reader_take(&reader, ' ')) return false;
    if (!clock_take(&reader, datetime)) return false;
    if (zoned && !offset_take(&reader, &datetime->offset)) return false;
    return date_finish(&reader, &datetime->date);
}

/* Where the text is infinity or -infinity, the Float for it, else Qundef. */
static VALUE
infinity_decode(struct pgconn_input input)
{
    if (input.length == 8 && memcmp(input.data, "infinity", 8) == 0) return DBL2NUM(INFINITY);
    if (input.length == 9 && memcmp(input.data, "-infinity", 9) == 0) return DBL2NUM(-INFINITY);
    return Qundef;
}

/* The other styles begin with a day or month of two digits, or with "Wed ". */
static bool
style_is_foreign(struct pgconn_input input)
{
    struct pgconn_reader reader = {input.data, input.data + input.length};
    int64_t value;

    if (input.length < 4) return false;
    if (*input.data >= 'A' && *input.data <= 'Z') return input.data[3] == ' ';
    return pair_take(&reader, 31, &value) && memchr("/.-", *reader.at, 3);
}

NORETURN(static void datetime_raise(const struct pgconn_codec *codec, struct pgconn_input input));

static void
datetime_raise(const struct pgconn_codec *codec, struct pgconn_input input)
{
    if (!style_is_foreign(input)) pgconn_codec_raise_malformed(codec, input);
    pgconn_error_raise(rb_ePgconnDataError,
                       "can't read %s %" PRIsVALUE ": the setting DateStyle must be ISO",
                       codec->name, pgconn_codec_sight(input));
}

static VALUE
date_new(const struct pgconn_civil_date *date)
{
    int64_t days = pgconn_calendar_days_from_civil(*date);
    VALUE arguments[2] = {LL2NUM(days + PGCONN_UNIX_EPOCH_JD), date_gregorian};

    return rb_funcallv(rb_cDate, id_jd, 2, arguments);
}

static VALUE
date_decode(const struct pgconn_codec *codec, struct pgconn_input input)
{
    struct pgconn_reader reader = {input.data, input.data + input.length};
    struct pgconn_civil_date date;
    VALUE infinity;

    if (date_take(&reader, &date) && date_finish(&reader, &date)) return date_new(&date);
    infinity = infinity_decode(input);
    if (infinity == Qundef) datetime_raise(codec, input);
    return infinity;
}

static VALUE
time_new(const struct datetime *datetime)
{
    int64_t days = pgconn_calendar_days_from_civil(datetime->date);
    struct timespec time = {
        .tv_sec = (time_t)(days * 86400 + datetime->seconds - datetime->offset),
        .tv_nsec = (long)datetime->microseconds * 1000,
    };

    return rb_time_timespec_new(&time, TIME_IN_UTC);
}

static VALUE
datetime_decode(const struct pgconn_codec *codec, struct pgconn_input input, bool zoned)
{
    struct datetime datetime = {.offset = 0};
    VALUE infinity;

    if (datetime_parse(input, zoned, &datetime)) return time_new(&datetime);
    infinity = infinity_decode(input);
    if (infinity == Qundef) datetime_raise(codec, input);
    return infinity;
}

static VALUE
timestamp_decode(const struct pgconn_codec *codec, struct pgconn_input input)
{
    return datetime_decode(codec, input, false);
}

static VALUE
timestamptz_decode(const struct pgconn_codec *codec, struct pgconn_input input)
{
    return datetime_decode(codec, input, true);
}

const struct pgconn_codec pgconn_codec_datetimes[] = {
    {.oid = 1082,                      .name = "date", .decode_text = date_decode},
    {.oid = 1114,      .name = "timestamp", .decode_text = timestamp_decode},
    {.oid = 1184,                      .name = "timestamptz", .decode_text = timestamptz_decode},
    {.oid = 0},
};

void
pgconn_codec_datetimes_init(void)
{
    rb_require("date");
    id_jd = rb_intern("jd");
    rb_cDate = rb_const_get(rb_cObject, rb_intern("Date"));
    date_gregorian = rb_const_get(rb_cDate, rb_intern("GREGORIAN"));
    rb_gc_register_mark_object(rb_cDate);
    rb_gc_register_mark_object(date_gregorian);
}
