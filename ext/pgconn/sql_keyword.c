#include "sql_keyword.h"

#include <stdlib.h>
#include <strings.h>

/*
 * In alphabetical order: the first words of statements, some that may be their second, and words
 * that a value follows, so that a colon behind them begins a :name even in a[..].
 */
static const struct pgconn_sql_word sql_words[] = {
    {"abort",        PGCONN_KEYWORD_ABORT,        false},
    {"alter",        PGCONN_KEYWORD_ALTER,        false},
    {"and",          PGCONN_KEYWORD_OTHER,        true },
    {"asymmetric",   PGCONN_KEYWORD_OTHER,        true },
    {"begin",        PGCONN_KEYWORD_BEGIN,        false},
    {"between",      PGCONN_KEYWORD_OTHER,        true },
    {"call",         PGCONN_KEYWORD_CALL,         false},
    {"case",         PGCONN_KEYWORD_OTHER,        true },
    {"cluster",      PGCONN_KEYWORD_MAINTENANCE,  false},
    {"commit",       PGCONN_KEYWORD_COMMIT,       false},
    {"concurrently", PGCONN_KEYWORD_CONCURRENTLY, false},
    {"copy",         PGCONN_KEYWORD_COPY,         false},
    {"create",       PGCONN_KEYWORD_CREATE,       false},
    {"database",     PGCONN_KEYWORD_CLUSTER_WIDE, false},
    {"deallocate",   PGCONN_KEYWORD_DEALLOCATE,   false},
    {"delete",       PGCONN_KEYWORD_QUERY,        false},
    {"discard",      PGCONN_KEYWORD_DISCARD,      false},
    {"do",           PGCONN_KEYWORD_DO,           false},
    {"drop",         PGCONN_KEYWORD_DROP,         false},
    {"else",         PGCONN_KEYWORD_OTHER,        true },
    {"end",          PGCONN_KEYWORD_END,          false},
    {"escape",       PGCONN_KEYWORD_OTHER,        true },
    {"explain",      PGCONN_KEYWORD_EXPLAIN,      false},
    {"from",         PGCONN_KEYWORD_OTHER,        true },
    {"ilike",        PGCONN_KEYWORD_OTHER,        true },
    {"in",           PGCONN_KEYWORD_OTHER,        true },
    {"insert",       PGCONN_KEYWORD_QUERY,        false},
    {"like",         PGCONN_KEYWORD_OTHER,        true },
    {"merge",        PGCONN_KEYWORD_QUERY,        false},
    {"not",          PGCONN_KEYWORD_OTHER,        true },
    {"or",           PGCONN_KEYWORD_OTHER,        true },
    {"prepare",      PGCONN_KEYWORD_PREPARE,      false},
    {"reindex",      PGCONN_KEYWORD_MAINTENANCE,  false},
    {"release",      PGCONN_KEYWORD_RELEASE,      false},
    {"reset",        PGCONN_KEYWORD_RESET,        false},
    {"rollback",     PGCONN_KEYWORD_ROLLBACK,     false},
    {"savepoint",    PGCONN_KEYWORD_SAVEPOINT,    false},
    {"select",       PGCONN_KEYWORD_QUERY,        false},
    {"set",          PGCONN_KEYWORD_SET,          false},
    {"start",        PGCONN_KEYWORD_START,        false},
    {"subscription", PGCONN_KEYWORD_CLUSTER_WIDE, false},
    {"symmetric",    PGCONN_KEYWORD_OTHER,        true },
    {"system",       PGCONN_KEYWORD_CLUSTER_WIDE, false},
    {"table",        PGCONN_KEYWORD_QUERY,        false},
    {"tablespace",   PGCONN_KEYWORD_CLUSTER_WIDE, false},
    {"then",         PGCONN_KEYWORD_OTHER,        true },
    {"to",           PGCONN_KEYWORD_TO,           true },
    {"transaction",  PGCONN_KEYWORD_TRANSACTION,  false},
    {"update",       PGCONN_KEYWORD_QUERY,        false},
    {"vacuum",       PGCONN_KEYWORD_MAINTENANCE,  false},
    {"values",       PGCONN_KEYWORD_QUERY,        false},
    {"when",         PGCONN_KEYWORD_OTHER,        true },
    {"with",         PGCONN_KEYWORD_QUERY,        false},
    {"work",         PGCONN_KEYWORD_WORK,         false},
    {"zone",         PGCONN_KEYWORD_OTHER,        true },
};

#define SQL_WORDS (sizeof(sql_words) / sizeof(sql_words[0]))

struct text {
    const char *start;
    size_t length;
};

/* Only ASCII is folded, as the server does with keywords, whatever the locale. */
static int
byte_fold(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : (unsigned char)byte;
}

static int
sql_word_compare(const void *key, const void *element)
{
    const struct text *text = key;
    const struct pgconn_sql_word *word = element;
    size_t i;

    for (i = 0; i < text->length && word->text[i]; i++) {
        int difference = byte_fold(text->start[i]) - (unsigned char)word->text[i];

        if (difference != 0) return difference;
    }
    return (i < text->length) - (word->text[i] != '\0');
}

const struct pgconn_sql_word *
pgconn_sql_word_find(const char *start, size_t length)
{
    struct text text = {start, length};

    return bsearch(&text, sql_words, SQL_WORDS, sizeof(sql_words[0]), sql_word_compare);
}

bool
pgconn_sql_may_set(const char *sql, size_t length)
{
    static const char name[] = "set_config";
    const size_t name_length = sizeof(name) - 1;
    size_t at;

    for (at = 0; at + name_length <= length; at++) {
        if ((sql[at] | 0x20) == 's' && strncasecmp(sql + at, name, name_length) == 0) return true;
    }
    return false;
}
