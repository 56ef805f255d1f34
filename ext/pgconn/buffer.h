/*
 * A growing run of bytes in C memory, and bounded reading. No Ruby values, nothing raises.
 */
#ifndef PGCONN_BUFFER_H
#define PGCONN_BUFFER_H

#include "compat.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libpq's lengths are ints. */
#define PGCONN_BUFFER_MAX ((size_t)INT_MAX)

/* Most of what is printed fits into this at once. */
#define PGCONN_BUFFER_PRINTF_ROOM 64

#ifdef __GNUC__
#define PGCONN_FORMAT(text, first) __attribute__((format(printf, text, first)))
#else
#define PGCONN_FORMAT(text, first)
#endif

/* Zeroed is empty. */
struct pgconn_buffer {
    char *data;
    size_t length;
    size_t capacity;
    bool borrowed;  /* data is somebody else's, and left behind when it gets too small */
    bool failed;    /* out of memory, or over the limit: later writes do nothing */
    bool too_large; /* it failed at the limit */
};

/* Bytes to read, one after the other; nothing reads behind end. */
struct pgconn_reader {
    const char *at;
    const char *end;
};

static inline bool
pgconn_buffer_fail(struct pgconn_buffer *buffer, bool too_large)
{
    buffer->failed = true;
    buffer->too_large = too_large;
    return false;
}

/* Makes room for that many bytes more; false when that has failed, now or earlier. */
static inline bool
pgconn_buffer_reserve(struct pgconn_buffer *buffer, size_t extra)
{
    size_t needed, capacity;
    char *data;

    if (buffer->failed) return false;
    if (extra <= buffer->capacity - buffer->length) return true;
    if (extra > PGCONN_BUFFER_MAX - buffer->length) return pgconn_buffer_fail(buffer, true);
    needed = buffer->length + extra;
    capacity = buffer->capacity < 64 ? 128 : buffer->capacity * 2;
    if (capacity > PGCONN_BUFFER_MAX) capacity = PGCONN_BUFFER_MAX;
    if (capacity < needed) capacity = needed;
    data = realloc(buffer->borrowed ? NULL : buffer->data, capacity);
    if (!data) return pgconn_buffer_fail(buffer, false);
    if (buffer->borrowed) memcpy(data, buffer->data, buffer->length);
    buffer->borrowed = false;
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

static inline void
pgconn_buffer_append(struct pgconn_buffer *buffer, const char *data, size_t length)
{
    if (length == 0 || !pgconn_buffer_reserve(buffer, length)) return;
    memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
}

static inline void
pgconn_buffer_append_byte(struct pgconn_buffer *buffer, char byte)
{
    if (!pgconn_buffer_reserve(buffer, 1)) return;
    buffer->data[buffer->length++] = byte;
}

static inline void
pgconn_buffer_append_int16(struct pgconn_buffer *buffer, int16_t number)
{
    const unsigned char bytes[2] = {(unsigned char)((uint16_t)number >> 8), (unsigned char)number};

    pgconn_buffer_append(buffer, (const char *)bytes, sizeof(bytes));
}

/* Writes the number, the most significant byte first, over four bytes that are there. */
static inline void
pgconn_buffer_put_int32(char *at, int32_t number)
{
    uint32_t bits = (uint32_t)number;

    for (int i = 3; i >= 0; i--, bits >>= 8) at[i] = (char)(unsigned char)bits;
}

static inline void
pgconn_buffer_append_int32(struct pgconn_buffer *buffer, int32_t number)
{
    char bytes[4];

    pgconn_buffer_put_int32(bytes, number);
    pgconn_buffer_append(buffer, bytes, sizeof(bytes));
}

static inline void
pgconn_buffer_append_int64(struct pgconn_buffer *buffer, int64_t number)
{
    uint64_t bits = (uint64_t)number;

    pgconn_buffer_append_int32(buffer, (int32_t)(uint32_t)(bits >> 32));
    pgconn_buffer_append_int32(buffer, (int32_t)(uint32_t)bits);
}

/* Appends as printf prints, without a NUL byte at the end. */
PGCONN_FORMAT(2, 3)
static inline void
pgconn_buffer_printf(struct pgconn_buffer *buffer, const char *format, ...)
{
    size_t room = PGCONN_BUFFER_PRINTF_ROOM;
    bool fits = false;

    while (!fits && pgconn_buffer_reserve(buffer, room)) {
        va_list arguments;
        int length;

        va_start(arguments, format);
        length = vsnprintf(buffer->data + buffer->length, room, format, arguments);
        va_end(arguments);
        if (length < 0) {
            pgconn_buffer_fail(buffer, false);
            return;
        }
        fits = (size_t)length < room;
        room = (size_t)length + 1;
        if (fits) buffer->length += (size_t)length;
    }
}

static inline void
pgconn_buffer_free(struct pgconn_buffer *buffer)
{
    if (!buffer->borrowed) free(buffer->data);
    memset(buffer, 0, sizeof(*buffer));
}

/*
 * Numbers as the protocol has them, the most significant byte first. The caller knows that so many
 * bytes are there.
 */
static inline int16_t
pgconn_int16_at(const char *at)
{
    const unsigned char *bytes = (const unsigned char *)at;

    return (int16_t)(bytes[0] << 8 | bytes[1]);
}

static inline int32_t
pgconn_int32_at(const char *at)
{
    const unsigned char *bytes = (const unsigned char *)at;

    return (int32_t)((uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
                     bytes[3]);
}

static inline int64_t
pgconn_int64_at(const char *at)
{
    uint64_t high = (uint32_t)pgconn_int32_at(at), low = (uint32_t)pgconn_int32_at(at + 4);

    return (int64_t)(high << 32 | low);
}

static inline size_t
pgconn_reader_left(const struct pgconn_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

static inline bool
pgconn_reader_take_int32(struct pgconn_reader *reader, int32_t *number)
{
    if (pgconn_reader_left(reader) < 4) return false;
    *number = pgconn_int32_at(reader->at);
    reader->at += 4;
    return true;
}

static inline bool
pgconn_reader_at_end(const struct pgconn_reader *reader)
{
    return reader->at == reader->end;
}

static inline bool
pgconn_reader_sees(const struct pgconn_reader *reader, char byte)
{
    return reader->at < reader->end && *reader->at == byte;
}

/* Reads the byte if it comes next. */
static inline bool
pgconn_reader_take(struct pgconn_reader *reader, char byte)
{
    if (!pgconn_reader_sees(reader, byte)) return false;
    reader->at++;
    return true;
}

/*
 * Reads as many decimal digits as there are, up to maximum (18 at most) of them, into *value; their
 * number, or 0 where there are fewer than minimum.
 */
static inline int
pgconn_reader_take_digits(struct pgconn_reader *reader, int minimum, int maximum, int64_t *value)
{
    int64_t number = 0;
    int count = 0;

    while (count < maximum && reader->at < reader->end && *reader->at >= '0' &&
           *reader->at <= '9') {
        number = number * 10 + (*reader->at++ - '0');
        count++;
    }
    *value = number;
    return count < minimum ? 0 : count;
}

/* Reads as many decimal digits as there are; their number. */
static inline size_t
pgconn_reader_take_run(struct pgconn_reader *reader)
{
    const char *start = reader->at;

    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9') reader->at++;
    return (size_t)(reader->at - start);
}

/* Reads digits, a point perhaps and digits behind it; a sign may be first. */
static inline bool
pgconn_reader_take_decimal(struct pgconn_reader *reader)
{
    pgconn_reader_take(reader, '-');
    if (pgconn_reader_take_run(reader) == 0) return false;
    return !pgconn_reader_take(reader, '.') || pgconn_reader_take_run(reader) > 0;
}

#endif
