/*
 * Days and seconds to civil dates and back, in the proleptic Gregorian calendar. Plain arithmetic
 * for PostgreSQL's whole range (4713 BC to 294276 AD) and for any number of them up to 2^62. Years
 * are astronomical: 0 is 1 BC, -43 is 44 BC. Nothing here can fail or raise.
 */
#ifndef PGCONN_CALENDAR_H
#define PGCONN_CALENDAR_H

#include "compat.h"

#define PGCONN_UNIX_EPOCH_JD 2440588 /* 1970-01-01 as a Julian day number */

struct pgconn_civil_date {
    int64_t year;
    int month; /* 1 to 12 */
    int day;   /* 1 to 31 */
};

struct pgconn_civil_time {
    struct pgconn_civil_date date;
    int hour, minute, second;
};

/* Days since 1970-01-01 of a civil date; month and day must be in range. */
int64_t pgconn_calendar_days_from_civil(struct pgconn_civil_date date);

/* The civil date of a number of days since 1970-01-01. */
struct pgconn_civil_date pgconn_calendar_civil_from_days(int64_t days);

/* The civil date and time of day of a number of seconds since 1970-01-01 00:00:00. */
struct pgconn_civil_time pgconn_calendar_time_from_seconds(int64_t seconds);

/* 28 to 31. */
int pgconn_calendar_days_in_month(int64_t year, int month);

#endif
