#include "sql_lexer.h"

#include <limits.h>
#include <string.h>

static bool
is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool
is_word_start(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
           (unsigned char)byte >= 0x80;
}

static bool
is_name_part(char byte)
{
    return is_word_start(byte) || is_digit(byte);
}

bool
pgconn_sql_lexer_joins_words(char byte)
{
    return is_name_part(byte) || byte == '$';
}

static bool
is_newline(char byte)
{
    return byte == '\n' || byte == '\r';
}

static bool
is_blank(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* The byte so far ahead, or a NUL behind the end. */
static char
lexer_peek(const struct pgconn_sql_lexer *lexer, size_t ahead)
{
    return (size_t)(lexer->end - lexer->at) > ahead ? lexer->at[ahead] : '\0';
}

static bool
lexer_sees(const struct pgconn_sql_lexer *lexer, char first, char second)
{
    return lexer_peek(lexer, 0) == first && lexer_peek(lexer, 1) == second;
}

static void
lexer_skip(struct pgconn_sql_lexer *lexer, bool (*belongs)(char byte))
{
    while (lexer->at < lexer->end && belongs(*lexer->at)) lexer->at++;
}

static void
line_comment_skip(struct pgconn_sql_lexer *lexer)
{
    while (lexer->at < lexer->end && !is_newline(*lexer->at)) lexer->at++;
}

static void
comment_skip(struct pgconn_sql_lexer *lexer)
{
    size_t depth = 0;

    while (lexer->at < lexer->end) {
        if (lexer_sees(lexer, '/', '*')) {
            lexer->at += 2;
            depth++;
        }
        else if (lexer_sees(lexer, '*', '/')) {
            lexer->at += 2;
            if (--depth == 0) return;
        }
        else {
            lexer->at++;
        }
    }
}

static void
blanks_skip(struct pgconn_sql_lexer *lexer)
{
    for (;;) {
        lexer_skip(lexer, is_blank);
        if (lexer_sees(lexer, '-', '-')) line_comment_skip(lexer);
        else if (lexer_sees(lexer, '/', '*')) comment_skip(lexer);
        else return;
    }
}

/* Skips what is in quotes, from its opening quote on; a doubled quote doesn't end it. */
static void
quotes_skip(struct pgconn_sql_lexer *lexer, bool backslash_escapes)
{
    char quote = *lexer->at++;

    while (lexer->at < lexer->end) {
        char byte = *lexer->at++;

        if (byte == quote) {
            if (lexer_peek(lexer, 0) != quote) return;
            lexer->at++;
        }
        else if (byte == '\\' && backslash_escapes && lexer->at < lexer->end) {
            lexer->at++;
        }
    }
}

/*
 * A string goes on behind its closing quote when there is another one on a later line, with nothing
 * but blanks and -- comments between them. What a backslash means goes on with it.
 */
static bool
string_continues(struct pgconn_sql_lexer *lexer)
{
    struct pgconn_sql_lexer ahead = *lexer;
    bool newline = false;

    for (; ahead.at < ahead.end; ahead.at++) {
        if (lexer_sees(&ahead, '-', '-')) {
            line_comment_skip(&ahead);
            if (ahead.at == ahead.end) return false;
        }
        if (is_newline(*ahead.at)) newline = true;
        else if (!is_blank(*ahead.at)) break;
    }
    if (!newline || lexer_peek(&ahead, 0) != '\'') return false;
    lexer->at = ahead.at;
    return true;
}

static enum pgconn_token_kind
string_take(struct pgconn_sql_lexer *lexer, bool backslash_escapes)
{
    do {
        quotes_skip(lexer, backslash_escapes);
    } while (string_continues(lexer));
    lexer->after_operand = true;
    return PGCONN_TOKEN_OTHER;
}

static enum pgconn_token_kind
identifier_take(struct pgconn_sql_lexer *lexer)
{
    quotes_skip(lexer, false);
    lexer->after_operand = true;
    return PGCONN_TOKEN_OTHER;
}

/* The literals that begin with a letter: E'..', B'..', X'..', U&'..' and U&"..". */
static bool
prefixed_take(struct pgconn_sql_lexer *lexer)
{
    char letter = lexer_peek(lexer, 0);
    char next = lexer_peek(lexer, 1);

    if (next == '\'' && strchr("eEbBxX", letter)) {
        lexer->at++;
        string_take(lexer, letter == 'e' || letter == 'E');
        return true;
    }
    if (next == '&' && (letter == 'u' || letter == 'U')) {
        char quote = lexer_peek(lexer, 2);

        if (quote != '\'' && quote != '"') return false;
        lexer->at += 2;
        if (quote == '"') identifier_take(lexer);
        else string_take(lexer, false);
        return true;
    }
    return false;
}

static bool
directly_in_brackets(const struct pgconn_sql_lexer *lexer)
{
    return lexer->nesting & 1;
}

static enum pgconn_token_kind
word_take(struct pgconn_sql_lexer *lexer)
{
    const char *start = lexer->at;
    const struct pgconn_sql_word *word;

    if (prefixed_take(lexer)) return PGCONN_TOKEN_OTHER;
    lexer_skip(lexer, pgconn_sql_lexer_joins_words);
    lexer->after_operand = true;
    if (directly_in_brackets(lexer)) { /* elsewhere nobody asks */
        word = pgconn_sql_word_find(start, (size_t)(lexer->at - start));
        lexer->after_operand = !word || !word->before_value;
    }
    return PGCONN_TOKEN_WORD;
}

static enum pgconn_token_kind
digits_take(struct pgconn_sql_lexer *lexer)
{
    lexer_skip(lexer, is_digit);
    lexer->after_operand = true;
    return PGCONN_TOKEN_OTHER;
}

static enum pgconn_token_kind
byte_take(struct pgconn_sql_lexer *lexer)
{
    lexer->at++;
    lexer->after_operand = false;
    return PGCONN_TOKEN_OTHER;
}

static enum pgconn_token_kind
parameter_take(struct pgconn_sql_lexer *lexer, struct pgconn_token *token)
{
    for (lexer->at++; is_digit(lexer_peek(lexer, 0)); lexer->at++) {
        int digit = *lexer->at - '0';

        token->number = token->number > (INT_MAX - digit) / 10 ? INT_MAX
                                                               : token->number * 10 + digit;
    }
    lexer->after_operand = true;
    return PGCONN_TOKEN_PARAMETER;
}

/* The length of the $tag$ that comes next, 0 where there is none. */
static size_t
dollar_tag_length(const struct pgconn_sql_lexer *lexer)
{
    size_t length = 1;

    if (is_word_start(lexer_peek(lexer, 1))) {
        while (is_name_part(lexer_peek(lexer, length))) length++;
    }
    return lexer_peek(lexer, length) == '$' ? length + 1 : 0;
}

/* Skips text up to its closing tag, or to the end. */
static void
dollar_quoted_skip(struct pgconn_sql_lexer *lexer, const char *tag, size_t tag_length)
{
    while ((size_t)(lexer->end - lexer->at) >= tag_length) {
        const char *dollar = memchr(lexer->at, '$', (size_t)(lexer->end - lexer->at));

        if (!dollar || (size_t)(lexer->end - dollar) < tag_length) break;
        if (memcmp(dollar, tag, tag_length) == 0) {
            lexer->at = dollar + tag_length;
            return;
        }
        lexer->at = dollar + 1;
    }
    lexer->at = lexer->end;
}

static enum pgconn_token_kind
dollar_take(struct pgconn_sql_lexer *lexer, struct pgconn_token *token)
{
    size_t tag_length;

    if (is_digit(lexer_peek(lexer, 1))) return parameter_take(lexer, token);
    tag_length = dollar_tag_length(lexer);
    if (tag_length == 0) return byte_take(lexer);
    lexer->at += tag_length;
    dollar_quoted_skip(lexer, token->start, tag_length);
    lexer->after_operand = true;
    return PGCONN_TOKEN_OTHER;
}

static enum pgconn_token_kind
colon_take(struct pgconn_sql_lexer *lexer)
{
    char next = lexer_peek(lexer, 1);

    if (next == ':' || next == '=') {
        lexer->at++;
        return byte_take(lexer);
    }
    if ((directly_in_brackets(lexer) && lexer->after_operand) || !is_word_start(next)) {
        return byte_take(lexer);
    }
    lexer->at++;
    lexer_skip(lexer, is_name_part);
    lexer->after_operand = true;
    return PGCONN_TOKEN_NAME;
}

static enum pgconn_token_kind
bracket_take(struct pgconn_sql_lexer *lexer)
{
    char bracket = *lexer->at++;
    bool opens = bracket == '(' || bracket == '[';

    if (opens) lexer->nesting = lexer->nesting << 1 | (bracket == '[');
    else lexer->nesting >>= 1;
    lexer->after_operand = !opens;
    return PGCONN_TOKEN_OTHER;
}

static enum pgconn_token_kind
token_take(struct pgconn_sql_lexer *lexer, struct pgconn_token *token)
{
    char byte = *lexer->at;

    if (is_word_start(byte)) return word_take(lexer);
    if (is_digit(byte)) return digits_take(lexer);
    switch (byte) {
    case '\'':
        return string_take(lexer, !lexer->standard_strings);
    case '"':
        return identifier_take(lexer);
    case '$':
        return dollar_take(lexer, token);
    case ':':
        return colon_take(lexer);
    case '(':
    case '[':
    case ')':
    case ']':
        return bracket_take(lexer);
    case ';':
        byte_take(lexer);
        return PGCONN_TOKEN_SEMICOLON;
    default:
        return byte_take(lexer);
    }
}

void
pgconn_sql_lexer_start(struct pgconn_sql_lexer *lexer, const char *sql, size_t length,
                       bool standard_strings)
{
    struct pgconn_sql_lexer fresh = {
        .at = sql,
        .end = sql + length,
        .standard_strings = standard_strings,
    };

    *lexer = fresh;
}

struct pgconn_token
pgconn_sql_lexer_next(struct pgconn_sql_lexer *lexer)
{
    struct pgconn_token token = {.kind = PGCONN_TOKEN_END};

    blanks_skip(lexer);
    token.start = lexer->at;
    if (lexer->at == lexer->end) return token;
    token.kind = token_take(lexer, &token);
    token.length = (size_t)(lexer->at - token.start);
    return token;
}

enum pgconn_keyword
pgconn_sql_lexer_token_keyword(const struct pgconn_token *token)
{
    const struct pgconn_sql_word *word = NULL;

    if (token->kind == PGCONN_TOKEN_WORD) word = pgconn_sql_word_find(token->start, token->length);
    return word ? word->keyword : PGCONN_KEYWORD_OTHER;
}
