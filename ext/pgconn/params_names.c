#include "encoding.h"
#include "error.h"
#include "params.h"
#include "sql_statements.h"

/* What a statement without parameters is given: a frozen Array. */
static VALUE no_values;

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

/* A name's value, where its key is a Symbol or a String; else Qundef. */
static VALUE
argument_find(VALUE arguments, VALUE name, VALUE *key)
{
    VALUE value = Qundef;

    *key = rb_check_symbol(&name);
    if (!NIL_P(*key)) value = rb_hash_lookup2(arguments, *key, Qundef);
    if (value != Qundef) return value;
    *key = name;
    return rb_hash_lookup2(arguments, name, Qundef);
}

/* What doesn't fit is found in a second look, which most calls never need. */
static void
names_complain(VALUE names, VALUE arguments)
{
    VALUE rest = rb_hash_dup(arguments), missing = rb_ary_new(), unused, key;

    for (long i = 0; i < RARRAY_LEN(names); i++) {
        VALUE name = RARRAY_AREF(names, i);

        if (argument_find(arguments, name, &key) != Qundef) rb_hash_delete(rest, key);
        else rb_ary_push(missing, rb_sprintf(":%" PRIsVALUE, name));
    }
    unused = rb_funcall(rest, rb_intern("keys"), 0);
    for (long i = 0; i < RARRAY_LEN(unused); i++) {
        rb_ary_store(unused, i, rb_inspect(rb_ary_entry(unused, i)));
    }
    if (RARRAY_LEN(missing) > 0 || RARRAY_LEN(unused) > 0) names_raise(missing, unused);
}

/* The values of the names, in the order of their numbers. */
static VALUE
names_values(VALUE names, VALUE arguments)
{
    long count = RARRAY_LEN(names);
    VALUE values = rb_ary_new_capa(count), key;

    for (long i = 0; i < count; i++) {
        VALUE value = argument_find(arguments, RARRAY_AREF(names, i), &key);

        if (value != Qundef) rb_ary_push(values, value);
    }
    if (RARRAY_LEN(values) != count || (long)RHASH_SIZE(arguments) != count) {
        names_complain(names, arguments);
    }
    return values;
}

static void
text_append(VALUE text, const char *start, const char *end)
{
    rb_str_buf_cat(text, start, (long)(end - start));
}

static struct pgconn_sql
names_parse(VALUE sql, bool standard_strings)
{
    struct pgconn_token positional = {.kind = PGCONN_TOKEN_END};
    struct replacement replacement;
    struct names names;
    struct pgconn_sql parsed = {.names = Qnil};

    names_start(&names, sql, standard_strings);
    parsed.text = rb_str_buf_new(RSTRING_LEN(names.sql));
    rb_enc_copy(parsed.text, names.sql);
    while (names_next(&names, &replacement, &positional)) {
        text_append(parsed.text, names.behind, replacement.start);
        rb_str_buf_cat(parsed.text, replacement.text, replacement.text_length);
        names.behind = replacement.end;
    }
    if (positional.kind == PGCONN_TOKEN_PARAMETER) {
        pgconn_error_raise(rb_ePgconnProgrammingError,
                           "the statement has %.*s, but its parameters were given by name",
                           (int)positional.length, positional.start);
    }
    text_append(parsed.text, names.behind, RSTRING_END(names.sql));
    parsed.names = rb_obj_freeze(rb_funcall(names.numbers, rb_intern("keys"), 0));
    RB_GC_GUARD(names.sql);
    return parsed;
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
count_check(const struct pgconn_sql *sql, long given)
{
    if (given == sql->highest || (given == 0 && sql->embeds)) return;
    pgconn_error_raise(rb_ePgconnProgrammingError,
                       "%ld parameter%s given, the statement has %d ($1, $2... with an Array; "
                       ":name with a Hash or keywords)",
                       given, given == 1 ? "" : "s", sql->highest);
}

static bool
sql_has(VALUE sql, char byte)
{
    return memchr(RSTRING_PTR(sql), byte, (size_t)RSTRING_LEN(sql)) != NULL;
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
    if (sql_has(sql, '\0')) {
        pgconn_error_raise(rb_ePgconnProgrammingError, "the SQL has a NUL byte");
    }
    return sql;
}

static void
statements_read(struct pgconn_sql *parsed, bool standard_strings)
{
    VALUE sql = parsed->text;
    const char *start;
    size_t length;

    if (!sql_has(sql, ';')) return;
    sql = sql_lexable(sql);
    RSTRING_GETMEM(sql, start, length);
    parsed->several = pgconn_sql_statements_are_several(start, length, standard_strings);
    parsed->may_end = parsed->several &&
                      pgconn_sql_statements_may_end(start, length, standard_strings);
    RB_GC_GUARD(sql);
}

static struct pgconn_sql
positions_parse(VALUE sql, bool standard_strings)
{
    struct pgconn_sql parsed = {.text = sql, .names = Qnil};

    if (sql_has(sql, '$')) {
        parsed.highest = highest_number(sql, standard_strings, &parsed.embeds);
    }
    return parsed;
}

struct pgconn_sql
pgconn_params_parse(VALUE sql, bool by_name, bool standard_strings)
{
    VALUE text = sql_check(sql);
    struct pgconn_sql parsed = by_name ? names_parse(text, standard_strings)
                                       : positions_parse(text, standard_strings);

    statements_read(&parsed, standard_strings);
    return parsed;
}

VALUE
pgconn_params_values(const struct pgconn_sql *sql, VALUE arguments)
{
    if (!NIL_P(sql->names)) return names_values(sql->names, arguments);
    if (NIL_P(arguments)) arguments = no_values;
    count_check(sql, RARRAY_LEN(arguments));
    return arguments;
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

void
pgconn_params_names_init(void)
{
    no_values = rb_obj_freeze(rb_ary_new());
    rb_gc_register_mark_object(no_values);
}
