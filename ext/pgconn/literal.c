#include "literal.h"

#include "encode.h"
#include "error.h"

/* What values go to where no type is given and their class leaves but one. */
#define BYTEA_OID 17
#define JSON_OID 114

struct literal {
    VALUE value;
    VALUE registry;
    const struct pgconn_text_form *form;
    const struct pgconn_codec *codec;
    Oid type; /* as the user has fixed it, or 0 */
    int encoding_index;
    int number;
    struct pgconn_buffer bytes; /* the value's text, without quotes */
};

static bool
value_is_bytes(VALUE value)
{
    return RB_TYPE_P(value, T_STRING) && rb_enc_get_index(value) == rb_ascii8bit_encindex();
}

static const struct pgconn_codec *
literal_codec(const struct literal *literal)
{
    if (literal->type) return pgconn_types_find(literal->registry, literal->type);
    if (value_is_bytes(literal->value)) return pgconn_types_find(literal->registry, BYTEA_OID);
    if (RB_TYPE_P(literal->value, T_HASH)) return pgconn_types_find(literal->registry, JSON_OID);
    return pgconn_codec_find(0);
}

/* Writes the value's text; false for NULL. */
static bool
literal_encode(struct literal *literal)
{
    struct pgconn_output output = {&literal->bytes, literal->encoding_index, literal->type,
                                   literal->number};

    if (!pgconn_encode_resolved_text(literal->codec, literal->value, literal->form, &output)) {
        return false;
    }
    if (literal->bytes.failed && !literal->bytes.too_large) rb_memerror();
    if (literal->bytes.failed) {
        pgconn_error_raise(rb_ePgconnDataError, "a literal can't be larger than %d bytes", INT_MAX);
    }
    return true;
}

/*
 * The text as a String. What isn't valid in its encoding could take the closing quote for the rest
 * of a character.
 */
static VALUE
literal_text(const struct literal *literal)
{
    const struct pgconn_buffer *bytes = &literal->bytes;
    VALUE text = rb_utf8_str_new(bytes->data, (long)bytes->length);
    bool broken = rb_enc_str_coderange(text) == ENC_CODERANGE_BROKEN;

    if (broken && literal->encoding_index == rb_ascii8bit_encindex()) {
        rb_enc_associate_index(text, literal->encoding_index);
    }
    else if (broken) {
        pgconn_error_raise(rb_ePgconnDataError, "parameter $%d isn't valid UTF-8", literal->number);
    }
    if (bytes->length > 0 && memchr(bytes->data, '\0', bytes->length)) {
        pgconn_error_raise(rb_ePgconnDataError,
                           "parameter $%d has a NUL byte, which PostgreSQL's text can't hold",
                           literal->number);
    }
    return text;
}

/* Whether the text is a number as SQL writes one; NaN and Infinity aren't. */
static bool
text_is_number(const char *text, size_t length)
{
    if (length > 0 && *text == '-') {
        text++;
        length--;
    }
    return length > 0 && *text >= '0' && *text <= '9';
}

/* SQL's numbers with a point are numeric, which has no negative zero. */
static bool
value_is_negative_zero(VALUE value)
{
    return RB_FLOAT_TYPE_P(value) && RFLOAT_VALUE(value) == 0 && 1 / RFLOAT_VALUE(value) < 0;
}

/* Whether it stands without quotes. */
static bool
literal_is_bare(const struct literal *literal)
{
    VALUE value = literal->value;

    if (literal->type) return false;
    if (value == Qtrue || value == Qfalse) return true;
    return RTEST(rb_obj_is_kind_of(value, rb_cNumeric)) && !value_is_negative_zero(value) &&
           text_is_number(literal->bytes.data, literal->bytes.length);
}

/*
 * In parentheses a sign belongs to its number (-1::text would be -(1::text)), and can't make a
 * comment of another minus before it.
 */
static VALUE
bare_new(VALUE text)
{
    return *RSTRING_PTR(text) == '-' ? rb_sprintf("(%" PRIsVALUE ")", text) : text;
}

/*
 * A backslash is itself in E'..' only if it is doubled, whatever standard_conforming_strings says.
 * The space keeps the E apart from a word that comes before.
 */
static VALUE
quoted_new(VALUE text)
{
    const char *at = RSTRING_PTR(text), *end = RSTRING_END(text), *special;
    bool escapes = memchr(at, '\\', (size_t)RSTRING_LEN(text));
    VALUE quoted = rb_str_buf_new(RSTRING_LEN(text) + 8);

    rb_str_buf_cat_ascii(quoted, escapes ? " E'" : "'");
    rb_enc_copy(quoted, text);
    for (; at < end; at = special) {
        for (special = at; special < end && *special != '\'' && *special != '\\';) special++;
        rb_str_buf_cat(quoted, at, special - at);
        if (special == end) break;
        rb_str_buf_cat(quoted, special, 1);
        rb_str_buf_cat(quoted, special, 1);
        special++;
    }
    RB_GC_GUARD(text);
    return rb_str_buf_cat(quoted, "'", 1);
}

/*
 * The classes whose values are of one type. Time isn't among them: a cast to timestamptz would be
 * converted to the session's time zone where a timestamp is wanted.
 */
static const struct class_cast {
    const char *class_name; /* as in text_form.c */
    const char *type;
} class_casts[] = {
    {"Float",            "float8"  },
    {"BigDecimal",       "numeric" },
    {"Date",             "date"    },
    {"Pgconn::Interval", "interval"},
};

#define CLASS_CASTS (sizeof(class_casts) / sizeof(class_casts[0]))

/* The type that a literal is cast to, so that it is the same value wherever it stands; or NULL. */
static const char *
literal_cast(const struct literal *literal)
{
    const char *class_name = literal->form->class_name;

    if (literal->type) return NULL;
    if (value_is_bytes(literal->value)) return "bytea";
    for (size_t i = 0; class_name && i < CLASS_CASTS; i++) {
        if (strcmp(class_casts[i].class_name, class_name) == 0) return class_casts[i].type;
    }
    return NULL;
}

/*
 * Of types that a user has fixed the built-in ones alone: whether and where others are found is
 * left to the search_path. With the schema, names such as "char" and bit mean the type without a
 * length.
 */
static VALUE
cast_append(const struct literal *literal, VALUE text)
{
    const char *cast = literal_cast(literal);
    const struct pgconn_codec *built_in = pgconn_codec_find(literal->type);

    if (cast) return rb_str_catf(text, "::%s", cast);
    if (built_in->oid) return rb_str_catf(text, "::pg_catalog.%s", built_in->name);
    return text;
}

static VALUE
literal_write(VALUE argument)
{
    struct literal *literal = (struct literal *)argument;
    VALUE text;

    literal->form = pgconn_encode_resolve(&literal->value, &literal->type,
                                          pgconn_types_take_any(literal->registry),
                                          literal->number);
    literal->codec = literal_codec(literal);
    if (!literal_encode(literal)) text = rb_utf8_str_new_cstr("NULL");
    else if (literal_is_bare(literal)) return bare_new(literal_text(literal));
    else text = quoted_new(literal_text(literal));
    return cast_append(literal, text);
}

static VALUE
literal_free(VALUE argument)
{
    pgconn_buffer_free(&((struct literal *)argument)->bytes);
    return Qnil;
}

VALUE
pgconn_literal_new(VALUE value, VALUE registry, int encoding_index, int number)
{
    int binary = rb_ascii8bit_encindex();
    struct literal literal = {
        .value = value,
        .registry = registry,
        .encoding_index = encoding_index == binary ? binary : rb_utf8_encindex(),
        .number = number,
    };

    return rb_ensure(literal_write, (VALUE)&literal, literal_free, (VALUE)&literal);
}
