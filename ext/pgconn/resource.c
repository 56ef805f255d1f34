#include "resource.h"

#include <stdlib.h>
#include <string.h>

struct pgconn_resource *
pgconn_resource_new(const char *name, bool holds, const char *ended)
{
    struct pgconn_resource *resource = calloc(1, sizeof(*resource));

    if (!resource) return NULL;
    resource->name = strdup(name);
    if (!resource->name) {
        free(resource);
        return NULL;
    }
    resource->references = 1;
    resource->holds = holds;
    resource->ended = ended;
    return resource;
}

struct pgconn_resource *
pgconn_resource_retain(struct pgconn_resource *resource)
{
    if (resource) resource->references++;
    return resource;
}

bool
pgconn_resource_is_under_way(const struct pgconn_resource *resource)
{
    return resource->references > 1 + resource->alive;
}

void
pgconn_resource_close_later(struct pgconn_resource *resource, const char *sql)
{
    free(resource->closing);
    resource->closing = strdup(sql);
}

void
pgconn_resource_release(struct pgconn_resource *resource)
{
    if (!resource || --resource->references > 0) return;
    free(resource->name);
    free(resource->closing);
    free(resource);
}

void
pgconn_resources_add(struct pgconn_resources *resources, struct pgconn_resource *resource,
                     int depth)
{
    if (resource->alive) return;
    resource->alive = true;
    resource->depth = depth;
    resource->next = resources->first;
    resources->first = pgconn_resource_retain(resource);
}

/* Takes out the one that the link leads to. */
static void
link_cut(struct pgconn_resource **link)
{
    struct pgconn_resource *resource = *link;

    *link = resource->next;
    resource->alive = resource->lasts = resource->doubted = false;
    pgconn_resource_release(resource);
}

void
pgconn_resources_undo(struct pgconn_resources *resources, int depth)
{
    struct pgconn_resource **link = &resources->first;

    while (*link) {
        if ((*link)->lasts || (*link)->depth < depth) link = &(*link)->next;
        else link_cut(link);
    }
}

void
pgconn_resources_keep(struct pgconn_resources *resources, int depth)
{
    struct pgconn_resource *resource;

    for (resource = resources->first; resource; resource = resource->next) {
        if (resource->depth >= depth) resource->depth = depth - 1;
    }
}

void
pgconn_resources_end(struct pgconn_resources *resources, bool committed)
{
    struct pgconn_resource *resource;

    for (resource = resources->first; committed && resource; resource = resource->next) {
        resource->lasts = resource->holds;
    }
    pgconn_resources_undo(resources, 0);
}

void
pgconn_resources_end_named(struct pgconn_resources *resources, const char *name)
{
    struct pgconn_resource **link = &resources->first;

    while (*link) {
        if (strcmp((*link)->name, name) != 0) link = &(*link)->next;
        else link_cut(link);
    }
}

void
pgconn_resources_clear(struct pgconn_resources *resources)
{
    while (resources->first) link_cut(&resources->first);
}

struct pgconn_resource *
pgconn_resources_closing(const struct pgconn_resources *resources)
{
    struct pgconn_resource *resource = resources->first;

    while (resource && !resource->closing) resource = resource->next;
    return resource;
}

void
pgconn_resources_doubt(struct pgconn_resources *resources)
{
    struct pgconn_resource *resource;

    for (resource = resources->first; resource; resource = resource->next) {
        resource->doubted = true;
    }
}
