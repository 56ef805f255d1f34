/*
 * Values as SQL text. The text is that of text_form.h and the codecs, as for parameters; what is
 * added here are the quotes.
 */
#ifndef PGCONN_LITERAL_H
#define PGCONN_LITERAL_H

#include "types.h"

/*
 * The literal of a value that may be a parameter: a String in UTF-8, whatever the client encoding,
 * so that it goes with SQL of the user's; with SQL_ASCII bytes that aren't UTF-8 stay as they are.
 * Means the same under every standard_conforming_strings. number is for messages, 1 for $1. Raises
 * DataError, and what the value's own methods and a user's encoder raise.
 */
VALUE pgconn_literal_new(VALUE value, VALUE registry, int encoding_index, int number);

#endif
