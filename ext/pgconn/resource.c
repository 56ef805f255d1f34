#include "resource.h"

#include <stdlib.h>

struct pgconn_resource *
pgconn_resource_new(bool holds, const char *ended)
{
    struct pgconn_resource *resource = calloc(1, sizeof(*resource));

    if (!resource) return NULL;
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

void
pgconn_resource_release(struct pgconn_resource *resource)
{
    if (resource && --resource->references == 0) free(resource);
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

/* Takes out, and ends or not, those from a depth on. */
static void
resources_take(struct pgconn_resources *resources, int depth, bool keep_holding)
{
    struct pgconn_resource **link = &resources->first, *resource;

    while ((resource = *link)) {
        if (resource->depth < depth) {
            link = &resource->next;
            continue;
        }
        *link = resource->next;
        resource->alive = keep_holding && resource->holds;
        pgconn_resource_release(resource);
    }
}

void
pgconn_resources_undo(struct pgconn_resources *resources, int depth)
{
    resources_take(resources, depth, false);
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
    resources_take(resources, 0, committed);
}
