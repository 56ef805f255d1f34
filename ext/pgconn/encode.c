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
pgconn_encode_resolve(VALUE *value, Oid *type, bool any, int number)
{
    for (int depth = 0; depth < TO_PG_DEPTH_MAX; depth++) {
        const struct pgconn_text_form *form = pgconn_text_form_of(rb_obj_class(*value));

        if (form) return form;
        if (RTEST(rb_obj_is_kind_of(*value, rb_cPgconnTyped))) {
            *type = typed_oid(*value, *type);
            *value = rb_ivar_get(*value, id_value);
        }
        else if (!to_pg_call(value)) {
            if (!any && !pgconn_text_form_like(*value)) {
                pgconn_text_form_raise_unknown(*value, number);
            }
            return pgconn_text_form_for(*value);
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
    if (encode_try(codec->encode_text, codec, value, output)) return;
    pgconn_text_form_check(form, codec, value, output->number);
    form->write(value, output);
}

/* What is written for a value: what the codec converts it to. */
static const struct pgconn_text_form *
value_convert(const struct pgconn_codec *codec, VALUE *value, const struct pgconn_text_form *form,
              const struct pgconn_output *output)
{
    Oid ignored = 0;

    if (!form->write || !codec->convert) return form;
    *value = codec->convert(codec, *value);
    return pgconn_encode_resolve(value, &ignored, false, output->number);
}

enum pgconn_form
pgconn_encode_resolved(const struct pgconn_codec *codec, VALUE value,
                       const struct pgconn_text_form *form, struct pgconn_output *output)
{
    enum pgconn_form given = PGCONN_FORM_BINARY;

    form = value_convert(codec, &value, form, output);
    if (!form->write) return PGCONN_FORM_NULL;
    if (!encode_try(codec->encode_binary, codec, value, output)) {
        encode_text(codec, value, form, output);
        given = PGCONN_FORM_TEXT;
    }
    RB_GC_GUARD(value);
    return given;
}

bool
pgconn_encode_resolved_text(const struct pgconn_codec *codec, VALUE value,
                            const struct pgconn_text_form *form, struct pgconn_output *output)
{
    form = value_convert(codec, &value, form, output);
    if (!form->write) return false;
    encode_text(codec, value, form, output);
    RB_GC_GUARD(value);
    return true;
}

/* Elements are resolved as parameters are, but for a type that is known. */
static const struct pgconn_text_form *
element_resolve(const struct pgconn_codec *codec, VALUE *value, const struct pgconn_output *output)
{
    Oid ignored = 0;
    const struct pgconn_text_form *form = pgconn_encode_resolve(value, &ignored, codec->takes_any,
                                                                output->number);

    return value_convert(codec, value, form, output);
}

bool
pgconn_encode_element(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    const struct pgconn_text_form *form;
    size_t start = output->bytes->length;

    if (!codec->encode_binary) return false;
    form = element_resolve(codec, &value, output);
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

/* A character's length; in encodings like SJIS its later bytes may look like ASCII. */
static size_t
character_length(const char *at, const char *end, rb_encoding *encoding)
{
    return (unsigned char)*at < 0x80 ? 1 : (size_t)rb_enc_mbclen(at, end, encoding);
}

static void
text_append_escaped(struct pgconn_buffer *bytes, const char *text, size_t length,
                    int encoding_index)
{
    rb_encoding *encoding = rb_enc_from_index(encoding_index);
    const char *at = text, *end = text + length;

    while (at < end) {
        size_t width = character_length(at, end, encoding);

        if (*at == '"' || *at == '\\') pgconn_buffer_append_byte(bytes, '\\');
        pgconn_buffer_append(bytes, at, width);
        at += width;
    }
}

/* Escapes what was appended from start on. */
static void
text_escape(struct pgconn_buffer *bytes, size_t start, int encoding_index)
{
    size_t length = bytes->length - start;
    char *text = bytes->data + start, *copy;
    VALUE buffer;

    if (bytes->failed || length == 0) return;
    if (!memchr(text, '"', length) && !memchr(text, '\\', length)) return;
    copy = ALLOCV_N(char, buffer, length);
    memcpy(copy, text, length);
    bytes->length = start;
    text_append_escaped(bytes, copy, length, encoding_index);
    ALLOCV_END(buffer);
}

bool
pgconn_encode_element_quoted(const struct pgconn_codec *codec, VALUE value,
                             struct pgconn_output *output)
{
    const struct pgconn_text_form *form = element_resolve(codec, &value, output);
    size_t start;

    if (!form->write) return false;
    pgconn_buffer_append_byte(output->bytes, '"');
    start = output->bytes->length;
    encode_text(codec, value, form, output);
    text_escape(output->bytes, start, output->encoding_index);
    pgconn_buffer_append_byte(output->bytes, '"');
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
