/*
 * Splits SQL text into the few kinds of tokens that a driver must tell apart. It knows string
 * literals ('..', E'..', U&'..', B'..', $tag$..$tag$), quoted identifiers, nested comments, casts
 * (::) and array slices (a[lo:hi]). Works on bytes of any server-safe client encoding; SQL in
 * others (SJIS, BIG5, GBK, ...) is lexed in UTF-8 by the caller before it is transcoded.
 * Page: PostgreSQL documentation, "Lexical Structure". No allocation, nothing raises.
 */
#ifndef PGCONN_SQL_LEXER_H
#define PGCONN_SQL_LEXER_H

#include "sql_keyword.h"

enum pgconn_token_kind {
    PGCONN_TOKEN_END,
    PGCONN_TOKEN_WORD,      /* keyword or unquoted identifier */
    PGCONN_TOKEN_NAME,      /* :name; start is the colon, length includes it */
    PGCONN_TOKEN_PARAMETER, /* $1; number holds the 1 (INT_MAX where it doesn't fit) */
    PGCONN_TOKEN_SEMICOLON,
    PGCONN_TOKEN_OTHER, /* a literal, a quoted identifier, digits, an operator, a bracket */
};

struct pgconn_token {
    enum pgconn_token_kind kind;
    const char *start;
    size_t length;
    int number;
};

struct pgconn_sql_lexer {
    const char *at;
    const char *end;
    bool standard_strings; /* standard_conforming_strings: backslash is plain in '..' */
    bool after_operand;    /* the last token ends an expression, so that ':' in [] is a slice */
    uint64_t nesting;      /* the open brackets, innermost lowest: 1 for '[', 0 for '(' or none */
};

/* Starts on the text; it must outlive the lexer. */
void pgconn_sql_lexer_start(struct pgconn_sql_lexer *lexer, const char *sql, size_t length,
                            bool standard_strings);

/*
 * The next token; PGCONN_TOKEN_END at the end, again and again. Unterminated literals and comments
 * end there.
 */
struct pgconn_token pgconn_sql_lexer_next(struct pgconn_sql_lexer *lexer);

/* The keyword that the token is, in any case; OTHER for all other tokens. */
enum pgconn_keyword pgconn_sql_lexer_token_keyword(const struct pgconn_token *token);

/* Whether the byte may stand in an unquoted identifier or a number. */
bool pgconn_sql_lexer_joins_words(char byte);

#endif
