#include "date_cache.h"

#include <ruby/ractor.h>

/*
 * A power of two; some 45 years of days, so that those of most tables don't drive each other out.
 */
#define CACHE_SLOTS 16384

#define EPOCH_JD 2451545 /* 2000-01-01 as a Julian day number */

/*
 * The Dates are in an Array, which the collector passes over, once old, as long as it gets no new
 * ones.
 */
struct date_cache {
    VALUE dates;
    int32_t days[CACHE_SLOTS]; /* of the Date at the same place */
};

static ID id_next_day;
static VALUE date_epoch; /* 2000-01-01 */

/* Ractors that run at once would mix up the two halves of a place: each has its own. */
static rb_ractor_local_key_t cache_key;

static void
cache_mark(void *pointer)
{
    rb_gc_mark(((struct date_cache *)pointer)->dates);
}

static const struct rb_ractor_local_storage_type cache_type = {cache_mark, ruby_xfree};

static struct date_cache *
cache_get(void)
{
    struct date_cache *cache = rb_ractor_local_storage_ptr(cache_key);
    VALUE dates;

    if (cache) return cache;
    dates = rb_ary_new_capa(CACHE_SLOTS);
    rb_ary_store(dates, CACHE_SLOTS - 1, Qnil);
    cache = ALLOC(struct date_cache);
    cache->dates = dates;
    rb_ractor_local_storage_ptr_set(cache_key, cache);
    return cache;
}

/* Of all ways to make a Date this is the quickest that nobody redefines (as some do with +). */
static VALUE
date_new(int32_t days)
{
    VALUE distance = INT2NUM(days);

    return rb_obj_freeze(rb_funcallv(date_epoch, id_next_day, 1, &distance));
}

VALUE
pgconn_date_cache_fetch(int32_t days)
{
    struct date_cache *cache = cache_get();
    long place = (uint32_t)days % CACHE_SLOTS;
    VALUE date = RARRAY_AREF(cache->dates, place);

    if (!NIL_P(date) && cache->days[place] == days) return date;
    date = date_new(days);
    rb_ary_store(cache->dates, place, date);
    cache->days[place] = days;
    return date;
}

void
pgconn_date_cache_init(void)
{
    VALUE rb_cDate, gregorian;

    rb_require("date");
    rb_cDate = rb_const_get(rb_cObject, rb_intern("Date"));
    gregorian = rb_const_get(rb_cDate, rb_intern("GREGORIAN"));
    date_epoch = rb_funcall(rb_cDate, rb_intern("jd"), 2, INT2FIX(EPOCH_JD), gregorian);
    rb_gc_register_mark_object(rb_obj_freeze(date_epoch));
    id_next_day = rb_intern("next_day");
    cache_key = rb_ractor_local_storage_ptr_newkey(&cache_type);
}
