#include "params.h"

#include "encode.h"
#include "error.h"

static void
params_allocate_many(struct pgconn_params *params, int count)
{
    size_t each = sizeof(*params->values) + sizeof(*params->types) + sizeof(*params->lengths) +
                  sizeof(*params->formats);
    char *block = calloc((size_t)count, each);

    if (!block) rb_memerror();
    params->values = (const char **)block;
    params->types = (Oid *)(params->values + count);
    params->lengths = (int *)(params->types + count);
    params->formats = params->lengths + count;
}

void
pgconn_params_allocate(struct pgconn_params *params, int count)
{
    if (count == 0) return;
    if (count > PGCONN_PARAMS_FEW) {
        params_allocate_many(params, count);
    }
    else {
        params->values = params->few.values;
        params->types = params->few.types;
        params->lengths = params->few.lengths;
        params->formats = params->few.formats;
    }
    params->count = count;
    params->bytes.data = params->few.bytes;
    params->bytes.capacity = sizeof(params->few.bytes);
    params->bytes.borrowed = true;
}

void
pgconn_params_free(struct pgconn_params *params)
{
    if (params->values != params->few.values) free(params->values);
    pgconn_buffer_free(&params->bytes);
    params->values = NULL;
    params->count = 0;
}

static void
params_check_size(const struct pgconn_params *params)
{
    if (params->bytes.failed && !params->bytes.too_large) rb_memerror();
    if (params->bytes.failed || params->bytes.length > PGCONN_PARAMS_BYTES_MAX) {
        pgconn_error_raise(rb_ePgconnDataError, "the parameters are larger than %d bytes together",
                           PGCONN_PARAMS_BYTES_MAX);
    }
}

/* A length of -1 stands for NULL until params_point. */
static void
value_encode(struct pgconn_params *params, int index, VALUE value, const struct pgconn_codec *codec,
             int encoding_index)
{
    struct pgconn_output output = {&params->bytes, encoding_index, params->types[index], index + 1};
    size_t start = params->bytes.length;
    enum pgconn_form given = pgconn_encode_resolved(codec, value, pgconn_text_form_for(value),
                                                    &output);

    if (given == PGCONN_FORM_NULL) {
        params->lengths[index] = -1;
        return;
    }
    params->formats[index] = given == PGCONN_FORM_BINARY;
    pgconn_buffer_append_byte(&params->bytes, '\0');
    params_check_size(params);
    params->lengths[index] = (int)(params->bytes.length - start - 1);
}

/* The bytes have stopped moving: now they can be pointed to. */
static void
params_point(struct pgconn_params *params)
{
    const char *at = params->bytes.data;

    for (int i = 0; i < params->count; i++) {
        if (params->lengths[i] < 0) {
            params->lengths[i] = 0;
            continue;
        }
        params->values[i] = at;
        at += params->lengths[i] + 1;
    }
}

static void
count_check(long count)
{
    if (count > PGCONN_PARAMS_MAX) {
        pgconn_error_raise(rb_ePgconnProgrammingError,
                           "%ld parameters given, a statement can have %d at most", count,
                           PGCONN_PARAMS_MAX);
    }
}

static void
type_note(struct pgconn_arguments *arguments, long index, Oid type)
{
    if (NIL_P(arguments->types)) {
        arguments->types = rb_ary_new();
        for (long i = 0; i < index; i++) rb_ary_push(arguments->types, INT2FIX(0));
    }
    rb_ary_push(arguments->types, UINT2NUM(type));
}

/*
 * Whether all values are of classes that need no methods of their own; *depends as for the whole.
 */
static bool
values_are_plain(VALUE values, bool *depends)
{
    for (long i = 0; i < RARRAY_LEN(values); i++) {
        VALUE value = RARRAY_AREF(values, i);
        const struct pgconn_text_form *form = pgconn_text_form_of(rb_obj_class(value));

        if (!form) return false;
        if (form->depends && form->depends(value)) *depends = true;
    }
    return true;
}

/* The values' own methods may change the Array while it is walked. */
static void
values_resolve(struct pgconn_arguments *arguments, VALUE values, bool any)
{
    VALUE copy = rb_ary_dup(values);

    arguments->values = rb_ary_new_capa(RARRAY_LEN(copy));
    for (long i = 0; i < RARRAY_LEN(copy); i++) {
        VALUE value = rb_ary_entry(copy, i);
        Oid type = 0;
        const struct pgconn_text_form *form = pgconn_encode_resolve(&value, &type, any, (int)i + 1);

        if (!type && form->depends && form->depends(value)) arguments->depends = true;
        if (type || !NIL_P(arguments->types)) type_note(arguments, i, type);
        rb_ary_push(arguments->values, value);
    }
    RB_GC_GUARD(copy);
}

struct pgconn_arguments
pgconn_params_resolve(VALUE values, VALUE registry)
{
    struct pgconn_arguments arguments = {.values = values, .types = Qnil};

    count_check(RARRAY_LEN(values));
    if (!values_are_plain(values, &arguments.depends)) {
        arguments.depends = false;
        values_resolve(&arguments, values, pgconn_types_take_any(registry));
    }
    else if (arguments.depends || pgconn_types_ask(registry)) {
        /* Others run, the user's encoders among them, before all values are encoded. */
        arguments.values = rb_ary_dup(values);
    }
    return arguments;
}

/* The OID that the user has fixed for a parameter, or 0. */
static Oid
fixed_type(VALUE types, int index)
{
    return NIL_P(types) ? 0 : NUM2UINT(rb_ary_entry(types, index));
}

/* The type of a parameter: as the user has fixed it, else as the server has said, else 0. */
static Oid
parameter_type(VALUE types, const struct pgconn_parameter *known, int index)
{
    Oid fixed = fixed_type(types, index);

    return fixed || !known ? fixed : known[index].type;
}

void
pgconn_params_set_types(struct pgconn_params *params, VALUE types,
                        const struct pgconn_parameter *known, int count)
{
    pgconn_params_allocate(params, count);
    for (int i = 0; i < count; i++) params->types[i] = parameter_type(types, known, i);
}

void
pgconn_params_encode(struct pgconn_params *params, const struct pgconn_arguments *arguments,
                     const struct pgconn_parameter *known, VALUE registry, int encoding_index)
{
    pgconn_params_allocate(params, RARRAY_LENINT(arguments->values));
    for (int i = 0; i < params->count; i++) {
        VALUE value = rb_ary_entry(arguments->values, i);

        params->types[i] = parameter_type(arguments->types, known, i);
        value_encode(params, i, value,
                     known ? known[i].codec : pgconn_types_find(registry, params->types[i]),
                     encoding_index);
        RB_GC_GUARD(value);
    }
    params_point(params);
}

struct encoding_run {
    struct pgconn_params params;
    VALUE values;
    int encoding_index;
};

static VALUE
encoding_run_start(VALUE argument)
{
    struct encoding_run *run = (struct encoding_run *)argument;
    struct pgconn_arguments arguments = pgconn_params_resolve(run->values, Qnil);
    const struct pgconn_params *params = &run->params;
    VALUE encoded = rb_ary_new();

    pgconn_params_encode(&run->params, &arguments, NULL, Qnil, run->encoding_index);
    for (int i = 0; i < params->count; i++) {
        const char *value = params->values[i];

        rb_ary_push(encoded,
                    rb_ary_new_from_args(3, UINT2NUM(params->types[i]), INT2NUM(params->formats[i]),
                                         value ? rb_str_new(value, params->lengths[i]) : Qnil));
    }
    return encoded;
}

static VALUE
encoding_run_end(VALUE argument)
{
    pgconn_params_free(&((struct encoding_run *)argument)->params);
    return Qnil;
}

/*
 * Encodes values as they would be sent, without a server: for specs.
 *
 * @overload encode(values, encoding)
 *   @param values [Array]
 *   @param encoding [Encoding, String] the client encoding
 *   @return [Array<Array>] OID, format (1 is binary) and bytes (or nil) of each
 *   @raise [Pgconn::DataError] if a value can't be encoded
 *   @raise [Pgconn::ProgrammingError] if there are more than 65,535 of them
 * @api private
 */
static VALUE
params_s_encode(VALUE self, VALUE values, VALUE encoding)
{
    struct encoding_run run = {.values = values, .encoding_index = rb_to_encoding_index(encoding)};

    (void)self;
    Check_Type(values, T_ARRAY);
    if (run.encoding_index < 0) rb_raise(rb_eArgError, "no such encoding");
    return rb_ensure(encoding_run_start, (VALUE)&run, encoding_run_end, (VALUE)&run);
}

/*
 * Gives SQL and values as they would be sent, without a server: for specs.
 *
 * @overload bind(sql, arguments, standard_strings)
 *   @param sql [String]
 *   @param arguments [Hash, Array, nil]
 *   @param standard_strings [Boolean] the setting standard_conforming_strings
 *   @return [Array(String, Array)] the SQL with `$1` for `:name`, and the values
 *   @raise [Pgconn::ProgrammingError] if names or numbers don't fit
 * @api private
 */
static VALUE
params_s_bind(VALUE self, VALUE sql, VALUE arguments, VALUE standard_strings)
{
    struct pgconn_sql parsed = pgconn_params_parse(sql, RB_TYPE_P(arguments, T_HASH),
                                                   RTEST(standard_strings));

    (void)self;
    return rb_assoc_new(parsed.text, pgconn_params_values(&parsed, arguments));
}

/*
 * Finds where a character of the SQL that was sent is in the SQL that the user wrote.
 *
 * @overload user_position(sql, arguments, standard_strings, position)
 *   @param sql [String] as the user wrote it
 *   @param arguments [Hash, Array, nil]
 *   @param standard_strings [Boolean] the setting standard_conforming_strings
 *   @param position [Integer] counted in characters, from 1
 *   @return [Integer]
 * @api private
 */
static VALUE
params_s_user_position(VALUE self, VALUE sql, VALUE arguments, VALUE standard_strings,
                       VALUE position)
{
    (void)self;
    return LONG2NUM(
        pgconn_params_user_position(sql, arguments, RTEST(standard_strings), NUM2LONG(position)));
}

/*
 * Document-module: Pgconn::Params
 *
 * Parameters on their way to the server.
 * @api private
 */
void
Init_pgconn_params(void)
{
    VALUE rb_mPgconnParams = rb_define_module_under(rb_mPgconn, "Params");

    pgconn_params_names_init();
    pgconn_text_form_init();
    pgconn_encode_init();
    rb_define_singleton_method(rb_mPgconnParams, "encode", params_s_encode, 2);
    rb_define_singleton_method(rb_mPgconnParams, "bind", params_s_bind, 3);
    rb_define_singleton_method(rb_mPgconnParams, "user_position", params_s_user_position, 4);
}
