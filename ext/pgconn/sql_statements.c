#include "sql_statements.h"

bool
pgconn_sql_statements_are_several(const char *sql, size_t length, bool standard_strings)
{
    bool begun = false, ended = false;
    struct pgconn_sql_lexer lexer;
    struct pgconn_token token;

    pgconn_sql_lexer_start(&lexer, sql, length, standard_strings);
    while ((token = pgconn_sql_lexer_next(&lexer)).kind != PGCONN_TOKEN_END) {
        if (token.kind == PGCONN_TOKEN_SEMICOLON) ended = begun;
        else if (ended) return true;
        else begun = true;
    }
    return false;
}

/* Behind ROLLBACK. */
static enum pgconn_keyword
rollback_keyword(struct pgconn_sql_lexer lexer)
{
    struct pgconn_token token = pgconn_sql_lexer_next(&lexer);
    enum pgconn_keyword second = pgconn_sql_lexer_token_keyword(&token);

    if (second == PGCONN_KEYWORD_WORK || second == PGCONN_KEYWORD_TRANSACTION) {
        token = pgconn_sql_lexer_next(&lexer);
        second = pgconn_sql_lexer_token_keyword(&token);
    }
    return second == PGCONN_KEYWORD_TO ? PGCONN_KEYWORD_ROLLBACK_TO : PGCONN_KEYWORD_ROLLBACK;
}

/* Behind PREPARE. A statement, too, may have the name transaction: AS or types follow it then. */
static enum pgconn_keyword
prepare_keyword(struct pgconn_sql_lexer lexer)
{
    struct pgconn_token token = pgconn_sql_lexer_next(&lexer);

    if (pgconn_sql_lexer_token_keyword(&token) != PGCONN_KEYWORD_TRANSACTION) {
        return PGCONN_KEYWORD_PREPARE;
    }
    token = pgconn_sql_lexer_next(&lexer);
    return token.kind == PGCONN_TOKEN_OTHER && *token.start != '('
               ? PGCONN_KEYWORD_PREPARE_TRANSACTION
               : PGCONN_KEYWORD_PREPARE;
}

/* Of a statement whose first token was just taken. */
static enum pgconn_keyword
keyword_behind(const struct pgconn_sql_lexer *lexer, const struct pgconn_token *first)
{
    enum pgconn_keyword keyword = pgconn_sql_lexer_token_keyword(first);

    if (keyword == PGCONN_KEYWORD_ROLLBACK) return rollback_keyword(*lexer);
    return keyword == PGCONN_KEYWORD_PREPARE ? prepare_keyword(*lexer) : keyword;
}

enum pgconn_keyword
pgconn_sql_statements_keyword(const char *sql, size_t length, bool standard_strings)
{
    enum pgconn_keyword keyword = PGCONN_KEYWORD_NONE;
    struct pgconn_sql_lexer lexer;
    struct pgconn_token token;

    pgconn_sql_lexer_start(&lexer, sql, length, standard_strings);
    for (;;) {
        token = pgconn_sql_lexer_next(&lexer);
        if (token.kind == PGCONN_TOKEN_END) return keyword;
        if (token.kind == PGCONN_TOKEN_SEMICOLON) continue;
        if (*token.start != '(') return keyword_behind(&lexer, &token);
        keyword = PGCONN_KEYWORD_OTHER; /* an open bracket is a statement, if not a whole one */
    }
}

bool
pgconn_sql_statements_keyword_ends(enum pgconn_keyword keyword)
{
    switch (keyword) {
    case PGCONN_KEYWORD_ABORT:
    case PGCONN_KEYWORD_COMMIT:
    case PGCONN_KEYWORD_END:
    case PGCONN_KEYWORD_PREPARE_TRANSACTION:
    case PGCONN_KEYWORD_ROLLBACK:
        return true;
    default:
        return false;
    }
}

bool
pgconn_sql_statements_keyword_undoes(enum pgconn_keyword keyword)
{
    return keyword == PGCONN_KEYWORD_ABORT || keyword == PGCONN_KEYWORD_ROLLBACK ||
           keyword == PGCONN_KEYWORD_ROLLBACK_TO;
}

/* CREATE, ALTER or DROP of what isn't part of one database, or of anything CONCURRENTLY. */
static bool
definition_stands_alone(struct pgconn_sql_lexer *lexer)
{
    struct pgconn_token token = pgconn_sql_lexer_next(lexer);

    if (pgconn_sql_lexer_token_keyword(&token) == PGCONN_KEYWORD_CLUSTER_WIDE) return true;
    for (; token.kind != PGCONN_TOKEN_END; token = pgconn_sql_lexer_next(lexer)) {
        if (pgconn_sql_lexer_token_keyword(&token) == PGCONN_KEYWORD_CONCURRENTLY) return true;
    }
    return false;
}

bool
pgconn_sql_statements_stand_alone(const char *sql, size_t length, bool standard_strings,
                                  enum pgconn_keyword keyword)
{
    struct pgconn_sql_lexer lexer;
    struct pgconn_token token;

    switch (keyword) {
    case PGCONN_KEYWORD_MAINTENANCE:
        return true;
    case PGCONN_KEYWORD_ALTER:
    case PGCONN_KEYWORD_CREATE:
    case PGCONN_KEYWORD_DROP:
        pgconn_sql_lexer_start(&lexer, sql, length, standard_strings);
        do token = pgconn_sql_lexer_next(&lexer);
        while (token.kind == PGCONN_TOKEN_SEMICOLON);
        return definition_stands_alone(&lexer);
    default:
        return false;
    }
}

bool
pgconn_sql_statements_may_end(const char *sql, size_t length, bool standard_strings)
{
    struct pgconn_sql_lexer lexer;
    struct pgconn_token token;
    bool first = true;

    pgconn_sql_lexer_start(&lexer, sql, length, standard_strings);
    while ((token = pgconn_sql_lexer_next(&lexer)).kind != PGCONN_TOKEN_END) {
        if (first && pgconn_sql_statements_keyword_ends(keyword_behind(&lexer, &token)))
            return true;
        first = token.kind == PGCONN_TOKEN_SEMICOLON;
    }
    return false;
}
