#include "text_form.h"

#include "calendar.h"
#include "encoding.h"
#include "error.h"
#include "moment.h"

#include <math.h>

/* What numeric can hold: so many digits before the point, and behind it. */
#define NUMERIC_DIGITS_MAX 131072
#define NUMERIC_SCALE_MAX 16383

/* Far beyond PostgreSQL's dates; the server refuses what it can't hold. */
#define YEAR_MAX 9999999

#define BYTEA_OID 17

static ID id_bit_length, id_divmod, id_exponent, id_iso8601, id_prefix, id_to_s;
static VALUE plain_notation; /* what BigDecimal#to_s calls it */

void
pgconn_text_form_raise_unknown(VALUE value, int number)
{
    pgconn_error_raise(
        rb_ePgconnDataError,
        "can't encode parameter $%d: %" PRIsVALUE "; accepted are nil, true, false, "
        "Integer, Float, BigDecimal, Rational, String, Symbol, Date, DateTime, Time, Array, Set, "
        "Hash, Range, Struct, IPAddr, the value classes of Pgconn, durations with iso8601, and "
        "objects with to_pg",
        number, rb_class_name(rb_obj_class(value)));
}

static void
string_append(VALUE string, struct pgconn_output *output)
{
    Check_Type(string, T_STRING);
    pgconn_buffer_append(output->bytes, RSTRING_PTR(string), (size_t)RSTRING_LEN(string));
    RB_GC_GUARD(string);
}

/* The whole word, which json reads too. */
static void
true_write(VALUE value, struct pgconn_output *output)
{
    (void)value;
    pgconn_buffer_append(output->bytes, "true", 4);
}

static void
false_write(VALUE value, struct pgconn_output *output)
{
    (void)value;
    pgconn_buffer_append(output->bytes, "false", 5);
}

static void
integer_write(VALUE value, struct pgconn_output *output)
{
    if (FIXNUM_P(value)) pgconn_buffer_printf(output->bytes, "%ld", FIX2LONG(value));
    else string_append(rb_big2str(value, 10), output);
}

/* Ruby's own text is the shortest that gives the same Float again. */
static void
float_write(VALUE value, struct pgconn_output *output)
{
    double number = RFLOAT_VALUE(value);

    if (isnan(number) || isinf(number)) {
        const char *text = isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";

        pgconn_buffer_append(output->bytes, text, strlen(text));
    }
    else {
        string_append(rb_obj_as_string(value), output);
    }
}

NORETURN(static void raise_out_of_range(const char *type, const struct pgconn_output *output));

static void
raise_out_of_range(const char *type, const struct pgconn_output *output)
{
    pgconn_error_raise(rb_ePgconnDataError, "parameter $%d is out of the range of %s",
                       output->number, type);
}

/* A tiny BigDecimal can stand for a gigabyte of zeros, so the exponent comes first. */
static void
big_decimal_write(VALUE value, struct pgconn_output *output)
{
    long exponent = NUM2LONG(rb_funcallv(value, id_exponent, 0, 0));
    size_t start = output->bytes->length;

    if (exponent > NUMERIC_DIGITS_MAX || exponent <= -NUMERIC_SCALE_MAX) {
        raise_out_of_range("numeric", output);
    }
    string_append(rb_funcallv(value, id_to_s, 1, &plain_notation), output);
    if (output->bytes->length >= start + 2 &&
        memcmp(output->bytes->data + output->bytes->length - 2, ".0", 2) == 0) {
        output->bytes->length -= 2; /* a whole number goes to integer types, too */
    }
}

/* Writes an Integer that was multiplied by ten to the power of places, without idle zeros. */
static void
scaled_write(VALUE integer, long places, struct pgconn_output *output)
{
    VALUE text = rb_obj_as_string(integer);
    const char *digits = RSTRING_PTR(text), *end = RSTRING_END(text);

    if (*digits == '-') pgconn_buffer_append_byte(output->bytes, *digits++);
    for (; places > 0 && end - digits > 1 && end[-1] == '0'; places--) end--;
    if (end - digits > places) {
        pgconn_buffer_append(output->bytes, digits, (size_t)(end - digits - places));
        digits = end - places;
    }
    else {
        pgconn_buffer_append_byte(output->bytes, '0');
    }
    if (places > 0) pgconn_buffer_append_byte(output->bytes, '.');
    for (; places > end - digits; places--) pgconn_buffer_append_byte(output->bytes, '0');
    pgconn_buffer_append(output->bytes, digits, (size_t)(end - digits));
    RB_GC_GUARD(text);
}

NORETURN(static void rational_raise(VALUE value, const struct pgconn_output *output));

static void
rational_raise(VALUE value, const struct pgconn_output *output)
{
    VALUE text = rb_obj_as_string(value);
    struct pgconn_input sight = {.data = RSTRING_PTR(text), .length = (int)RSTRING_LEN(text)};

    pgconn_error_raise(rb_ePgconnDataError,
                       "can't encode parameter $%d: the Rational %" PRIsVALUE
                       " has no finite decimal form",
                       output->number, pgconn_codec_sight(sight));
}

/*
 * A Rational is a decimal with n places if its denominator divides ten to the power of n. That is
 * so for denominators of twos and fives only, and then n is less than the number of their bits.
 */
static void
rational_write(VALUE value, struct pgconn_output *output)
{
    VALUE denominator = rb_rational_den(value), power, factor;
    long places = NUM2LONG(rb_funcallv(denominator, id_bit_length, 0, 0)) - 1;

    if (places > NUMERIC_SCALE_MAX) places = NUMERIC_SCALE_MAX;
    power = rb_int_positive_pow(10, (unsigned long)places);
    factor = rb_funcallv(power, id_divmod, 1, &denominator);
    if (rb_ary_entry(factor, 1) != INT2FIX(0)) rational_raise(value, output);
    scaled_write(rb_funcall(rb_rational_num(value), '*', 1, rb_ary_entry(factor, 0)), places,
                 output);
}

/* What such bytes are depends on the type of their column, which isn't known here. */
static void
binary_string_check(VALUE string, const struct pgconn_output *output)
{
    const char *bytes = RSTRING_PTR(string);
    size_t length = (size_t)RSTRING_LEN(string);

    if (!memchr(bytes, '\0', length) && !memchr(bytes, '\\', length)) return;
    pgconn_error_raise(rb_ePgconnDataError,
                       "parameter $%d is an ASCII-8BIT String with a NUL byte or a backslash: for "
                       "bytea wrap it, Pgconn::Typed.new(string, %d)",
                       output->number, BYTEA_OID);
}

/* The parameter gets a name only where one may be told: most Strings can be sent as they are. */
static VALUE
string_export(VALUE string, const struct pgconn_output *output)
{
    char what[32];

    snprintf(what, sizeof(what), "parameter $%d", output->number);
    return pgconn_encoding_export(string, output->encoding_index, what);
}

void
pgconn_text_form_write_string(VALUE value, struct pgconn_output *output)
{
    if (!pgconn_encoding_fits(value, output->encoding_index)) value = string_export(value, output);
    if (memchr(RSTRING_PTR(value), '\0', (size_t)RSTRING_LEN(value))) {
        pgconn_error_raise(rb_ePgconnDataError,
                           "parameter $%d has a NUL byte, which PostgreSQL's text can't hold",
                           output->number);
    }
    string_append(value, output);
}

static bool
string_is_binary(VALUE string)
{
    return rb_enc_get_index(string) == rb_ascii8bit_encindex();
}

static void
string_write(VALUE value, struct pgconn_output *output)
{
    if (!output->type && string_is_binary(value)) binary_string_check(value, output);
    pgconn_text_form_write_string(value, output);
}

static void
symbol_write(VALUE value, struct pgconn_output *output)
{
    string_write(rb_sym2str(value), output);
}

static void
civil_date_write(const struct pgconn_civil_date *date, struct pgconn_output *output)
{
    int64_t year = date->year > 0 ? date->year : 1 - date->year;

    if (year > YEAR_MAX) raise_out_of_range("dates", output);
    pgconn_buffer_printf(output->bytes, "%04ld-%02d-%02d", (long)year, date->month, date->day);
}

static void
era_write(const struct pgconn_civil_date *date, struct pgconn_output *output)
{
    if (date->year < 1) pgconn_buffer_append(output->bytes, " BC", 3);
}

static void
date_write(VALUE value, struct pgconn_output *output)
{
    struct pgconn_civil_date date;
    int64_t days;

    if (!pgconn_moment_days_of_date(value, &days)) raise_out_of_range("dates", output);
    date = pgconn_calendar_civil_from_days(days);
    civil_date_write(&date, output);
    era_write(&date, output);
}

static void
moment_write(const struct pgconn_moment *moment, struct pgconn_output *output)
{
    struct pgconn_civil_time time = pgconn_calendar_time_from_seconds(moment->seconds);

    civil_date_write(&time.date, output);
    pgconn_buffer_printf(output->bytes, " %02d:%02d:%02d.%06ld+00", time.hour, time.minute,
                         time.second, moment->microseconds);
    era_write(&time.date, output);
}

static void
time_write(VALUE value, struct pgconn_output *output)
{
    struct pgconn_moment moment;

    if (!pgconn_moment_of_time(value, &moment)) raise_out_of_range("timestamps", output);
    moment_write(&moment, output);
}

static void
date_time_write(VALUE value, struct pgconn_output *output)
{
    struct pgconn_moment moment;

    if (!pgconn_moment_of_date_time(value, &moment)) raise_out_of_range("timestamps", output);
    moment_write(&moment, output);
}

/* What the classes of pgconn's own values write is what the server reads. */
static void
value_write(VALUE value, struct pgconn_output *output)
{
    string_append(rb_obj_as_string(value), output);
}

static void
ip_addr_write(VALUE value, struct pgconn_output *output)
{
    string_append(rb_obj_as_string(value), output);
    pgconn_buffer_printf(output->bytes, "/%d", NUM2INT(rb_funcallv(value, id_prefix, 0, 0)));
}

/* Points in time have an iso8601, too, but one that leaves their fractions out. */
static void
duration_write(VALUE value, struct pgconn_output *output)
{
    VALUE text = rb_funcallv(value, id_iso8601, 0, 0);
    const char *at;

    if (!RB_TYPE_P(text, T_STRING)) pgconn_text_form_raise_unknown(value, output->number);
    at = RSTRING_PTR(text);
    if (RSTRING_LEN(text) > 1 && *at == '-') at++;
    if (RSTRING_LEN(text) < 2 || *at != 'P') pgconn_text_form_raise_unknown(value, output->number);
    string_write(text, output);
}

static bool
always(VALUE value)
{
    (void)value;
    return true;
}

static void
undetermined_raise(VALUE value, struct pgconn_output *output)
{
    pgconn_error_raise(rb_ePgconnDataError,
                       "can't encode parameter $%d: %" PRIsVALUE
                       " for the type with the OID %u; it "
                       "goes to json and jsonb, and to types registered for it",
                       output->number, rb_class_name(rb_obj_class(value)), output->type);
}

void
pgconn_text_form_check(const struct pgconn_text_form *form, const struct pgconn_codec *codec,
                       VALUE value, int number)
{
    if (form->depends != always || codec->oid == 0) return;
    pgconn_error_raise(rb_ePgconnDataError,
                       "can't encode parameter $%d as %s: it is of class %" PRIsVALUE, number,
                       codec->name, rb_class_name(rb_obj_class(value)));
}

/* The more frequent first, subclasses ahead of their superclass. */
static struct pgconn_text_form text_forms[] = {
    {"Integer",           integer_write,            NULL,             0},
    {"String",            string_write,             string_is_binary, 0},
    {"NilClass",          NULL,                     NULL,             0},
    {"TrueClass",         true_write,               NULL,             0},
    {"FalseClass",        false_write,              NULL,             0},
    {"Float",             float_write,              NULL,             0},
    {"Time",              time_write,               NULL,             0},
    {"Symbol",            symbol_write,             NULL,             0},
    {"BigDecimal",        big_decimal_write,        NULL,             0},
    {"DateTime",          date_time_write,          NULL,             0},
    {"Date",              date_write,               NULL,             0},
    {"Rational",          rational_write,           NULL,             0},
    {"Array",             pgconn_codec_array_write, always,           0},
    {"Set",               pgconn_codec_array_write, always,           0},
    {"Range",             pgconn_codec_range_write, always,           0},
    {"Pgconn::Range",     pgconn_codec_range_write, always,           0},
    {"Hash",              undetermined_raise,       always,           0},
    {"Struct",            undetermined_raise,       always,           0},
    {"IPAddr",            ip_addr_write,            NULL,             0},
    {"Pgconn::Inet",      value_write,              NULL,             0},
    {"Pgconn::Interval",  value_write,              NULL,             0},
    {"Pgconn::TimeOfDay", value_write,              NULL,             0},
};

#define TEXT_FORMS (sizeof(text_forms) / sizeof(text_forms[0]))

static void
unknown_raise(VALUE value, struct pgconn_output *output)
{
    pgconn_text_form_raise_unknown(value, output->number);
}

/* For values that only a user's encoder knows. */
static const struct pgconn_text_form unknown_form = {NULL, unknown_raise, always, 0};

/* For values that are known by a method that they have. */
static const struct pgconn_text_form duration_form = {NULL, duration_write, NULL, 0};

const struct pgconn_text_form *
pgconn_text_form_of(VALUE klass)
{
    for (size_t i = 0; i < TEXT_FORMS; i++) {
        if (text_forms[i].klass == klass) return &text_forms[i];
    }
    return NULL;
}

const struct pgconn_text_form *
pgconn_text_form_like(VALUE value)
{
    for (size_t i = 0; i < TEXT_FORMS; i++) {
        if (RTEST(rb_obj_is_kind_of(value, text_forms[i].klass))) return &text_forms[i];
    }
    return rb_respond_to(value, id_iso8601) ? &duration_form : NULL;
}

const struct pgconn_text_form *
pgconn_text_form_for(VALUE value)
{
    const struct pgconn_text_form *form = pgconn_text_form_of(rb_obj_class(value));

    if (!form) form = pgconn_text_form_like(value);
    return form ? form : &unknown_form;
}

static void
ids_init(void)
{
    id_bit_length = rb_intern("bit_length");
    id_divmod = rb_intern("divmod");
    id_exponent = rb_intern("exponent");
    id_iso8601 = rb_intern("iso8601");
    id_prefix = rb_intern("prefix");
    id_to_s = rb_intern("to_s");
}

void
pgconn_text_form_init(void)
{
    ids_init();
    for (size_t i = 0; i < TEXT_FORMS; i++) {
        text_forms[i].klass = rb_path2class(text_forms[i].class_name);
        rb_gc_register_mark_object(text_forms[i].klass);
    }
    plain_notation = rb_obj_freeze(rb_str_new_cstr("F"));
    rb_gc_register_mark_object(plain_notation);
}
