#include "calendar.h"

/*
 * Years are counted from March here, so that the leap day is the last day of its year, and in eras
 * of 400 years, which all have the same number of days.
 */
#define DAYS_PER_ERA 146097
#define DAYS_FROM_MARCH_0000_TO_EPOCH 719468
#define SECONDS_PER_DAY 86400

static int64_t
divide_down(int64_t dividend, int64_t divisor)
{
    return dividend / divisor - (dividend % divisor < 0);
}

/* Days from the first of March to the first of a month, March being 0. */
static int
days_before_month(int month_from_march)
{
    return (153 * month_from_march + 2) / 5;
}

int64_t
pgconn_calendar_days_from_civil(struct pgconn_civil_date date)
{
    int64_t year = date.month <= 2 ? date.year - 1 : date.year;
    int64_t era = divide_down(year, 400);
    int year_of_era = (int)(year - era * 400);
    int day_of_year = days_before_month((date.month + 9) % 12) + date.day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * DAYS_PER_ERA + day_of_era - DAYS_FROM_MARCH_0000_TO_EPOCH;
}

/* Takes the leap days of 4, 100 and 400 years out, after which each year has 365 days. */
static int
year_from_day_of_era(int day)
{
    return (day - day / 1460 + day / 36524 - day / (DAYS_PER_ERA - 1)) / 365;
}

struct pgconn_civil_date
pgconn_calendar_civil_from_days(int64_t days)
{
    int64_t since_march = days + DAYS_FROM_MARCH_0000_TO_EPOCH;
    int64_t era = divide_down(since_march, DAYS_PER_ERA);
    int day_of_era = (int)(since_march - era * DAYS_PER_ERA);
    int year_of_era = year_from_day_of_era(day_of_era);
    int day_of_year = day_of_era - (year_of_era * 365 + year_of_era / 4 - year_of_era / 100);
    int month_from_march = (5 * day_of_year + 2) / 153;
    struct pgconn_civil_date date = {
        .year = year_of_era + era * 400,
        .month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9,
        .day = day_of_year - days_before_month(month_from_march) + 1,
    };

    if (date.month <= 2) date.year++;
    return date;
}

struct pgconn_civil_time
pgconn_calendar_time_from_seconds(int64_t seconds)
{
    int64_t days = divide_down(seconds, SECONDS_PER_DAY);
    int second_of_day = (int)(seconds - days * SECONDS_PER_DAY);
    struct pgconn_civil_time time = {
        .date = pgconn_calendar_civil_from_days(days),
        .hour = second_of_day / 3600,
        .minute = second_of_day / 60 % 60,
        .second = second_of_day % 60,
    };

    return time;
}

static bool
year_is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int
pgconn_calendar_days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && year_is_leap(year) ? 29 : days[month - 1];
}
