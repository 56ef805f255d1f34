/*
 * Whether SQL text is one statement or several. No allocation, nothing raises.
 */
#ifndef PGCONN_SQL_STATEMENTS_H
#define PGCONN_SQL_STATEMENTS_H

#include "sql_lexer.h"

/*
 * Whether something stands behind a ';' that something stands before, blanks, comments and further
 * ';' apart: several statements, or one that holds others (BEGIN ATOMIC; a rule).
 */
bool pgconn_sql_statements_are_several(const char *sql, size_t length, bool standard_strings);

#endif
