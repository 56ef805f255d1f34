/*
 * Reading what the texts of arrays, ranges and composites have in common: elements that stand in
 * double quotes where they need to.
 */
#ifndef PGCONN_ELEMENT_TEXT_H
#define PGCONN_ELEMENT_TEXT_H

#include "codec.h"

struct pgconn_element_text {
    struct pgconn_reader reader;
    char *scratch;      /* as long as the whole text: unescaped elements are put here */
    bool steps_by_byte; /* no character has bytes that look like ASCII */
    bool quotes_double; /* "" in quotes is a quote, as in ranges and composites */
    const char *stops;  /* what ends an element without quotes */
    rb_encoding *encoding;
};

/* Begins to read; scratch has room for input.length bytes. */
void pgconn_element_text_start(struct pgconn_element_text *text, struct pgconn_input input,
                               char *scratch, const char *stops, bool quotes_double);

/*
 * Reads one element, which may be empty, into *element; it is good until the next one is read.
 * False where the quotes don't end or a backslash stands outside of them. The stop isn't read.
 */
bool pgconn_element_text_take(struct pgconn_element_text *text, struct pgconn_input *element,
                              bool *quoted);

#endif
