/*
 * The few words of SQL that a driver has to know. No allocation, nothing raises.
 * Page: PostgreSQL documentation, "SQL Key Words".
 */
#ifndef PGCONN_SQL_KEYWORD_H
#define PGCONN_SQL_KEYWORD_H

#include "compat.h"

/* What the first words of a statement say about it. */
enum pgconn_keyword {
    PGCONN_KEYWORD_NONE, /* the text holds no statement: nothing but blanks, comments and ';' */
    PGCONN_KEYWORD_OTHER,
    PGCONN_KEYWORD_ABORT,
    PGCONN_KEYWORD_ALTER,
    PGCONN_KEYWORD_BEGIN,
    PGCONN_KEYWORD_CALL,
    PGCONN_KEYWORD_COMMIT,
    PGCONN_KEYWORD_COPY,
    PGCONN_KEYWORD_CREATE,
    PGCONN_KEYWORD_DEALLOCATE,
    PGCONN_KEYWORD_DISCARD,
    PGCONN_KEYWORD_DO,
    PGCONN_KEYWORD_DROP,
    PGCONN_KEYWORD_END,
    PGCONN_KEYWORD_EXPLAIN,
    PGCONN_KEYWORD_MAINTENANCE, /* VACUUM, CLUSTER, REINDEX */
    PGCONN_KEYWORD_PREPARE,     /* a statement */
    PGCONN_KEYWORD_PREPARE_TRANSACTION,
    PGCONN_KEYWORD_QUERY, /* SELECT, VALUES, TABLE, WITH, INSERT, UPDATE, DELETE, MERGE */
    PGCONN_KEYWORD_RELEASE,
    PGCONN_KEYWORD_RESET,
    PGCONN_KEYWORD_ROLLBACK,
    PGCONN_KEYWORD_ROLLBACK_TO, /* a savepoint */
    PGCONN_KEYWORD_SAVEPOINT,
    PGCONN_KEYWORD_SET,
    PGCONN_KEYWORD_START,
    PGCONN_KEYWORD_CLUSTER_WIDE, /* this and the next stand behind the first word; DATABASE... */
    PGCONN_KEYWORD_CONCURRENTLY,
    PGCONN_KEYWORD_TO,
    PGCONN_KEYWORD_TRANSACTION,
    PGCONN_KEYWORD_WORK,
};

struct pgconn_sql_word {
    const char *text;
    enum pgconn_keyword keyword;
    bool before_value; /* a value follows it, as it follows AND */
};

/* What is known of a word, in any case; NULL for all the others. */
const struct pgconn_sql_word *pgconn_sql_word_find(const char *start, size_t length);

/*
 * Whether the SQL has set_config in it, in any case and anywhere: it may SET a parameter, then.
 * What a function of the user's does isn't seen.
 */
bool pgconn_sql_may_set(const char *sql, size_t length);

#endif
