/*
 * The statements that a connection has executed: what was read from their SQL and learned from the
 * server, by SQL. The least recently used go first, those that have a name on the server apart from
 * those that don't, so that many statements executed once drive out none that is executed often.
 */
#ifndef PGCONN_STATEMENT_CACHE_H
#define PGCONN_STATEMENT_CACHE_H

#include "session.h"

struct pgconn_statement_list {
    struct pgconn_statement *newest, *oldest;
    int count;
};

/* One statement; belongs to a Ruby object without a name of its own. */
struct pgconn_statement {
    VALUE key;  /* in the cache's table */
    VALUE wire; /* in the client encoding, frozen */
    VALUE plan; /* of the last result; or nil */
    struct pgconn_sql sql;
    struct pgconn_text_settings settings; /* that it was read with */
    enum pgconn_keyword keyword;
    bool may_set;      /* a parameter of the session, by set_config */
    bool stands_alone; /* the server doesn't execute it together with others */
    unsigned long executions;
    struct pgconn_prepared *prepared;
    struct pgconn_parameter *parameters; /* NULL until the server has described them */
    int parameter_count;
    int result_format;                  /* 1 where all columns can be read in binary */
    unsigned descriptions;              /* how many there had been when this was worked out */
    unsigned long generation;           /* of the registry that the codecs are from */
    struct pgconn_statement_list *list; /* that it is in; NULL: it isn't kept */
    struct pgconn_statement *newer, *older;
};

struct pgconn_statement_cache {
    VALUE owner; /* the connection, which it is a part of */
    struct pgconn_session *session;
    VALUE by_position, by_name; /* Hashes: SQL to the statement's object */
    VALUE recent_sql, recent;   /* by position: found without a look at the text; or nil */
    struct pgconn_statement_list unnamed, named;
    int size;       /* of each list at most */
    int threshold;  /* the execution with which a statement gets its name; 0: none does */
    unsigned names; /* given so far */
};

void pgconn_statement_cache_init(struct pgconn_statement_cache *cache, VALUE owner,
                                 struct pgconn_session *session);
/* size and threshold as connect takes them; a threshold of 0 is none. */
void pgconn_statement_cache_open(struct pgconn_statement_cache *cache, int size, int threshold);
void pgconn_statement_cache_mark(const struct pgconn_statement_cache *cache);
void pgconn_statement_cache_compact(struct pgconn_statement_cache *cache);

/*
 * The object of a statement as the session would send it now, read if it is new. types as in
 * pgconn_arguments: with other types it is another statement. Raises as pgconn_params_parse does.
 */
VALUE pgconn_statement_cache_fetch(struct pgconn_statement_cache *cache, VALUE sql, bool by_name,
                                   VALUE types);

struct pgconn_statement *pgconn_statement_get(VALUE statement);

/* Takes over what the server has said meanwhile of parameters and columns. */
void pgconn_statement_work_out(VALUE statement, VALUE registry);

/* Whether the next execution is to give it a name; so, the name is reserved. */
bool pgconn_statement_cache_name(struct pgconn_statement_cache *cache,
                                 struct pgconn_statement *statement);

/* What is known of it doesn't hold any more: it starts anew. */
void pgconn_statement_cache_forget(struct pgconn_statement_cache *cache,
                                   struct pgconn_statement *statement);

#endif
