#include "encoding.h"
#include "error.h"
#include "params.h"
#include "sql_lexer.h"

/* One walk through the user's SQL, from one :name to the next. */
struct names {
    VALUE sql; /* frozen, so that the lexer's pointers stay good */
    struct pgconn_sql_lexer lexer;
    const char *behind; /* the end of the last :name */
    VALUE numbers;      /* each name, a String in UTF-8, to its number */
};

/* A :name and what goes in its place. */
struct replacement {
    const char *start;
    const char *end;
    char text[16];
    int text_length;
    VALUE name;
    bool fresh; /* this name's first occurrence */
};

/* Whether the bytes of SQL in this encoding can be lexed as they are. */
static bool
encoding_is_lexable(rb_encoding *encoding)
{
    if (!rb_enc_asciicompat(encoding)) return false;
    return rb_enc_mbmaxlen(encoding) == 1 || rb_enc_to_index(encoding) == rb_utf8_encindex();
}

/* Other encodings may have ASCII in their characters' later bytes. */
static VALUE
sql_lexable(VALUE sql)
{
    if (!encoding_is_lexable(rb_enc_get(sql)) && !rb_enc_str_asciionly_p(sql)) {
        sql = pgconn_encoding_export(sql, rb_utf8_encindex(), "SQL");
    }
    return rb_str_new_frozen(sql);
}

static void
lexer_start(struct pgconn_sql_lexer *lexer, VALUE sql, bool standard_strings)
{
    pgconn_sql_lexer_start(lexer, RSTRING_PTR(sql), (size_t)RSTRING_LEN(sql), standard_strings);
}

static void
names_start(struct names *names, VALUE sql, bool standard_strings)
{
    names->sql = sql_lexable(sql);
    names->behind = RSTRING_PTR(names->sql);
    names->numbers = rb_hash_new();
    lexer_start(&names->lexer, names->sql, standard_strings);
}

/* The name of a token, without its colon, as it compares with Symbols and Strings in UTF-8. */
static VALUE
names_string(const struct names *names, const struct pgconn_token *token)
{
    VALUE name = rb_enc_str_new(token->start + 1, (long)token->length - 1, rb_enc_get(names->sql));

    return pgconn_encoding_export(name, rb_utf8_encindex(), "SQL");
}

/* Where the :name adjoins a word (LIMIT:n), its $n must not become part of that. */
static bool
names_need_space(const struct names *names, const struct pgconn_token *token)
{
    return token->start > RSTRING_PTR(names->sql) && pgconn_sql_lexer_joins_words(token->start[-1]);
}

static void
replacement_fill(struct replacement *replacement, struct names *names,
                 const struct pgconn_token *token)
{
    VALUE number;

    replacement->start = token->start;
    replacement->end = token->start + token->length;
    replacement->name = names_string(names, token);
    number = rb_hash_lookup2(names->numbers, replacement->name, Qundef);
    replacement->fresh = number == Qundef;
    if (replacement->fresh) {
        number = SIZET2NUM(RHASH_SIZE(names->numbers) + 1);
        rb_hash_aset(names->numbers, replacement->name, number);
    }
    replacement->text_length = snprintf(replacement->text, sizeof(replacement->text), "%s$%ld",
                                        names_need_space(names, token) ? " " : "",
                                        NUM2LONG(number));
}

/* The next :name; false at the end. A $1 among them stops at nothing but *positional. */
static bool
names_next(struct names *names, struct replacement *replacement, struct pgconn_token *positional)
{
    for (;;) {
        struct pgconn_token token = pgconn_sql_lexer_next(&names->lexer);

        if (token.kind == PGCONN_TOKEN_END) return false;
        if (token.kind == PGCONN_TOKEN_PARAMETER && positional) *positional = token;
        if (token.kind != PGCONN_TOKEN_NAME) continue;
        replacement_fill(replacement, names, &token);
        return true;
    }
}

NORETURN(static void names_raise(VALUE missing, VALUE unused));

static void
names_raise(VALUE missing, VALUE unused)
{
    VALUE separator = rb_str_new_cstr(", "), message = rb_utf8_str_new_cstr("");

    if (RARRAY_LEN(missing) > 0) {
        rb_str_catf(message, "no value given for %" PRIsVALUE, rb_ary_join(missing, separator));
    }
    if (RARRAY_LEN(unused) > 0) {
        rb_str_catf(message, "%sthe statement has no %" PRIsVALUE,
                    RSTRING_LEN(message) > 0 ? "; " : "", rb_ary_join(unused, separator));
    }
    pgconn_error_raise(rb_ePgconnProgrammingError, "%" PRIsVALUE, message);
}

/* Takes a name's value out of the Hash, where its key is a Symbol or a String; else Qundef. */
static VALUE
argument_take(VALUE arguments, VALUE name)
{
    VALUE key = rb_check_symbol(&name), value = Qundef;

    if (!NIL_P(key)) value = rb_hash_lookup2(arguments, key, Qundef);
    if (value == Qundef) {
        key = name;
        value = rb_hash_lookup2(arguments, key, Qundef);
    }
    if (value != Qundef) rb_hash_delete(arguments, key);
    return value;
}

static VALUE
keys_inspect(VALUE hash)
{
    VALUE keys = rb_funcall(hash, rb_intern("keys"), 0);

    for (long i = 0; i < RARRAY_LEN(keys); i++) {
        rb_ary_store(keys, i, rb_inspect(rb_ary_entry(keys, i)));
    }
    return keys;
}

/* The values of the names, in the order of their numbers. */
static VALUE
names_values(VALUE numbers, VALUE arguments)
{
    VALUE names = rb_funcall(numbers, rb_intern("keys"), 0), rest = rb_hash_dup(arguments);
    VALUE values = rb_ary_new(), missing = rb_ary_new();

    for (long i = 0; i < RARRAY_LEN(names); i++) {
        VALUE name = rb_ary_entry(names, i), value = argument_take(rest, name);

        if (value == Qundef) rb_ary_push(missing, rb_sprintf(":%" PRIsVALUE, name));
        else rb_ary_push(values, value);
    }
    if (RARRAY_LEN(missing) > 0 || !RHASH_EMPTY_P(rest)) {
        names_raise(missing, keys_inspect(rest));
    }
    return values;
}

static void
text_append(VALUE text, const char *start, const char *end)
{
    rb_str_buf_cat(text, start, (long)(end - start));
}

static VALUE
names_bind(VALUE sql, VALUE arguments, bool standard_strings, VALUE *values)
{
    struct pgconn_token positional = {.kind = PGCONN_TOKEN_END};
    struct replacement replacement;
    struct names names;
    VALUE text;

    names_start(&names, sql, standard_strings);
    text = rb_str_buf_new(RSTRING_LEN(names.sql));
    rb_enc_copy(text, names.sql);
    while (names_next(&names, &replacement, &positional)) {
        text_append(text, names.behind, replacement.start);
        rb_str_buf_cat(text, replacement.text, replacement.text_length);
        names.behind = replacement.end;
    }
    if (positional.kind == PGCONN_TOKEN_PARAMETER) {
        pgconn_error_raise(rb_ePgconnProgrammingError,
                           "the statement has %.*s, but its parameters were given by name",
                           (int)positional.length, positional.start);
    }
    text_append(text, names.behind, RSTRING_END(names.sql));
    *values = names_values(names.numbers, arguments);
    RB_GC_GUARD(names.sql);
    return text;
}

/* Functions, views, rules and statements inside of these have parameters of their own. */
static bool
keyword_embeds_statements(enum pgconn_keyword keyword)
{
    return keyword == PGCONN_KEYWORD_CREATE || keyword == PGCONN_KEYWORD_ALTER ||
           keyword == PGCONN_KEYWORD_PREPARE || keyword == PGCONN_KEYWORD_EXPLAIN;
}

/* The highest $n. *embedded tells whether there is a statement that may have its own. */
static int
highest_number(VALUE sql, bool standard_strings, bool *embedded)
{
    struct pgconn_sql_lexer lexer;
    bool first = true;
    int highest = 0;

    sql = sql_lexable(sql);
    lexer_start(&lexer, sql, standard_strings);
    for (;;) {
        struct pgconn_token token = pgconn_sql_lexer_next(&lexer);

        if (token.kind == PGCONN_TOKEN_END) break;
        if (token.number > highest) highest = token.number;
        if (first && keyword_embeds_statements(pgconn_sql_lexer_token_keyword(&token))) {
            *embedded = true;
        }
        first = token.kind == PGCONN_TOKEN_SEMICOLON;
    }
    RB_GC_GUARD(sql);
    return highest;
}

static void
count_check(VALUE sql, long given, bool standard_strings)
{
    bool embedded = false;
    int highest = 0;

    if (memchr(RSTRING_PTR(sql), '$', (size_t)RSTRING_LEN(sql))) {
        highest = highest_number(sql, standard_strings, &embedded);
    }
    if (given == highest || (given == 0 && embedded)) return;
    pgconn_error_raise(rb_ePgconnProgrammingError,
                       "%ld parameter%s given, the statement has %d ($1, $2... with an Array; "
                       ":name with a Hash or keywords)",
                       given, given == 1 ? "" : "s", highest);
}

/* The SQL in an encoding in which ASCII is ASCII, fit for libpq. */
static VALUE
sql_check(VALUE sql)
{
    StringValue(sql);
    if (!rb_enc_asciicompat(rb_enc_get(sql))) {
        sql = pgconn_encoding_export(sql, rb_utf8_encindex(), "SQL");
    }
    if (RSTRING_LEN(sql) > PGCONN_PARAMS_BYTES_MAX) {
        pgconn_error_raise(rb_ePgconnDataError, "the SQL is larger than %d bytes",
                           PGCONN_PARAMS_BYTES_MAX);
    }
    if (memchr(RSTRING_PTR(sql), '\0', (size_t)RSTRING_LEN(sql))) {
        pgconn_error_raise(rb_ePgconnProgrammingError, "the SQL has a NUL byte");
    }
    return sql;
}

VALUE
pgconn_params_bind_names(VALUE sql, VALUE arguments, bool standard_strings, VALUE *values)
{
    sql = sql_check(sql);
    if (RB_TYPE_P(arguments, T_HASH)) return names_bind(sql, arguments, standard_strings, values);
    *values = NIL_P(arguments) ? rb_ary_new() : arguments;
    count_check(sql, RARRAY_LEN(*values), standard_strings);
    return sql;
}

/* Characters as the server counts them; of bytes without an encoding it's likely UTF-8. */
static long
count_characters(const struct names *names, const char *start, const char *end)
{
    rb_encoding *encoding = rb_enc_get(names->sql);

    if (encoding == rb_ascii8bit_encoding()) encoding = rb_utf8_encoding();
    return rb_enc_strlen(start, end, encoding);
}

long
pgconn_params_user_position(VALUE sql, VALUE arguments, bool standard_strings, long position)
{
    long sent = 1, user = 1; /* where names.behind is in the one text and in the other */
    struct replacement replacement;
    struct names names;

    if (!RB_TYPE_P(arguments, T_HASH)) return position;
    names_start(&names, sql_check(sql), standard_strings);
    while (names_next(&names, &replacement, NULL)) {
        long between = count_characters(&names, names.behind, replacement.start);

        if (position < sent + between) break;
        sent += between;
        user += between;
        if (position < sent + replacement.text_length) return user;
        sent += replacement.text_length;
        user += count_characters(&names, replacement.start, replacement.end);
        names.behind = replacement.end;
    }
    RB_GC_GUARD(names.sql);
    return user + position - sent;
}
