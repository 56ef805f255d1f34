/*
 * The flight that a pipeline's statements become: it runs to its end, and each cursor gets its
 * result or its error.
 */
#ifndef PGCONN_PIPELINE_FLIGHT_H
#define PGCONN_PIPELINE_FLIGHT_H

#include "pipeline_entries.h"

/*
 * Sends what was gathered, and waits for it. Raises interrupts and what is wrong with making the
 * flight anew, but nothing of what the server says: that is the pipeline's failure, and unraised.
 */
void pgconn_pipeline_flight_run(struct pgconn_pipeline *pipeline);

#endif
