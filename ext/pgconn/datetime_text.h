/*
 * The texts of PostgreSQL's dates and times as numbers. Plain C; nothing raises. What ends with a
 * date is read to the end of the text, the functions called take_ read as far as their part goes.
 */
#ifndef PGCONN_DATETIME_TEXT_H
#define PGCONN_DATETIME_TEXT_H

#include "buffer.h"

#define PGCONN_MICROSECONDS_PER_SECOND INT64_C(1000000)
#define PGCONN_MICROSECONDS_PER_DAY INT64_C(86400000000)

/* The server accepts and prints offsets from UTC of less than 16 hours. */
#define PGCONN_OFFSET_LIMIT (16 * 3600)

/* Reads a date of DateStyle ISO: days since 2000-01-01, whatever the type's range. */
bool pgconn_datetime_text_date(struct pgconn_reader reader, int64_t *days);

/*
 * Reads a timestamp of DateStyle ISO, with an offset where it is zoned: microseconds since
 * 2000-01-01 00:00:00 (in UTC where it is zoned). False where they don't fit into an int64_t.
 */
bool pgconn_datetime_text_timestamp(struct pgconn_reader reader, bool zoned, int64_t *microseconds);

/* Whether a date or timestamp is in another DateStyle than ISO. */
bool pgconn_datetime_text_is_foreign(struct pgconn_reader reader);

/* Reads 00:00:00 to 24:59:59.999999: microseconds since midnight. */
bool pgconn_datetime_text_take_clock(struct pgconn_reader *reader, int64_t *microseconds);

/* Reads what may follow seconds: .1 to .123456; zero where nothing does. */
bool pgconn_datetime_text_take_fraction(struct pgconn_reader *reader, int64_t *microseconds);

/* Reads +hh, +hh:mm or +hh:mm:ss: seconds east of UTC. */
bool pgconn_datetime_text_take_offset(struct pgconn_reader *reader, int *seconds);

#endif
