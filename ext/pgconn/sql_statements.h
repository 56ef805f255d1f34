/*
 * What SQL text holds: one statement or several, and of what kind. No allocation, nothing raises.
 */
#ifndef PGCONN_SQL_STATEMENTS_H
#define PGCONN_SQL_STATEMENTS_H

#include "sql_lexer.h"

/*
 * Whether something stands behind a ';' that something stands before, blanks, comments and further
 * ';' apart: several statements, or one that holds others (BEGIN ATOMIC; a rule).
 */
bool pgconn_sql_statements_are_several(const char *sql, size_t length, bool standard_strings);

/* The first keyword, in any case, after blanks, comments, '(' and empty statements. */
enum pgconn_keyword pgconn_sql_statements_keyword(const char *sql, size_t length,
                                                  bool standard_strings);

/* Whether a statement that begins so ends the transaction that is open. */
bool pgconn_sql_statements_keyword_ends(enum pgconn_keyword keyword);

/* Whether a statement that begins so rolls back what was done before, all or to a savepoint. */
bool pgconn_sql_statements_keyword_undoes(enum pgconn_keyword keyword);

/*
 * Whether the server executes such a statement (with this first keyword) by itself only, neither in
 * a transaction block nor behind others of a pipeline: VACUUM, CREATE DATABASE, CREATE INDEX
 * CONCURRENTLY. True for a few more, such as CLUSTER of one table.
 */
bool pgconn_sql_statements_stand_alone(const char *sql, size_t length, bool standard_strings,
                                       enum pgconn_keyword keyword);

/* Whether any of the statements may end the transaction that is open. */
bool pgconn_sql_statements_may_end(const char *sql, size_t length, bool standard_strings);

#endif
