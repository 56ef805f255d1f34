#include "pgconn.h"

#include <ruby/ractor.h>

VALUE rb_mPgconn;

RUBY_FUNC_EXPORTED void
Init_pgconn_ext(void)
{
    /* What is static is set in here and never changed later, has a lock, or is each Ractor's. */
    rb_ext_ractor_safe(true);
    rb_mPgconn = rb_define_module("Pgconn");
    Init_pgconn_error();
    Init_pgconn_encoding();
    Init_pgconn_codec();
    Init_pgconn_params();
    Init_pgconn_owned_codec();
    Init_pgconn_types();
    Init_pgconn_pg_result();
    Init_pgconn_columns();
    Init_pgconn_plan();
    Init_pgconn_row();
    Init_pgconn_result();
    Init_pgconn_row_shape();
    Init_pgconn_statement_cache();
    Init_pgconn_wait_way();
    Init_pgconn_wait_callback();
    Init_pgconn_wait_object();
    Init_pgconn_wait_ruby();
    Init_pgconn_inbox();
    Init_pgconn_cancel();
    Init_pgconn_tracer();
    Init_pgconn_conninfo();
    Init_pgconn_service();
    Init_pgconn_ping();
    Init_pgconn_block();
    Init_pgconn_connection();
    Init_pgconn_transaction();
    Init_pgconn_cursor();
    Init_pgconn_pipeline();
    Init_pgconn_cancellation();
    Init_pgconn_catalog();
    Init_pgconn_copy();
    Init_pgconn_large_object();
    Init_pgconn_quoting();
}
