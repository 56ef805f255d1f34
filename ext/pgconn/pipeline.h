/*
 * Connection#pipeline: executes of its caller are gathered in a flight, which is sent when a result
 * is asked for, when something has to be a flight of its own, and at the end of the block.
 */
#ifndef PGCONN_PIPELINE_H
#define PGCONN_PIPELINE_H

#include "cursor.h"

/*
 * Adds an execute to what was gathered. False where it has to be a flight of its own: then nothing
 * was done. Raises as execute does for what is wrong with its arguments.
 */
bool pgconn_pipeline_add(struct pgconn_gathered *gathered, VALUE cursor,
                         const struct pgconn_execute_call *call);

/* Waits until the cursor has its result, sending what was gathered if need be; or raises. */
void pgconn_pipeline_await(VALUE pipeline, VALUE cursor);

#endif
