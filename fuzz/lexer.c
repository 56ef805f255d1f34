/*
 * The SQL lexer: an input is a byte of options and SQL in any encoding. Tokens must lie one behind
 * the other within the text, and the end must stay the end. Of statements, the first must be one,
 * and whatever stands behind it must make them several.
 */
#include "sql_statements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTION_STANDARD_STRINGS 1

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool condition, const char *claim)
{
    if (condition) return;
    fprintf(stderr, "not so: %s\n", claim);
    abort();
}

static void
token_check(const struct pgconn_token *token, const char *behind, const char *end)
{
    check(token->start >= behind, "a token starts behind the one before");
    check(token->length > 0, "a token has bytes");
    check(token->length <= (size_t)(end - token->start), "a token ends within the text");
    if (token->kind == PGCONN_TOKEN_NAME) {
        check(*token->start == ':' && token->length > 1, "a name has a colon and letters");
    }
    if (token->kind == PGCONN_TOKEN_PARAMETER) {
        check(*token->start == '$' && token->number >= 0, "a parameter has a number");
    }
    pgconn_sql_lexer_token_keyword(token);
}

static void
tokens_check(const char *sql, size_t length, bool standard_strings)
{
    struct pgconn_sql_lexer lexer;
    struct pgconn_token token;
    const char *behind = sql;

    pgconn_sql_lexer_start(&lexer, sql, length, standard_strings);
    for (;;) {
        token = pgconn_sql_lexer_next(&lexer);
        if (token.kind == PGCONN_TOKEN_END) break;
        token_check(&token, behind, sql + length);
        behind = token.start + token.length;
    }
    token = pgconn_sql_lexer_next(&lexer);
    check(token.kind == PGCONN_TOKEN_END, "the end stays the end");
    check(token.start == sql + length, "the end is that of the text");
}

/* Behind the ';' that ends the first statement; the end of the text where there is none. */
static const char *
first_statement_end(struct pgconn_sql_lexer *lexer)
{
    bool begun = false;
    struct pgconn_token token;

    while ((token = pgconn_sql_lexer_next(lexer)).kind != PGCONN_TOKEN_END) {
        if (token.kind != PGCONN_TOKEN_SEMICOLON) begun = true;
        else if (begun) break;
    }
    return token.start + token.length;
}

static void
statements_check(const char *sql, size_t length, bool standard_strings)
{
    struct pgconn_sql_lexer lexer;
    struct pgconn_token token;
    const char *end;

    pgconn_sql_lexer_start(&lexer, sql, length, standard_strings);
    end = first_statement_end(&lexer);
    check(!pgconn_sql_statements_are_several(sql, (size_t)(end - sql), standard_strings),
          "the first statement is one");
    do {
        token = pgconn_sql_lexer_next(&lexer);
    } while (token.kind == PGCONN_TOKEN_SEMICOLON);
    check(pgconn_sql_statements_are_several(sql, length, standard_strings) ==
              (token.kind != PGCONN_TOKEN_END),
          "what stands behind the first statement makes them several");
}

static void
ends_check(const char *sql, size_t length, bool standard_strings)
{
    enum pgconn_keyword first = pgconn_sql_statements_keyword(sql, length, standard_strings);
    bool may_end = pgconn_sql_statements_may_end(sql, length, standard_strings);

    check(may_end || memchr(sql, '(', length) || !pgconn_sql_statements_keyword_ends(first),
          "what the first statement ends, one of the statements may end");
}

static void
alone_check(const char *sql, size_t length, bool standard_strings)
{
    enum pgconn_keyword first = pgconn_sql_statements_keyword(sql, length, standard_strings);

    check(!pgconn_sql_statements_stand_alone(sql, length, standard_strings, first) ||
              !pgconn_sql_statements_keyword_ends(first),
          "what ends a transaction isn't refused in one");
}

/* The text is in memory of its own, so that AddressSanitizer sees who reads on. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool standard_strings;
    size_t length;
    char *sql;

    if (size == 0) return 0;
    standard_strings = data[0] & OPTION_STANDARD_STRINGS;
    length = size - 1;
    sql = malloc(length);
    memcpy(sql, data + 1, length);
    tokens_check(sql, length, standard_strings);
    statements_check(sql, length, standard_strings);
    ends_check(sql, length, standard_strings);
    alone_check(sql, length, standard_strings);
    free(sql);
    return 0;
}
