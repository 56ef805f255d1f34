/*
 * Ruby's dates and times as numbers in UTC. What none of the functions can count (years by the
 * ten billion) they answer with false; they raise only what the values' own methods raise.
 */
#ifndef PGCONN_MOMENT_H
#define PGCONN_MOMENT_H

#include "pgconn.h"

/* A point in time, rounded down to microseconds. */
struct pgconn_moment {
    int64_t seconds;   /* since 1970-01-01 00:00:00 */
    long microseconds; /* 0 to 999999 */
};

/*
 * Days since 1970-01-01 of a Date. The calendar that it counts by (Julian before a reform) doesn't
 * matter to its day number.
 */
bool pgconn_moment_days_of_date(VALUE date, int64_t *days);

/* The moment of a Time. */
bool pgconn_moment_of_time(VALUE time, struct pgconn_moment *moment);

/* The moment of a DateTime. */
bool pgconn_moment_of_date_time(VALUE date_time, struct pgconn_moment *moment);

/* Looks up Ruby's methods; called by Init_pgconn_codec. */
void pgconn_moment_init(void);

#endif
