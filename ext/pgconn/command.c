#include "command.h"

struct pgconn_command *
pgconn_command_new(struct pgconn_command *spare, enum pgconn_command_kind kind, const char *sql)
{
    struct pgconn_command *command = spare;
    char *copy = sql ? strdup(sql) : NULL;

    if (sql && !copy) return NULL;
    if (!command || command->within) command = calloc(1, sizeof(*command));
    else command->within = true;
    if (!command) {
        free(copy);
        return NULL;
    }
    command->kind = kind;
    command->sql = copy;
    return command;
}

bool
pgconn_command_names(const struct pgconn_command *command)
{
    return command->kind == PGCONN_COMMAND_PREPARE && *command->name;
}

void
pgconn_command_free(struct pgconn_command *command)
{
    struct pgconn_prepared *prepared = command->prepared;

    /* Its Parse has failed, was never sent, or is lost with the session. */
    if (pgconn_command_names(command) && prepared->state == PGCONN_PREPARED_UNDER_WAY) {
        prepared->state = PGCONN_PREPARED_UNNAMED;
    }
    pgconn_prepared_release(prepared);
    PQclear(command->result);
    pgconn_many_free(command->many);
    pgconn_params_free(&command->params);
    free(command->sql);
    if (!command->within) free(command);
}

static int
command_hand_over(PGconn *pg, const struct pgconn_command *command)
{
    const struct pgconn_params *params = &command->params;

    switch (command->kind) {
    case PGCONN_COMMAND_PREPARE:
        return PQsendPrepare(pg, command->name, command->sql, params->count, params->types);
    case PGCONN_COMMAND_DESCRIBE:
        return PQsendDescribePrepared(pg, command->name);
    case PGCONN_COMMAND_DESCRIBE_PORTAL:
        return PQsendDescribePortal(pg, command->sql);
    case PGCONN_COMMAND_EXECUTE:
        return PQsendQueryPrepared(pg, command->name, params->count, params->values,
                                   params->lengths, params->formats, command->result_format);
    default:
        return PQsendQueryParams(pg, command->sql, params->count, params->types, params->values,
                                 params->lengths, params->formats, command->result_format);
    }
}

bool
pgconn_command_send(PGconn *pg, struct pgconn_command *command)
{
    bool sent;

    if (command->many) {
        return pgconn_many_send(command->many, pg, command->name, command->result_format);
    }
    sent = command_hand_over(pg, command) == 1;

    /* libpq has copied all of it. */
    pgconn_params_free(&command->params);
    return sent;
}

bool
pgconn_command_is_sent(const struct pgconn_command *command)
{
    const struct pgconn_many *many = command->many;

    return !many || many->sent == many->count || many->failed >= 0; /* then the rest is skipped */
}

bool
pgconn_command_keep(struct pgconn_command *command, PGresult *result)
{
    if (command->many) return pgconn_many_take(command->many, &command->result, result);
    if (command->result) PQclear(result);
    else command->result = result;
    return true;
}

PGresult *
pgconn_command_take_result(struct pgconn_command *command)
{
    PGresult *result = command->result;

    command->result = NULL;
    return result;
}
