#include "catalog.h"
#include "copy.h"
#include "encoding.h"

static struct pgconn_flight *
description_flight(const struct pgconn_session *session, VALUE sql)
{
    VALUE wire = pgconn_encoding_export(sql, session->settings.encoding_index, "SQL");
    const char *text = StringValueCStr(wire);
    struct pgconn_flight *flight = pgconn_session_flight(session);

    flight->begins = PGCONN_BEGINS;
    if (!pgconn_flight_append(flight, PGCONN_COMMAND_PREPARE, text) ||
        !pgconn_flight_append(flight, PGCONN_COMMAND_DESCRIBE, NULL)) {
        pgconn_flight_free(flight);
        rb_memerror();
    }
    RB_GC_GUARD(wire);
    return flight;
}

/*
 * Asks of what rows a query is, which is parsed but not executed: those of the COPY.
 * @return [Array(Boolean, Boolean)] whether they can be written, and read, in binary
 */
static VALUE
copy_describe(VALUE self, VALUE sql)
{
    struct pgconn_copy *copy = pgconn_copy_get_open(self);
    struct pgconn_session *session = pgconn_connection_get_open(copy->connection);
    const struct pgconn_plan *plan;
    VALUE result;

    pgconn_copy_ask(copy, sql);
    while (pgconn_answer_wait(session, description_flight(session, sql), &copy->request, &result) !=
           PGCONN_ANSWER_RESULT) {
        continue;
    }
    copy->rows.encoding_index = pgconn_result_get(result)->encoding_index;
    copy->plan = pgconn_plan_new(pgconn_result_pg(result), copy->rows.encoding_index,
                                 copy->request.registry);
    plan = copy->rows.plan = pgconn_plan_get(copy->plan);
    copy->rows.any = pgconn_types_take_any(copy->request.registry);
    RB_GC_GUARD(self);
    return rb_assoc_new(RBOOL(pgconn_copy_encode_is_binary(plan)),
                        RBOOL(pgconn_copy_decode_is_binary(plan, copy->rows.encoding_index)));
}

/* What is asked on the way to a COPY has no more time than what is left for that. */
static VALUE
copy_catalog_rows(VALUE self, VALUE sql, VALUE arguments)
{
    const struct pgconn_copy *copy = pgconn_copy_get_open(self);
    VALUE rows = pgconn_catalog_rows(copy->connection, sql, arguments, &copy->request);

    RB_GC_GUARD(self);
    return rows;
}

void
pgconn_copy_describe_init(VALUE class)
{
    rb_define_private_method(class, "catalog_rows", copy_catalog_rows, 2);
    rb_define_private_method(class, "describe", copy_describe, 1);
}
