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
