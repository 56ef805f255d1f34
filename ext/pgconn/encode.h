/*
 * From any value that a user gives to bytes for a type: the one way that parameters, and what is in
 * arrays, ranges and composites, are encoded.
 */
#ifndef PGCONN_ENCODE_H
#define PGCONN_ENCODE_H

#include "text_form.h"

enum pgconn_form {
    PGCONN_FORM_NULL, /* nothing was appended */
    PGCONN_FORM_TEXT,
    PGCONN_FORM_BINARY,
};

/*
 * Unwraps Typed (the outermost one's OID goes to *type) and calls to_pg until there is a value with
 * a form of its own: that form. Raises DataError where that leads to nothing, unless there are
 * encoders for any value.
 */
const struct pgconn_text_form *pgconn_encode_resolve(VALUE *value, Oid *type, bool any, int number);

/*
 * Appends a resolved value in the best form that there is. Raises DataError, and what a user's
 * encoder raises.
 */
enum pgconn_form pgconn_encode_resolved(const struct pgconn_codec *codec, VALUE value,
                                        const struct pgconn_text_form *form,
                                        struct pgconn_output *output);

/*
 * Appends a resolved value as text, also where the codec has a binary form. False, and nothing
 * appended, for NULL. Raises as above.
 */
bool pgconn_encode_resolved_text(const struct pgconn_codec *codec, VALUE value,
                                 const struct pgconn_text_form *form, struct pgconn_output *output);

/*
 * For containers: appends an element, its 32-bit length before it (-1 for NULL), as the binary
 * forms of arrays, ranges and composites have it. False where the element has no binary form.
 */
bool pgconn_encode_element(const struct pgconn_codec *codec, VALUE value,
                           struct pgconn_output *output);

/*
 * For containers: appends an element's text in double quotes, with a backslash before each quote
 * and backslash; false, and nothing appended, for NULL.
 */
bool pgconn_encode_element_quoted(const struct pgconn_codec *codec, VALUE value,
                                  struct pgconn_output *output);

/* Looks up Ruby's classes and methods; called by Init_pgconn_params. */
void pgconn_encode_init(void);

#endif
