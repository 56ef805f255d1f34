/*
 * Dates by their day number. A result tends to repeat its days, and to make a Date costs twenty
 * times as much as to find it here.
 */
#ifndef PGCONN_DATE_CACHE_H
#define PGCONN_DATE_CACHE_H

#include "pgconn.h"

/*
 * The Date in the proleptic Gregorian calendar that is so many days after 2000-01-01. It is frozen,
 * for others may have the same one.
 */
VALUE pgconn_date_cache_fetch(int32_t days);

/* Looks up Ruby's classes and methods; called by Init_pgconn_codec. */
void pgconn_date_cache_init(void);

#endif
