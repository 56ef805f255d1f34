#include "moment.h"

#include "calendar.h"

#include <limits.h>

/* Leaves room to count with. */
#define INTEGER_BITS_MAX 62

#define MICROSECONDS_PER_SECOND 1000000

static ID id_ajd, id_divmod, id_floor, id_jd, id_nsec, id_to_i;
static VALUE unix_epoch_ajd; /* as DateTime#ajd gives it */
static VALUE microseconds_per_day;

static bool
integer_get(VALUE value, int64_t *number)
{
    int unused_bits;

    if (!RB_INTEGER_TYPE_P(value)) return false;
    if (rb_absint_size(value, &unused_bits) * CHAR_BIT - (size_t)unused_bits > INTEGER_BITS_MAX) {
        return false;
    }
    *number = NUM2LL(value);
    return true;
}

bool
pgconn_moment_days_of_date(VALUE date, int64_t *days)
{
    if (!integer_get(rb_funcallv(date, id_jd, 0, 0), days)) return false;
    *days -= PGCONN_UNIX_EPOCH_JD;
    return true;
}

/* Both methods of Time round down. */
bool
pgconn_moment_of_time(VALUE time, struct pgconn_moment *moment)
{
    if (!integer_get(rb_funcallv(time, id_to_i, 0, 0), &moment->seconds)) return false;
    moment->microseconds = NUM2LONG(rb_funcallv(time, id_nsec, 0, 0)) / 1000;
    return true;
}

/* The astronomical Julian day is a Rational in UTC. */
bool
pgconn_moment_of_date_time(VALUE date_time, struct pgconn_moment *moment)
{
    VALUE days = rb_funcall(rb_funcallv(date_time, id_ajd, 0, 0), '-', 1, unix_epoch_ajd);
    VALUE microseconds = rb_funcall(days, '*', 1, microseconds_per_day);
    VALUE parts = rb_funcall(rb_funcallv(microseconds, id_floor, 0, 0), id_divmod, 1,
                             INT2FIX(MICROSECONDS_PER_SECOND));

    moment->microseconds = NUM2LONG(rb_ary_entry(parts, 1));
    return integer_get(rb_ary_entry(parts, 0), &moment->seconds);
}

void
pgconn_moment_init(void)
{
    id_ajd = rb_intern("ajd");
    id_divmod = rb_intern("divmod");
    id_floor = rb_intern("floor");
    id_jd = rb_intern("jd");
    id_nsec = rb_intern("nsec");
    id_to_i = rb_intern("to_i");
    unix_epoch_ajd = rb_rational_new(INT2FIX(2 * PGCONN_UNIX_EPOCH_JD - 1), INT2FIX(2));
    microseconds_per_day = LL2NUM(86400000000LL);
    rb_gc_register_mark_object(unix_epoch_ajd);
    rb_gc_register_mark_object(microseconds_per_day);
}
