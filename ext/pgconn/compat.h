/*
 * What all files stand on. Differences between versions of Ruby and libpq are settled where they
 * are met, each with the date on which it can go.
 */
#ifndef PGCONN_COMPAT_H
#define PGCONN_COMPAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#endif
