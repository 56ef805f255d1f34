/*
 * From :name to $n: an input is a byte of options and SQL. With a value for each name the SQL must
 * be rewritten to one that has numbers and no names, and each position in it must have one in the
 * user's text.
 */
#include "embedded_ruby.h"
#include "params.h"
#include "sql_lexer.h"

#define OPTION_STANDARD_STRINGS 1
#define OPTION_ENCODING_SHIFT 1

static const char *const encodings[] = {"UTF-8",   "UTF-8",      "UTF-8",       "UTF-8",
                                        "GB18030", "ISO-8859-1", "Windows-31J", "UTF-16LE"};

static const char *const errors[] = {"DataError", "ProgrammingError", NULL};

struct statement {
    VALUE sql;
    VALUE arguments;
    struct pgconn_sql parsed;
    VALUE values;
    bool standard_strings;
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
lexer_start(struct pgconn_sql_lexer *lexer, VALUE sql, bool standard_strings)
{
    pgconn_sql_lexer_start(lexer, RSTRING_PTR(sql), (size_t)RSTRING_LEN(sql), standard_strings);
}

/* A value for each name that the lexer sees, in bytes of this encoding at least. */
static VALUE
arguments_for(VALUE sql, bool standard_strings)
{
    VALUE arguments = rb_hash_new();
    struct pgconn_sql_lexer lexer;
    struct pgconn_token token;

    lexer_start(&lexer, sql, standard_strings);
    while ((token = pgconn_sql_lexer_next(&lexer)).kind != PGCONN_TOKEN_END) {
        if (token.kind != PGCONN_TOKEN_NAME) continue;
        rb_hash_aset(arguments, rb_utf8_str_new(token.start + 1, (long)token.length - 1), Qtrue);
    }
    RB_GC_GUARD(sql);
    return arguments;
}

static VALUE
statement_bind(VALUE argument)
{
    struct statement *statement = (struct statement *)argument;

    statement->parsed = pgconn_params_parse(statement->sql, true, statement->standard_strings);
    statement->values = pgconn_params_values(&statement->parsed, statement->arguments);
    return Qtrue;
}

static void
rewritten_check(const struct statement *statement)
{
    struct pgconn_sql_lexer lexer;
    struct pgconn_token token;
    int highest = 0;

    lexer_start(&lexer, statement->parsed.text, statement->standard_strings);
    while ((token = pgconn_sql_lexer_next(&lexer)).kind != PGCONN_TOKEN_END) {
        if (token.kind == PGCONN_TOKEN_NAME) {
            fuzz_ruby_fail("%+" PRIsVALUE " becomes %+" PRIsVALUE ", which has a name",
                           statement->sql, statement->parsed.text);
        }
        if (token.number > highest) highest = token.number;
    }
    if (highest != RARRAY_LEN(statement->values)) {
        fuzz_ruby_fail("%+" PRIsVALUE " becomes %+" PRIsVALUE ", %ld values", statement->sql,
                       statement->parsed.text, RARRAY_LEN(statement->values));
    }
}

static VALUE
positions_check(VALUE argument)
{
    const struct statement *statement = (const struct statement *)argument;
    long sent_end = rb_str_strlen(statement->parsed.text) + 1;
    long user_end = rb_str_strlen(statement->sql) + 1, last = 1;

    for (long position = 1; position <= sent_end; position += 1 + sent_end / 20) {
        long user = pgconn_params_user_position(statement->sql, statement->arguments,
                                                statement->standard_strings, position);

        if (user < last || user > user_end) {
            fuzz_ruby_fail("%ld in %+" PRIsVALUE " is said to be %ld in %+" PRIsVALUE, position,
                           statement->parsed.text, user, statement->sql);
        }
        last = user;
    }
    return Qtrue;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_ruby_start(argc, argv);
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct statement statement = {0};
    rb_encoding *encoding;
    VALUE value;

    if (size == 0) return 0;
    fuzz_ruby_collect();
    encoding = rb_enc_find(encodings[(data[0] >> OPTION_ENCODING_SHIFT) % 8]);
    statement.standard_strings = data[0] & OPTION_STANDARD_STRINGS;
    statement.sql = rb_enc_str_new((const char *)data + 1, (long)size - 1, encoding);
    statement.arguments = arguments_for(statement.sql, statement.standard_strings);
    if (!fuzz_ruby_call(statement_bind, (VALUE)&statement, &value, errors)) return 0;
    rewritten_check(&statement);
    fuzz_ruby_call(positions_check, (VALUE)&statement, &value, NULL);
    return 0;
}
