#include "cursor.h"
#include "encoding.h"
#include "error.h"
#include "literal.h"

/*
 * Writes a value as SQL: for statements that take no parameters, such as SET and CREATE. Elsewhere
 * a parameter does better.
 *
 * NULL, true, false and numbers stand as they are; negative ones in parentheses, which expressions
 * take everywhere, though SET and the like don't: there a String, such as "-1", will do. Values of
 * classes with one type in PostgreSQL are literals with a cast: Date, {Pgconn::Interval},
 * ASCII-8BIT String (bytea), NaN and the infinities of Float (float8) and BigDecimal (numeric). All
 * others are literals without a type, which the server chooses as it does for a parameter: String,
 * Time, Array, Range, Hash (as JSON)... {Pgconn::Typed} makes it a cast to the type, if that is one
 * of PostgreSQL's own.
 * @param value [Object, nil] anything that can be a parameter
 * @return [String] in UTF-8, safe with every client encoding and standard_conforming_strings
 * @raise [Pgconn::DataError] for what can't be sent, such as a NUL byte or invalid characters
 * @example
 *   conn.execute("ALTER ROLE app VALID UNTIL #{conn.quote_literal(Time.now + 86_400)}")
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-CONSTANTS
 *   Constants
 */
static VALUE
connection_quote_literal(VALUE self, VALUE value)
{
    const struct pgconn_connection *connection = pgconn_connection_get(self);

    return pgconn_literal_new(value, connection->registry,
                              connection->session.settings.encoding_index, 1);
}

/* The values' own methods run here, once for each. */
static VALUE
literals_new(VALUE self, VALUE values)
{
    const struct pgconn_connection *connection = pgconn_connection_get(self);
    VALUE literals = rb_ary_new();

    for (long i = 0; i < RARRAY_LEN(values); i++) {
        rb_ary_push(literals,
                    pgconn_literal_new(rb_ary_entry(values, i), connection->registry,
                                       connection->session.settings.encoding_index, (int)i + 1));
    }
    return literals;
}

static void
text_append(VALUE text, const char *start, const char *end, VALUE source)
{
    rb_str_buf_append(text, rb_enc_str_new(start, end - start, rb_enc_get(source)));
}

/* Puts literals in the place of $1, $2... A number that has none stays. */
static VALUE
sql_substitute(VALUE sql, VALUE literals, bool standard_strings)
{
    VALUE text = rb_str_buf_new(RSTRING_LEN(sql));
    const char *behind = RSTRING_PTR(sql);
    struct pgconn_sql_lexer lexer;
    struct pgconn_token token;

    rb_enc_copy(text, sql);
    pgconn_sql_lexer_start(&lexer, behind, (size_t)RSTRING_LEN(sql), standard_strings);
    while ((token = pgconn_sql_lexer_next(&lexer)).kind != PGCONN_TOKEN_END) {
        if (token.kind != PGCONN_TOKEN_PARAMETER || token.number < 1) continue;
        if (token.number > RARRAY_LEN(literals)) continue;
        text_append(text, behind, token.start, sql);
        rb_str_buf_append(text, rb_ary_entry(literals, token.number - 1));
        behind = token.start + token.length;
    }
    text_append(text, behind, RSTRING_END(sql), sql);
    RB_GC_GUARD(sql);
    return text;
}

static void
sql_check(VALUE sql, bool standard_strings)
{
    if (pgconn_sql_statements_keyword(RSTRING_PTR(sql), (size_t)RSTRING_LEN(sql),
                                      standard_strings) == PGCONN_KEYWORD_NONE) {
        pgconn_error_raise(rb_ePgconnProgrammingError, PGCONN_EXECUTION_EMPTY);
    }
}

/*
 * @overload mogrify(sql, params = nil, **named)
 *   The statement with the values in the place of its parameters: for logs and for debugging, not
 *   to be executed. There the types of parameters are the server's choice, while a number in the
 *   SQL has a type of its own. Nothing is sent.
 *   @param sql [String, Pgconn::SQL::Composable]
 *   @param params [Array, Hash, nil] as for {#execute}
 *   @param named [Hash{Symbol => Object}] as for {#execute}; `timeout` is passed over
 *   @return [String] with each value as {Pgconn::Connection#quote_literal} writes it
 *   @raise [Pgconn::ProgrammingError] for empty SQL, and if the parameters don't fit the
 *     statement's
 *   @raise [Pgconn::DataError] for a value that can't be sent
 *   @example
 *     cur.mogrify("SELECT * FROM zones WHERE country = :code", code: "AT")
 *     # => "SELECT * FROM zones WHERE country = 'AT'"
 */
static VALUE
cursor_mogrify(int argc, VALUE *argv, VALUE self)
{
    VALUE connection = pgconn_cursor_get_open(self)->connection;
    struct pgconn_execute_call call = pgconn_execute_call_get(argc, argv, connection);
    bool standard_strings = pgconn_connection_get(connection)->session.settings.standard_strings;
    VALUE sql = pgconn_encoding_export(call.sql, rb_utf8_encindex(), "SQL");
    struct pgconn_sql parsed = pgconn_params_parse(sql, RB_TYPE_P(call.arguments, T_HASH),
                                                   standard_strings);
    VALUE values, text;

    sql_check(sql, standard_strings);
    values = pgconn_params_values(&parsed, call.arguments);
    text = sql_substitute(rb_str_new_frozen(parsed.text), literals_new(connection, values),
                          standard_strings);
    RB_GC_GUARD(call.arguments);
    RB_GC_GUARD(parsed.text);
    return text;
}

/* The n of each $n in SQL in UTF-8, in their order: for what composes it. */
static VALUE
connection_parameter_numbers(VALUE self, VALUE sql)
{
    const struct pgconn_connection *connection = pgconn_connection_get(self);
    VALUE frozen = rb_str_new_frozen(StringValue(sql)), numbers = rb_ary_new();
    struct pgconn_sql_lexer lexer;
    struct pgconn_token token;

    pgconn_sql_lexer_start(&lexer, RSTRING_PTR(frozen), (size_t)RSTRING_LEN(frozen),
                           connection->session.settings.standard_strings);
    while ((token = pgconn_sql_lexer_next(&lexer)).kind != PGCONN_TOKEN_END) {
        if (token.kind == PGCONN_TOKEN_PARAMETER) rb_ary_push(numbers, INT2NUM(token.number));
    }
    RB_GC_GUARD(frozen);
    return numbers;
}

/*
 * Whether parts of SQL in UTF-8 are whole tokens: none is in quotes or in a comment, or has grown
 * together with what is beside it. bounds: where each part begins and ends, in bytes.
 */
static VALUE
connection_whole_tokens_p(VALUE self, VALUE sql, VALUE bounds)
{
    const struct pgconn_connection *connection = pgconn_connection_get(self);
    VALUE frozen = rb_str_new_frozen(StringValue(sql));
    const char *text = RSTRING_PTR(frozen);
    struct pgconn_sql_lexer lexer;
    struct pgconn_token token;
    long at = 0;

    pgconn_sql_lexer_start(&lexer, text, (size_t)RSTRING_LEN(frozen),
                           connection->session.settings.standard_strings);
    while (at < RARRAY_LEN(bounds) &&
           (token = pgconn_sql_lexer_next(&lexer)).kind != PGCONN_TOKEN_END) {
        long start = token.start - text, end = start + (long)token.length;

        if (at % 2 == 0) { /* between two parts */
            if (end <= NUM2LONG(rb_ary_entry(bounds, at))) continue;
            if (start != NUM2LONG(rb_ary_entry(bounds, at))) break;
            at++;
        }
        if (end > NUM2LONG(rb_ary_entry(bounds, at))) break;
        if (end == NUM2LONG(rb_ary_entry(bounds, at))) at++;
    }
    RB_GC_GUARD(frozen);
    return RBOOL(at == RARRAY_LEN(bounds));
}

void
Init_pgconn_quoting(void)
{
    rb_define_method(rb_cPgconnConnection, "quote_literal", connection_quote_literal, 1);
    rb_define_method(rb_cPgconnCursor, "mogrify", cursor_mogrify, -1);
    rb_define_private_method(rb_cPgconnConnection, "parameter_numbers",
                             connection_parameter_numbers, 1);
    rb_define_private_method(rb_cPgconnConnection, "whole_tokens?", connection_whole_tokens_p, 2);
}
