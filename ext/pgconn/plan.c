#include "plan.h"

#include "error.h"

static VALUE rb_cPgconnPlan;

static void
plan_mark(void *data)
{
    const struct pgconn_plan *plan = data;

    rb_gc_mark_movable(plan->columns);
    rb_gc_mark_movable(plan->registry);
    rb_gc_mark_movable(plan->structure);
}

static void
plan_compact(void *data)
{
    struct pgconn_plan *plan = data;

    plan->columns = rb_gc_location(plan->columns);
    plan->registry = rb_gc_location(plan->registry);
    plan->structure = rb_gc_location(plan->structure);
}

static void
plan_free(void *data)
{
    struct pgconn_plan *plan = data;

    xfree(plan->codecs);
    xfree(plan->types);
    xfree(plan);
}

static size_t
plan_memsize(const void *data)
{
    const struct pgconn_plan *plan = data;

    return sizeof(*plan) + (size_t)plan->count * (sizeof(*plan->codecs) + sizeof(*plan->types));
}

static const rb_data_type_t plan_type = {
    .wrap_struct_name = "Pgconn::Plan",
    .function = {.dmark = plan_mark,
                 .dfree = plan_free,
                 .dsize = plan_memsize,
                 .dcompact = plan_compact},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

const struct pgconn_plan *
pgconn_plan_get(VALUE plan)
{
    return RTYPEDDATA_DATA(plan);
}

/* Names are in UTF-8, as the literals that they are looked up by, where that can be. */
static VALUE
columns_of(const PGresult *result, int encoding_index)
{
    rb_encoding *encoding = rb_enc_from_index(encoding_index), *utf8 = rb_utf8_encoding();
    int count = PQnfields(result);
    VALUE names = rb_ary_new_capa(count);

    for (int i = 0; i < count; i++) {
        VALUE name = rb_enc_str_new_cstr(PQfname(result, i), encoding);

        rb_ary_push(names, rb_str_freeze(rb_str_conv_enc(name, encoding, utf8)));
    }
    return pgconn_columns_new(names);
}

/*
 * A type that was registered anew while its values were on their way in binary may not be read so
 * any more. A plan for such a result is good for that one only: it is of an earlier generation.
 */
static void
codecs_find(struct pgconn_plan *plan, const PGresult *result, VALUE registry)
{
    bool outdated = false;

    for (int i = 0; i < plan->count; i++) {
        Oid type = plan->types[i] = PQftype(result, i);
        const struct pgconn_codec *codec = pgconn_types_find(registry, type);

        plan->codecs[i] = PQbinaryTuples(result) ? pgconn_types_find_binary(registry, type) : codec;
        if (plan->codecs[i] != codec) outdated = true;
    }
    plan->generation = pgconn_types_generation(registry) - outdated;
}

VALUE
pgconn_plan_new(const PGresult *result, int encoding_index, VALUE registry)
{
    int count = PQnfields(result);
    struct pgconn_plan *plan;
    VALUE self = TypedData_Make_Struct(rb_cPgconnPlan, struct pgconn_plan, &plan_type, plan);

    plan->columns = plan->registry = plan->structure = Qnil;
    RB_OBJ_WRITE(self, &plan->columns, columns_of(result, encoding_index));
    RB_OBJ_WRITE(self, &plan->registry, registry);
    plan->count = count;
    plan->codecs = ALLOC_N(const struct pgconn_codec *, count);
    plan->types = ALLOC_N(Oid, count);
    codecs_find(plan, result, registry);
    plan->encoding_index = encoding_index;
    return self;
}

static bool
columns_fit(const struct pgconn_plan *plan, const PGresult *result)
{
    VALUE names = pgconn_columns_get(plan->columns)->names;

    for (int i = 0; i < plan->count; i++) {
        if (plan->types[i] != PQftype(result, i)) return false;
        if (strcmp(RSTRING_PTR(RARRAY_AREF(names, i)), PQfname(result, i)) != 0) return false;
    }
    return true;
}

bool
pgconn_plan_fits(VALUE self, const PGresult *result, int encoding_index, VALUE registry)
{
    const struct pgconn_plan *plan;

    if (NIL_P(self)) return false;
    plan = pgconn_plan_get(self);
    return plan->count == PQnfields(result) && plan->encoding_index == encoding_index &&
           plan->generation == pgconn_types_generation(registry) && columns_fit(plan, result);
}

static VALUE
structure_new(VALUE members)
{
    return rb_funcallv(rb_cStruct, rb_intern("new"), RARRAY_LENINT(members),
                       RARRAY_CONST_PTR(members));
}

/* Ruby has no members such as "a=" and "nil?", and, before 3.3, no Struct without members. */
static VALUE
structure_refused(VALUE members, VALUE error)
{
    pgconn_error_raise(rb_ePgconnProgrammingError,
                       "there is no Struct with the members %+" PRIsVALUE ": %" PRIsVALUE, members,
                       error);
}

VALUE
pgconn_plan_structure(VALUE self)
{
    struct pgconn_plan *plan = RTYPEDDATA_DATA(self);
    VALUE members;

    if (NIL_P(plan->structure)) {
        members = rb_funcall(pgconn_columns_get(plan->columns)->keys, rb_intern("uniq"), 0);
        RB_OBJ_WRITE(self, &plan->structure,
                     rb_rescue2(structure_new, members, structure_refused, members, rb_eArgError,
                                rb_eNameError, (VALUE)0));
        RB_GC_GUARD(members);
    }
    return plan->structure;
}

void
Init_pgconn_plan(void)
{
    rb_cPgconnPlan = rb_class_new(rb_cObject);
    rb_gc_register_mark_object(rb_cPgconnPlan);
    rb_undef_alloc_func(rb_cPgconnPlan);
}
