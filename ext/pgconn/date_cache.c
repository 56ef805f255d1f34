#include "date_cache.h"

#include <ruby/ractor.h>

/* A power of two; some eleven years of days. */
#define CACHE_SLOTS 4096

#define EPOCH_JD 2451545 /* 2000-01-01 as a Julian day number */

struct date_slot {
    int32_t days;
    VALUE date; /* 0: empty */
};

struct date_cache {
    struct date_slot slots[CACHE_SLOTS];
};

static ID id_next_day;
static VALUE date_epoch; /* 2000-01-01 */

/* A slot is two words, which Ractors that run at once could tear apart: each has its own. */
static rb_ractor_local_key_t cache_key;

static void
cache_mark(void *pointer)
{
    const struct date_cache *cache = pointer;

    for (int i = 0; i < CACHE_SLOTS; i++) rb_gc_mark(cache->slots[i].date);
}

static const struct rb_ractor_local_storage_type cache_type = {cache_mark, ruby_xfree};

static struct date_cache *
cache_get(void)
{
    struct date_cache *cache = rb_ractor_local_storage_ptr(cache_key);

    if (cache) return cache;
    cache = ZALLOC(struct date_cache);
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
    struct date_slot *slot = &cache_get()->slots[(uint32_t)days % CACHE_SLOTS];

    if (!slot->date || slot->days != days) {
        slot->date = date_new(days);
        slot->days = days;
    }
    return slot->date;
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
