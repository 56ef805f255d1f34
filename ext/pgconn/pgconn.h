/*
 * What every file above the plain C layer starts from: Ruby, libpq and the module.
 */
#ifndef PGCONN_PGCONN_H
#define PGCONN_PGCONN_H

#include "compat.h"

#include <libpq-fe.h>
#include <ruby.h>
#include <ruby/encoding.h>

/* Public from Ruby 3.2 on. Until 2025-03 and the end of life of 3.1. */
#ifndef RBOOL
#define RBOOL(condition) ((condition) ? Qtrue : Qfalse)
#endif

extern VALUE rb_mPgconn;

/* Each file with Ruby classes or constants has one of these; init.c calls them in this order. */
void Init_pgconn_error(void);
void Init_pgconn_encoding(void);
void Init_pgconn_codec(void);
void Init_pgconn_params(void);
void Init_pgconn_owned_codec(void);
void Init_pgconn_types(void);
void Init_pgconn_pg_result(void);
void Init_pgconn_columns(void);
void Init_pgconn_plan(void);
void Init_pgconn_row(void);
void Init_pgconn_result(void);
void Init_pgconn_row_shape(void);
void Init_pgconn_statement_cache(void);
void Init_pgconn_wait_way(void);
void Init_pgconn_wait_callback(void);
void Init_pgconn_wait_object(void);
void Init_pgconn_wait_ruby(void);
void Init_pgconn_inbox(void);
void Init_pgconn_cancel(void);
void Init_pgconn_tracer(void);
void Init_pgconn_conninfo(void);
void Init_pgconn_service(void);
void Init_pgconn_ping(void);
void Init_pgconn_block(void);
void Init_pgconn_connection(void);
void Init_pgconn_transaction(void);
void Init_pgconn_cursor(void);
void Init_pgconn_pipeline(void);
void Init_pgconn_cancellation(void);
void Init_pgconn_catalog(void);
void Init_pgconn_copy(void);
void Init_pgconn_large_object(void);
void Init_pgconn_quoting(void);

/* What rb_check_typeddata gives, without a call where the object is of just that type. */
static inline void *
pgconn_typed_data(VALUE object, const rb_data_type_t *type)
{
    if (RB_TYPE_P(object, T_DATA) && RTYPEDDATA_P(object) && RTYPEDDATA_TYPE(object) == type) {
        return RTYPEDDATA_DATA(object);
    }
    return rb_check_typeddata(object, type);
}

#define PGCONN_QUERY_CANCELED "57014"

/* Whether a result is the error with this SQLSTATE. */
static inline bool
pgconn_sqlstate_is(const PGresult *result, const char *sqlstate)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    return state && strcmp(state, sqlstate) == 0;
}

#endif
