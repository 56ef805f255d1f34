/*
 * A Ruby with pgconn loaded, inside of a fuzzer.
 */
#ifndef PGCONN_FUZZ_EMBEDDED_RUBY_H
#define PGCONN_FUZZ_EMBEDDED_RUBY_H

#include "pgconn.h"

/* For LLVMFuzzerInitialize, with its arguments. Ends the process where that fails. */
void fuzz_ruby_start(int *argc, char ***argv);

/*
 * Calls the function. False where it raises: *value is the exception then, else what it gave. An
 * exception that isn't of one of Pgconn's classes in the list, which NULL ends, is a finding.
 */
bool fuzz_ruby_call(VALUE (*function)(VALUE), VALUE argument, VALUE *value,
                    const char *const *expected);

/* Collects garbage at times, so that what is held by nobody is found out. */
void fuzz_ruby_collect(void);

/* Prints the message and ends the process by abort, whereupon libFuzzer saves the input. */
RBIMPL_ATTR_NORETURN()
RBIMPL_ATTR_FORMAT(RBIMPL_PRINTF_FORMAT, 1, 2)
void fuzz_ruby_fail(const char *format, ...);

#endif
