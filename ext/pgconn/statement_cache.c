#include "statement_cache.h"

#include "encoding.h"

/* Longer texts aren't kept: nobody executes them often, and all of them together may be large. */
#define SQL_LENGTH_MAX 65536

static VALUE rb_cPgconnStatement;

static void
statement_mark(void *data)
{
    const struct pgconn_statement *statement = data;

    rb_gc_mark_movable(statement->key);
    rb_gc_mark_movable(statement->wire);
    rb_gc_mark_movable(statement->plan);
    rb_gc_mark_movable(statement->sql.text);
    rb_gc_mark_movable(statement->sql.names);
}

static void
statement_compact(void *data)
{
    struct pgconn_statement *statement = data;

    statement->key = rb_gc_location(statement->key);
    statement->wire = rb_gc_location(statement->wire);
    statement->plan = rb_gc_location(statement->plan);
    statement->sql.text = rb_gc_location(statement->sql.text);
    statement->sql.names = rb_gc_location(statement->sql.names);
}

static void
statement_free(void *data)
{
    struct pgconn_statement *statement = data;

    pgconn_prepared_release(statement->prepared);
    xfree(statement->parameters);
    xfree(statement);
}

static size_t
statement_memsize(const void *data)
{
    const struct pgconn_statement *statement = data;

    return sizeof(*statement) + (size_t)statement->parameter_count * sizeof(*statement->parameters);
}

/* Without write barriers: it is looked at by each collection, as few of them as there are. */
static const rb_data_type_t statement_type = {
    .wrap_struct_name = "Pgconn::Statement",
    .function = {.dmark = statement_mark,
                 .dfree = statement_free,
                 .dsize = statement_memsize,
                 .dcompact = statement_compact},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY,
};

struct pgconn_statement *
pgconn_statement_get(VALUE statement)
{
    return RTYPEDDATA_DATA(statement);
}

void
pgconn_statement_cache_init(struct pgconn_statement_cache *cache, VALUE owner,
                            struct pgconn_session *session)
{
    memset(cache, 0, sizeof(*cache));
    cache->owner = owner;
    cache->session = session;
    cache->by_position = cache->by_name = cache->recent_sql = cache->recent = Qnil;
}

void
pgconn_statement_cache_mark(const struct pgconn_statement_cache *cache)
{
    rb_gc_mark_movable(cache->by_position);
    rb_gc_mark_movable(cache->by_name);
    rb_gc_mark_movable(cache->recent_sql);
    rb_gc_mark_movable(cache->recent);
}

void
pgconn_statement_cache_compact(struct pgconn_statement_cache *cache)
{
    cache->owner = rb_gc_location(cache->owner);
    cache->by_position = rb_gc_location(cache->by_position);
    cache->by_name = rb_gc_location(cache->by_name);
    cache->recent_sql = rb_gc_location(cache->recent_sql);
    cache->recent = rb_gc_location(cache->recent);
}

static void
list_remove(struct pgconn_statement_list *list, struct pgconn_statement *statement)
{
    if (statement->newer) statement->newer->older = statement->older;
    else list->newest = statement->older;
    if (statement->older) statement->older->newer = statement->newer;
    else list->oldest = statement->newer;
    statement->newer = statement->older = NULL;
    list->count--;
}

static void
list_add(struct pgconn_statement_list *list, struct pgconn_statement *statement)
{
    statement->older = list->newest;
    if (list->newest) list->newest->newer = statement;
    else list->oldest = statement;
    list->newest = statement;
    list->count++;
}

static void
list_touch(struct pgconn_statement *statement)
{
    struct pgconn_statement_list *list = statement->list;

    if (list->newest == statement) return;
    list_remove(list, statement);
    list_add(list, statement);
}

static VALUE
table_of(const struct pgconn_statement_cache *cache, bool by_name)
{
    return by_name ? cache->by_name : cache->by_position;
}

static void
cache_evict(struct pgconn_statement_cache *cache, struct pgconn_statement *statement)
{
    list_remove(statement->list, statement);
    statement->list = NULL;
    cache->recent_sql = cache->recent = Qnil;
    pgconn_names_drop(&cache->session->names, statement->prepared);
    rb_hash_delete(table_of(cache, !NIL_P(statement->sql.names)), statement->key);
}

static void
cache_keep(struct pgconn_statement_cache *cache, struct pgconn_statement_list *list,
           struct pgconn_statement *statement)
{
    if (statement->list) list_remove(statement->list, statement);
    statement->list = list;
    list_add(list, statement);
    if (list->count > cache->size) cache_evict(cache, list->oldest);
}

static VALUE
statement_new(void)
{
    struct pgconn_statement *statement;
    VALUE self = TypedData_Make_Struct(rb_cPgconnStatement, struct pgconn_statement,
                                       &statement_type, statement);

    statement->key = statement->wire = statement->plan = Qnil;
    statement->sql.text = statement->sql.names = Qnil;
    statement->prepared = pgconn_prepared_new();
    if (!statement->prepared) rb_memerror();
    return self;
}

static VALUE
statement_read(VALUE sql, bool by_name, struct pgconn_text_settings settings)
{
    VALUE self = statement_new(), text;
    struct pgconn_statement *statement = RTYPEDDATA_DATA(self);
    const char *start;
    size_t length;

    statement->sql = pgconn_params_parse(sql, by_name, settings.standard_strings);
    statement->sql.text = text = rb_str_new_frozen(statement->sql.text);
    statement->wire = rb_str_new_frozen(
        pgconn_encoding_export(text, settings.encoding_index, "SQL"));
    StringValueCStr(statement->wire); /* ends it with a NUL byte */
    statement->settings = settings;
    RSTRING_GETMEM(text, start, length);
    statement->keyword = pgconn_sql_statements_keyword(start, length, settings.standard_strings);
    statement->may_set = pgconn_sql_may_set(start, length);
    statement->stands_alone = pgconn_sql_statements_stand_alone(start, length,
                                                                settings.standard_strings,
                                                                statement->keyword);
    RB_GC_GUARD(text);
    return self;
}

static VALUE
key_of(VALUE sql, VALUE types)
{
    return NIL_P(types) ? sql : rb_obj_freeze(rb_assoc_new(sql, types));
}

static VALUE
cache_find(struct pgconn_statement_cache *cache, VALUE key, bool by_name)
{
    VALUE found = !by_name && key == cache->recent_sql
                      ? cache->recent
                      : rb_hash_lookup2(table_of(cache, by_name), key, Qnil);
    struct pgconn_statement *statement;

    if (NIL_P(found)) return Qnil;
    statement = RTYPEDDATA_DATA(found);
    if (pgconn_text_settings_equal(statement->settings, cache->session->settings)) {
        list_touch(statement);
        return found;
    }
    cache_evict(cache, statement);
    return Qnil;
}

/* The same frozen String is the same SQL: most programs have theirs as literals. */
static void
cache_note_recent(struct pgconn_statement_cache *cache, VALUE sql, VALUE statement)
{
    if (cache->recent_sql == sql) return;
    RB_OBJ_WRITE(cache->owner, &cache->recent_sql, sql);
    RB_OBJ_WRITE(cache->owner, &cache->recent, statement);
}

VALUE
pgconn_statement_cache_fetch(struct pgconn_statement_cache *cache, VALUE sql, bool by_name,
                             VALUE types)
{
    VALUE key = key_of(sql, types), found = cache_find(cache, key, by_name);
    struct pgconn_statement *statement;

    if (!NIL_P(found)) {
        if (!by_name && NIL_P(types)) cache_note_recent(cache, sql, found);
        return found;
    }
    found = statement_read(sql, by_name, cache->session->settings);
    statement = RTYPEDDATA_DATA(found);
    if (cache->size == 0 || RSTRING_LEN(sql) > SQL_LENGTH_MAX) return found;
    statement->key = key;
    rb_hash_aset(table_of(cache, by_name), statement->key, found);
    cache_keep(cache, &cache->unnamed, statement);
    return found;
}

static void
parameters_work_out(struct pgconn_statement *statement, const PGresult *description, VALUE registry)
{
    int count = PQnparams(description);

    REALLOC_N(statement->parameters, struct pgconn_parameter, count ? count : 1);
    statement->parameter_count = count;
    for (int i = 0; i < count; i++) {
        Oid type = PQparamtype(description, i);

        statement->parameters[i].type = type;
        statement->parameters[i].codec = pgconn_types_find(registry, type);
    }
}

/*
 * The server refuses a prepared query whose columns have changed. Of other commands (FETCH,
 * EXECUTE, SHOW...) it works them out anew each time: they may come to be of any type.
 */
static bool
columns_are_fixed(const struct pgconn_statement *statement)
{
    return statement->keyword == PGCONN_KEYWORD_QUERY;
}

void
pgconn_statement_work_out(VALUE self, VALUE registry)
{
    struct pgconn_statement *statement = RTYPEDDATA_DATA(self);
    const PGresult *description = statement->prepared->description;
    unsigned long generation = pgconn_types_generation(registry);

    if (!description || (statement->descriptions == statement->prepared->descriptions &&
                         statement->generation == generation)) {
        return;
    }
    parameters_work_out(statement, description, registry);
    statement->result_format = columns_are_fixed(statement) &&
                               pgconn_types_read_binary(registry, description,
                                                        statement->settings.encoding_index);
    statement->descriptions = statement->prepared->descriptions;
    statement->generation = generation;
}

bool
pgconn_statement_cache_name(struct pgconn_statement_cache *cache,
                            struct pgconn_statement *statement)
{
    struct pgconn_prepared *prepared = statement->prepared;

    if (cache->threshold == 0 || !statement->list) return false;
    if (statement->executions + 1 < (unsigned long)cache->threshold) return false;
    if (prepared->state == PGCONN_PREPARED_UNDER_WAY) return false;
    /* A long transaction that drops many names must not fill the server with them. */
    if (cache->session->names.closing_count > cache->size) return false;
    prepared->state = PGCONN_PREPARED_UNDER_WAY;
    prepared->number = ++cache->names;
    pgconn_prepared_write_name(prepared->name, prepared->number);
    cache_keep(cache, &cache->named, statement);
    return true;
}

void
pgconn_statement_cache_forget(struct pgconn_statement_cache *cache,
                              struct pgconn_statement *statement)
{
    struct pgconn_prepared *fresh = pgconn_prepared_new();

    if (!fresh) rb_memerror();
    pgconn_names_drop(&cache->session->names, statement->prepared);
    pgconn_prepared_release(statement->prepared);
    statement->prepared = fresh;
    statement->parameter_count = 0;
    statement->descriptions = 0;
    xfree(statement->parameters);
    statement->parameters = NULL;
}

void
pgconn_statement_cache_open(struct pgconn_statement_cache *cache, int size, int threshold)
{
    cache->size = size;
    cache->threshold = threshold;
    RB_OBJ_WRITE(cache->owner, &cache->by_position, rb_hash_new());
    RB_OBJ_WRITE(cache->owner, &cache->by_name, rb_hash_new());
}

void
Init_pgconn_statement_cache(void)
{
    rb_cPgconnStatement = rb_class_new(rb_cObject);
    rb_gc_register_mark_object(rb_cPgconnStatement);
    rb_undef_alloc_func(rb_cPgconnStatement);
}
