#include "execution_flight.h"
#include "result.h"

struct pause {
    struct pgconn_flight *flight;
    struct pgconn_request *request;
};

/* A Pgconn::Result without rows. */
static VALUE
description_take(VALUE arg)
{
    const struct pause *pause = (const struct pause *)arg;
    struct pgconn_transfer *transfer = pause->flight->transfer;
    VALUE result = pgconn_result_new();
    PGresult *description = transfer->description;

    transfer->description = NULL;
    pgconn_result_adopt(result, description, pause->flight->settings.encoding_index,
                        pause->request->registry, &pause->request->plan);
    return result;
}

VALUE
pgconn_execution_pause(struct pgconn_execution *execution, struct pgconn_flight *flight)
{
    struct pause pause = {flight, execution->request};
    VALUE result;
    int state;

    result = rb_protect(description_take, (VALUE)&pause, &state);
    if (state) {
        pgconn_driver_drop(execution->executor->session, flight);
        rb_jump_tag(state);
    }
    pgconn_flight_link(flight, execution->request->paused);
    return result;
}
