/*
 * What can be said of JSON's text, in UTF-8, without parsing it. Plain C; nothing raises.
 */
#ifndef PGCONN_JSON_TEXT_H
#define PGCONN_JSON_TEXT_H

#include "buffer.h"

/* Whether each escaped surrogate, as in "\ud83d\ude00", has its other half. */
bool pgconn_json_text_is_paired(struct pgconn_reader reader);

/* How many arrays and objects are within each other. */
int pgconn_json_text_depth(struct pgconn_reader reader);

#endif
