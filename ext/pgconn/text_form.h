/*
 * How the values of Ruby's classes are written as text where a type has no say in it.
 */
#ifndef PGCONN_TEXT_FORM_H
#define PGCONN_TEXT_FORM_H

#include "codec.h"

struct pgconn_text_form {
    const char *class_name;
    void (*write)(VALUE value, struct pgconn_output *output); /* NULL: it is SQL NULL */
    bool (*depends)(VALUE value); /* whether the type has a say after all; NULL: never */
    VALUE klass;                  /* looked up when the extension loads */
};

/*
 * Raises the DataError for an Array, Set, Hash, Range or Struct where the type is known and takes
 * none; does nothing for other values.
 */
void pgconn_text_form_check(const struct pgconn_text_form *form, const struct pgconn_codec *codec,
                            VALUE value, int number);

/* The form of values of just this class; NULL where there is none. */
const struct pgconn_text_form *pgconn_text_form_of(VALUE klass);

/* The form of a value by the classes above its own, or by the methods it has; or NULL. */
const struct pgconn_text_form *pgconn_text_form_like(VALUE value);

/* The same of any value: where there is none, one that depends on the type and can't be written. */
const struct pgconn_text_form *pgconn_text_form_for(VALUE value);

/* Raises the DataError that says what parameters can be. */
RBIMPL_ATTR_NORETURN()
void pgconn_text_form_raise_unknown(VALUE value, int number);

/* Appends a String in the client encoding. Raises DataError for a NUL byte and invalid text. */
void pgconn_text_form_write_string(VALUE string, struct pgconn_output *output);

/* Looks up Ruby's classes and methods; called by Init_pgconn_params. */
void pgconn_text_form_init(void);

#endif
