#include "encode.h"
#include "error.h"

/* What to_pg gives may have a to_pg itself; this deep is an endless chain. */
#define TO_PG_DEPTH_MAX 16

static VALUE rb_cPgconnTyped;
static ID id_to_pg, id_value, id_oid;

/* The OID of a Typed, whose own type is fixed by the outermost one. */
static Oid
typed_oid(VALUE typed, Oid outer)
{
    return outer ? outer : NUM2UINT(rb_ivar_get(typed, id_oid));
}

/* What the value's own to_pg gives; false where it has none. */
static bool
to_pg_call(VALUE *value)
{
    VALUE given = rb_check_funcall(*value, id_to_pg, 0, 0);

    if (given == Qundef) return false;
    *value = given;
    return true;
}

const struct pgconn_text_form *
pgconn_encode_resolve(VALUE *value, Oid *type, int number)
{
    for (int depth = 0; depth < TO_PG_DEPTH_MAX; depth++) {
        const struct pgconn_text_form *form = pgconn_text_form_of(rb_obj_class(*value));

        if (form) return form;
        if (RTEST(rb_obj_is_kind_of(*value, rb_cPgconnTyped))) {
            *type = typed_oid(*value, *type);
            *value = rb_ivar_get(*value, id_value);
        }
        else if (!to_pg_call(value)) {
            form = pgconn_text_form_like(*value);
            if (!form) pgconn_text_form_raise_unknown(*value, number);
            return form;
        }
    }
    pgconn_error_raise(rb_ePgconnDataError,
                       "can't encode parameter $%d: to_pg of %" PRIsVALUE
                       " leads to no value after %d calls",
                       number, rb_class_name(rb_obj_class(*value)), TO_PG_DEPTH_MAX);
}

/* Tries one way; takes back what it has appended where it wasn't the right one. */
static bool
encode_try(pgconn_encode_function encode, const struct pgconn_codec *codec, VALUE value,
           struct pgconn_output *output)
{
    size_t start = output->bytes->length;

    if (encode && encode(codec, value, output)) return true;
    output->bytes->length = start;
    return false;
}

static void
encode_text(const struct pgconn_codec *codec, VALUE value, const struct pgconn_text_form *form,
            struct pgconn_output *output)
{
    if (!encode_try(codec->encode_text, codec, value, output)) form->write(value, output);
}

enum pgconn_form
pgconn_encode_resolved(const struct pgconn_codec *codec, VALUE value,
                       const struct pgconn_text_form *form, struct pgconn_output *output)
{
    if (!form->write) return PGCONN_FORM_NULL;
    if (encode_try(codec->encode_binary, codec, value, output)) return PGCONN_FORM_BINARY;
    encode_text(codec, value, form, output);
    return PGCONN_FORM_TEXT;
}

bool
pgconn_encode_element(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    Oid outer = 0;
    const struct pgconn_text_form *form = pgconn_encode_resolve(&value, &outer, output->number);
    size_t start = output->bytes->length;

    pgconn_buffer_append_int32(output->bytes, -1);
    if (!form->write) return true;
    if (!encode_try(codec->encode_binary, codec, value, output)) return false;
    if (!output->bytes->failed) {
        pgconn_buffer_put_int32(output->bytes->data + start,
                                (int32_t)(output->bytes->length - start - 4));
    }
    RB_GC_GUARD(value);
    return true;
}

bool
pgconn_encode_element_text(const struct pgconn_codec *codec, VALUE value,
                           struct pgconn_output *output)
{
    Oid outer = 0;
    const struct pgconn_text_form *form = pgconn_encode_resolve(&value, &outer, output->number);

    if (!form->write) return false;
    encode_text(codec, value, form, output);
    RB_GC_GUARD(value);
    return true;
}

void
pgconn_encode_init(void)
{
    rb_cPgconnTyped = rb_const_get(rb_mPgconn, rb_intern("Typed"));
    rb_gc_register_mark_object(rb_cPgconnTyped);
    id_to_pg = rb_intern("to_pg");
    id_value = rb_intern("@value");
    id_oid = rb_intern("@oid");
}
