#include "interval_text.h"

#include "datetime_text.h"

#define MICROSECONDS_PER_MINUTE (60 * PGCONN_MICROSECONDS_PER_SECOND)
#define MICROSECONDS_PER_HOUR (60 * MICROSECONDS_PER_MINUTE)

#define MONTHS_PER_YEAR 12

/* As many as the hours of 64 bits of microseconds have; all other numbers have fewer. */
#define DIGITS_MAX 10

enum field { MONTHS, DAYS, MICROSECONDS, FIELDS };

struct unit {
    const char *name;
    enum field field;
    int64_t size;
};

#define UNITS 3

/* In the order that they are written in. */
static const struct unit postgres_units[UNITS] = {
    {"year", MONTHS, MONTHS_PER_YEAR},
    {"mon",  MONTHS, 1              },
    {"day",  DAYS,   1              },
};

static const struct unit iso_date_units[UNITS] = {
    {"Y", MONTHS, MONTHS_PER_YEAR},
    {"M", MONTHS, 1              },
    {"D", DAYS,   1              },
};

static const struct unit iso_time_units[UNITS] = {
    {"H", MICROSECONDS, MICROSECONDS_PER_HOUR         },
    {"M", MICROSECONDS, MICROSECONDS_PER_MINUTE       },
    {"S", MICROSECONDS, PGCONN_MICROSECONDS_PER_SECOND},
};

/* Adds number times size; false where 64 bits can't hold that. */
static bool
sum_add(int64_t *sum, int64_t number, int64_t size)
{
    if (number > INT64_MAX / size || number < INT64_MIN / size) return false;
    number *= size;
    if (number > 0 ? *sum > INT64_MAX - number : *sum < INT64_MIN - number) return false;
    *sum += number;
    return true;
}

/* Reads a sign, if there is one: 1 or -1. */
static int
sign_take(struct pgconn_reader *reader)
{
    if (pgconn_reader_take(reader, '-')) return -1;
    pgconn_reader_take(reader, '+');
    return 1;
}

static bool
word_take(struct pgconn_reader *reader, const char *word)
{
    size_t length = strlen(word);

    if (pgconn_reader_left(reader) < length || memcmp(reader->at, word, length) != 0) return false;
    reader->at += length;
    return true;
}

/* Reads the name of one of the units from *unit on: that unit, with *unit behind it, or NULL. */
static const struct unit *
unit_take(struct pgconn_reader *reader, const struct unit **unit, const struct unit *end)
{
    while (*unit < end) {
        const struct unit *found = (*unit)++;

        if (word_take(reader, found->name)) return found;
    }
    return NULL;
}

/* Reads the minutes and seconds behind hours, which have the same sign. */
static bool
clock_take(struct pgconn_reader *reader, int sign, int64_t hours, int64_t *sum)
{
    int64_t minutes, seconds, fraction;

    if (!pgconn_reader_take_digits(reader, 2, 2, &minutes) || minutes > 59) return false;
    if (!pgconn_reader_take(reader, ':')) return false;
    if (!pgconn_reader_take_digits(reader, 2, 2, &seconds) || seconds > 59) return false;
    if (!pgconn_datetime_text_take_fraction(reader, &fraction)) return false;
    return sum_add(sum, sign * hours, MICROSECONDS_PER_HOUR) &&
           sum_add(sum, sign * minutes, MICROSECONDS_PER_MINUTE) &&
           sum_add(sum, sign * seconds, PGCONN_MICROSECONDS_PER_SECOND) &&
           sum_add(sum, sign * fraction, 1);
}

/* Reads " day", or " days" where it isn't 1. */
static bool
postgres_unit_take(struct pgconn_reader *reader, int64_t number, const struct unit **unit,
                   int64_t sums[FIELDS])
{
    const struct unit *found;

    if (!pgconn_reader_take(reader, ' ')) return false;
    found = unit_take(reader, unit, postgres_units + UNITS);
    if (!found || (number != 1 && !pgconn_reader_take(reader, 's'))) return false;
    return sum_add(&sums[found->field], number, found->size);
}

/* "1 year 2 mons -3 days +04:05:06.789", any of which may be missing, but not all. */
static bool
postgres_parse(struct pgconn_reader *reader, int64_t sums[FIELDS])
{
    const struct unit *unit = postgres_units;

    do {
        int sign = sign_take(reader), digits;
        int64_t number;

        digits = pgconn_reader_take_digits(reader, 1, DIGITS_MAX, &number);
        if (digits == 0) return false;
        if (digits >= 2 && pgconn_reader_take(reader, ':')) {
            return clock_take(reader, sign, number, &sums[MICROSECONDS]);
        }
        if (!postgres_unit_take(reader, sign * number, &unit, sums)) return false;
    } while (pgconn_reader_take(reader, ' '));
    return true;
}

/* Reads "1Y" and so on; only seconds have a fraction. */
static bool
iso_part_take(struct pgconn_reader *reader, const struct unit **unit, const struct unit *end,
              int64_t sums[FIELDS])
{
    int sign = sign_take(reader);
    const struct unit *found;
    int64_t number, fraction;
    bool pointed;

    if (!pgconn_reader_take_digits(reader, 1, DIGITS_MAX, &number)) return false;
    pointed = pgconn_reader_sees(reader, '.');
    if (!pgconn_datetime_text_take_fraction(reader, &fraction)) return false;
    found = unit_take(reader, unit, end);
    if (!found || (pointed && found->size != PGCONN_MICROSECONDS_PER_SECOND)) return false;
    return sum_add(&sums[found->field], sign * number, found->size) &&
           sum_add(&sums[found->field], sign * fraction, 1);
}

static bool
iso_parts_take(struct pgconn_reader *reader, const struct unit units[UNITS], int64_t sums[FIELDS])
{
    const struct unit *unit = units;

    do {
        if (!iso_part_take(reader, &unit, units + UNITS, sums)) return false;
    } while (!pgconn_reader_at_end(reader) && !pgconn_reader_sees(reader, 'T'));
    return true;
}

/* What follows the P of "P1Y2M-3DT4H5M6.789S". */
static bool
iso_parse(struct pgconn_reader *reader, int64_t sums[FIELDS])
{
    if (!pgconn_reader_sees(reader, 'T') && !iso_parts_take(reader, iso_date_units, sums)) {
        return false;
    }
    return !pgconn_reader_take(reader, 'T') || iso_parts_take(reader, iso_time_units, sums);
}

/* The words of PostgreSQL 17 and later. */
static bool
infinity_take(struct pgconn_reader *reader, int64_t sums[FIELDS])
{
    bool negative = pgconn_reader_take(reader, '-');

    if (!word_take(reader, "infinity")) return false;
    sums[MONTHS] = sums[DAYS] = negative ? INT32_MIN : INT32_MAX;
    sums[MICROSECONDS] = negative ? INT64_MIN : INT64_MAX;
    return true;
}

static bool
sums_take(struct pgconn_reader *reader, int64_t sums[FIELDS])
{
    struct pgconn_reader start = *reader;

    if (infinity_take(reader, sums)) return true;
    *reader = start;
    return pgconn_reader_take(reader, 'P') ? iso_parse(reader, sums) : postgres_parse(reader, sums);
}

bool
pgconn_interval_text_parse(struct pgconn_reader reader, struct pgconn_interval *interval)
{
    int64_t sums[FIELDS] = {0};

    if (!sums_take(&reader, sums) || !pgconn_reader_at_end(&reader)) return false;
    if (sums[DAYS] < INT32_MIN || sums[DAYS] > INT32_MAX) return false;
    if (sums[MONTHS] < INT32_MIN || sums[MONTHS] > INT32_MAX) return false;
    interval->microseconds = sums[MICROSECONDS];
    interval->days = (int32_t)sums[DAYS];
    interval->months = (int32_t)sums[MONTHS];
    return true;
}

/* Reads the hours, and the colon behind them, that a time of day begins with. */
static bool
hours_take(struct pgconn_reader *reader)
{
    int64_t hours;

    sign_take(reader);
    return pgconn_reader_take_digits(reader, 1, DIGITS_MAX, &hours) > 0 &&
           pgconn_reader_take(reader, ':');
}

/*
 * The verbose style begins with @. The SQL standard's has years and months as "1-2", days without a
 * word, hours of a single digit, or a lone 0.
 */
bool
pgconn_interval_text_is_foreign(struct pgconn_reader reader)
{
    int digits;
    int64_t number;

    if (pgconn_reader_take(&reader, '@')) return true;
    sign_take(&reader);
    digits = pgconn_reader_take_digits(&reader, 1, DIGITS_MAX, &number);
    if (digits == 0) return false;
    if (pgconn_reader_at_end(&reader)) return number == 0;
    if (pgconn_reader_take(&reader, ':')) return digits == 1;
    if (pgconn_reader_take(&reader, ' ')) return hours_take(&reader);
    return pgconn_reader_take(&reader, '-');
}
