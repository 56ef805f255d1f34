#include "datetime_text.h"

#include "calendar.h"

/* PostgreSQL's dates end in 5874897. */
#define YEAR_DIGITS_MIN 4
#define YEAR_DIGITS_MAX 7

#define HOURS_MAX 24
#define OFFSET_HOURS_MAX 15

#define DAYS_FROM_UNIX_EPOCH 10957 /* 1970-01-01 to 2000-01-01 */

/* Days whose microseconds, with two days more for time of day and offset, fit into an int64_t. */
#define TIMESTAMP_DAYS_MAX (INT64_MAX / PGCONN_MICROSECONDS_PER_DAY - 2)

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

/* The era comes last, also behind a time of day. */
static bool
date_finish(struct pgconn_reader *reader, struct pgconn_civil_date *date, int64_t *days)
{
    if (!era_take(reader, date) || !pgconn_reader_at_end(reader) || !date_exists(date)) {
        return false;
    }
    *days = pgconn_calendar_days_from_civil(*date) - DAYS_FROM_UNIX_EPOCH;
    return true;
}

bool
pgconn_datetime_text_date(struct pgconn_reader reader, int64_t *days)
{
    struct pgconn_civil_date date;

    return date_take(&reader, &date) && date_finish(&reader, &date, days);
}

bool
pgconn_datetime_text_take_fraction(struct pgconn_reader *reader, int64_t *microseconds)
{
    int digits;

    *microseconds = 0;
    if (!pgconn_reader_take(reader, '.')) return true;
    digits = pgconn_reader_take_digits(reader, 1, 6, microseconds);
    for (int i = digits; i < 6; i++) *microseconds *= 10;
    return digits > 0;
}

bool
pgconn_datetime_text_take_clock(struct pgconn_reader *reader, int64_t *microseconds)
{
    int64_t hours, minutes, seconds;

    if (!pair_take(reader, HOURS_MAX, &hours) || !pgconn_reader_take(reader, ':')) return false;
    if (!pair_take(reader, 59, &minutes) || !pgconn_reader_take(reader, ':')) return false;
    if (!pair_take(reader, 59, &seconds)) return false;
    if (!pgconn_datetime_text_take_fraction(reader, microseconds)) return false;
    *microseconds += ((hours * 60 + minutes) * 60 + seconds) * PGCONN_MICROSECONDS_PER_SECOND;
    return true;
}

/* Reads the :mm or :ss of an offset, if it is there. */
static bool
offset_part_take(struct pgconn_reader *reader, int64_t *value)
{
    return !pgconn_reader_take(reader, ':') || pair_take(reader, 59, value);
}

/* The sign belongs to all of the parts. */
bool
pgconn_datetime_text_take_offset(struct pgconn_reader *reader, int *seconds)
{
    bool west = pgconn_reader_take(reader, '-');
    int64_t hours, minutes = 0, rest = 0;

    if (!west && !pgconn_reader_take(reader, '+')) return false;
    if (!pair_take(reader, OFFSET_HOURS_MAX, &hours)) return false;
    if (!offset_part_take(reader, &minutes) || !offset_part_take(reader, &rest)) return false;
    *seconds = (int)((hours * 60 + minutes) * 60 + rest);
    if (west) *seconds = -*seconds;
    return true;
}

/* A timestamp's clock never shows 24:00:00. */
static bool
timestamp_clock_take(struct pgconn_reader *reader, int64_t *microseconds)
{
    return pgconn_datetime_text_take_clock(reader, microseconds) &&
           *microseconds < PGCONN_MICROSECONDS_PER_DAY;
}

bool
pgconn_datetime_text_timestamp(struct pgconn_reader reader, bool zoned, int64_t *microseconds)
{
    struct pgconn_civil_date date;
    int64_t days;
    int offset = 0;

    if (!date_take(&reader, &date) || !pgconn_reader_take(&reader, ' ')) return false;
    if (!timestamp_clock_take(&reader, microseconds)) return false;
    if (zoned && !pgconn_datetime_text_take_offset(&reader, &offset)) return false;
    if (!date_finish(&reader, &date, &days)) return false;
    if (days < -TIMESTAMP_DAYS_MAX || days > TIMESTAMP_DAYS_MAX) return false;
    *microseconds += days * PGCONN_MICROSECONDS_PER_DAY - offset * PGCONN_MICROSECONDS_PER_SECOND;
    return true;
}

/* The other styles begin with a day or month of two digits, or with "Wed ". */
bool
pgconn_datetime_text_is_foreign(struct pgconn_reader reader)
{
    const char *at = reader.at;
    int64_t value;

    if (pgconn_reader_left(&reader) < 4) return false;
    if (*at >= 'A' && *at <= 'Z') return at[3] == ' ';
    return pair_take(&reader, 31, &value) && memchr("/.-", *reader.at, 3);
}
