#include "container.h"
#include "container_table.h"

#define ARRAYS (sizeof(array_rows) / sizeof(array_rows[0]))
#define RANGES (sizeof(range_rows) / sizeof(range_rows[0]))
#define MULTIRANGES (sizeof(multirange_rows) / sizeof(multirange_rows[0]))

/* Filled once, when the extension loads, and only read from then on. */
static struct pgconn_codec array_codecs[ARRAYS], range_codecs[RANGES];
static struct pgconn_codec multirange_codecs[MULTIRANGES];

static void
containers_add(struct pgconn_codec *codecs, const struct container_row *rows, size_t count,
               void (*fill)(struct pgconn_codec *codec, const struct pgconn_codec *element))
{
    for (size_t i = 0; i < count; i++) {
        codecs[i].oid = rows[i].oid;
        codecs[i].name = rows[i].name;
        codecs[i].delimiter = rows[i].delimiter;
        fill(&codecs[i], pgconn_codec_find(rows[i].element));
        pgconn_codec_add(&codecs[i]);
    }
}

/* Multiranges hold ranges, and there are arrays of both. */
void
pgconn_containers_add(void)
{
    containers_add(range_codecs, range_rows, RANGES, pgconn_container_range);
    containers_add(multirange_codecs, multirange_rows, MULTIRANGES, pgconn_container_multirange);
    containers_add(array_codecs, array_rows, ARRAYS, pgconn_container_array);
}
