#include "modes.h"

#include <stdio.h>

static const char *const isolation_texts[] = {
    [PGCONN_ISOLATION_DEFAULT] = "",
    [PGCONN_ISOLATION_READ_COMMITTED] = " ISOLATION LEVEL READ COMMITTED",
    [PGCONN_ISOLATION_REPEATABLE_READ] = " ISOLATION LEVEL REPEATABLE READ",
    [PGCONN_ISOLATION_SERIALIZABLE] = " ISOLATION LEVEL SERIALIZABLE",
    [PGCONN_ISOLATION_READ_UNCOMMITTED] = " ISOLATION LEVEL READ UNCOMMITTED",
};

static const char *const read_only_texts[] = {
    [PGCONN_SWITCH_DEFAULT] = "",
    [PGCONN_SWITCH_OFF] = " READ WRITE",
    [PGCONN_SWITCH_ON] = " READ ONLY",
};

static const char *const deferrable_texts[] = {
    [PGCONN_SWITCH_DEFAULT] = "",
    [PGCONN_SWITCH_OFF] = " NOT DEFERRABLE",
    [PGCONN_SWITCH_ON] = " DEFERRABLE",
};

static enum pgconn_switch
switch_merge(enum pgconn_switch value, enum pgconn_switch change)
{
    return change == PGCONN_SWITCH_KEEP ? value : change;
}

struct pgconn_modes
pgconn_modes_merge(struct pgconn_modes modes, struct pgconn_modes change)
{
    if (change.isolation != PGCONN_ISOLATION_KEEP) modes.isolation = change.isolation;
    modes.read_only = switch_merge(modes.read_only, change.read_only);
    modes.deferrable = switch_merge(modes.deferrable, change.deferrable);
    return modes;
}

bool
pgconn_modes_given(struct pgconn_modes modes)
{
    return modes.isolation != PGCONN_ISOLATION_KEEP || modes.read_only != PGCONN_SWITCH_KEEP ||
           modes.deferrable != PGCONN_SWITCH_KEEP;
}

void
pgconn_modes_write_begin(struct pgconn_modes modes, char text[PGCONN_BEGIN_SIZE])
{
    snprintf(text, PGCONN_BEGIN_SIZE, "BEGIN%s%s%s", isolation_texts[modes.isolation],
             read_only_texts[modes.read_only], deferrable_texts[modes.deferrable]);
}

const char *
pgconn_modes_switch_text(enum pgconn_switch value)
{
    switch (value) {
    case PGCONN_SWITCH_ON:
        return "on";
    case PGCONN_SWITCH_OFF:
        return "off";
    default:
        return "DEFAULT";
    }
}
