/*
 * The modes of transactions, and the texts that ask the server for them. Plain C, nothing raises.
 * Page: PostgreSQL documentation, "SET TRANSACTION".
 */
#ifndef PGCONN_MODES_H
#define PGCONN_MODES_H

#include "compat.h"

#include <stddef.h>

/* DEFAULT leaves it to the server, KEEP to what was chosen before. */
enum pgconn_switch {
    PGCONN_SWITCH_KEEP = -1,
    PGCONN_SWITCH_DEFAULT,
    PGCONN_SWITCH_OFF,
    PGCONN_SWITCH_ON,
};

/* The numbers of Pgconn's constants. */
enum pgconn_isolation {
    PGCONN_ISOLATION_KEEP = -1,
    PGCONN_ISOLATION_DEFAULT,
    PGCONN_ISOLATION_READ_COMMITTED,
    PGCONN_ISOLATION_REPEATABLE_READ,
    PGCONN_ISOLATION_SERIALIZABLE,
    PGCONN_ISOLATION_READ_UNCOMMITTED,
};

/* Zeroed, all is left to the server. */
struct pgconn_modes {
    enum pgconn_isolation isolation;
    enum pgconn_switch read_only;
    enum pgconn_switch deferrable;
};

/* A change of a session's modes, for the moment at which it may take effect. */
struct pgconn_modes_change {
    struct pgconn_modes modes;
    enum pgconn_switch autocommit; /* KEEP, OFF or ON */
    bool applied;                  /* false: a transaction was open */
};

/* Room for the longest text of BEGIN. */
#define PGCONN_BEGIN_SIZE sizeof("BEGIN ISOLATION LEVEL READ UNCOMMITTED READ WRITE NOT DEFERRABLE")

/* The modes with those of change that aren't KEEP. */
struct pgconn_modes pgconn_modes_merge(struct pgconn_modes modes, struct pgconn_modes change);

/* Whether anything but KEEP is in it. */
bool pgconn_modes_given(struct pgconn_modes modes);

/* BEGIN with the modes that are set; the bare word where none is. */
void pgconn_modes_write_begin(struct pgconn_modes modes, char text[PGCONN_BEGIN_SIZE]);

/* "on", "off" or "DEFAULT", as SET takes it. */
const char *pgconn_modes_switch_text(enum pgconn_switch value);

#endif
