#include "params.h"

#include "encode.h"
#include "error.h"

static void
params_allocate(struct pgconn_params *params, int count)
{
    size_t each = sizeof(*params->values) + sizeof(*params->types) + sizeof(*params->lengths) +
                  sizeof(*params->formats);
    char *block;

    if (count == 0) return;
    block = calloc((size_t)count, each);
    if (!block) rb_memerror();
    params->count = count;
    params->values = (const char **)block;
    params->types = (Oid *)(params->values + count);
    params->lengths = (int *)(params->types + count);
    params->formats = params->lengths + count;
}

void
pgconn_params_free(struct pgconn_params *params)
{
    free(params->values);
    pgconn_buffer_free(&params->bytes);
    memset(params, 0, sizeof(*params));
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
value_encode(struct pgconn_params *params, int index, VALUE value, int encoding_index)
{
    struct pgconn_output output = {&params->bytes, encoding_index, 0, index + 1};
    size_t start = params->bytes.length;
    const struct pgconn_text_form *form = pgconn_encode_resolve(&value, &output.type, index + 1);
    enum pgconn_form given = pgconn_encode_resolved(pgconn_codec_find(output.type), value, form,
                                                    &output);

    RB_GC_GUARD(value);
    params->types[index] = output.type;
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

/* The values' own methods may change the Array while it is walked, so that is a copy. */
void
pgconn_params_encode(struct pgconn_params *params, VALUE values, int encoding_index)
{
    long count = RARRAY_LEN(values);
    VALUE copy;

    if (count > PGCONN_PARAMS_MAX) {
        pgconn_error_raise(rb_ePgconnProgrammingError,
                           "%ld parameters given, a statement can have %d at most", count,
                           PGCONN_PARAMS_MAX);
    }
    if (count == 0) return;
    copy = rb_ary_dup(values);
    params_allocate(params, (int)count);
    for (int i = 0; i < params->count; i++) {
        value_encode(params, i, rb_ary_entry(copy, i), encoding_index);
    }
    params_point(params);
    RB_GC_GUARD(copy);
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
    const struct pgconn_params *params = &run->params;
    VALUE encoded = rb_ary_new();

    pgconn_params_encode(&run->params, run->values, run->encoding_index);
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
    VALUE values;

    (void)self;
    sql = pgconn_params_bind_names(sql, arguments, RTEST(standard_strings), &values);
    return rb_assoc_new(sql, values);
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

    pgconn_text_form_init();
    pgconn_encode_init();
    rb_define_singleton_method(rb_mPgconnParams, "encode", params_s_encode, 2);
    rb_define_singleton_method(rb_mPgconnParams, "bind", params_s_bind, 3);
    rb_define_singleton_method(rb_mPgconnParams, "user_position", params_s_user_position, 4);
}
