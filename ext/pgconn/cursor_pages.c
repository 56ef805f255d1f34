#include "cursor.h"

/* How many rows were fetched of those that come behind the result's. */
static long
further_rows(const struct pgconn_cursor *cursor)
{
    long rows = 0;

    if (NIL_P(cursor->further)) return 0;
    for (long i = 0; i < RARRAY_LEN(cursor->further); i++) {
        rows += pgconn_result_row_count(RARRAY_AREF(cursor->further, i));
    }
    return rows;
}

static long
result_rows(const struct pgconn_cursor *cursor)
{
    return NIL_P(cursor->result) ? 0 : pgconn_result_row_count(cursor->result);
}

/* Where the portal stands: behind so many rows. */
long
pgconn_cursor_portal_position(const struct pgconn_cursor *cursor)
{
    return cursor->before + result_rows(cursor) + further_rows(cursor);
}

/*
 * The result stays for its description; its rows are others than those from before the position.
 */
void
pgconn_cursor_stand(VALUE self, struct pgconn_cursor *cursor, long position)
{
    RB_OBJ_WRITE(self, &cursor->further, Qnil);
    cursor->position = result_rows(cursor);
    cursor->before = position - cursor->position;
    cursor->portal->floor = position;
}

/* Goes on to the next page where the rows of this one are read. Gives whether there is a row. */
static VALUE
cursor_turn_page(VALUE self)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get_readable(self);

    while (cursor->position >= result_rows(cursor)) {
        if (NIL_P(cursor->further) || RARRAY_LEN(cursor->further) == 0) return Qfalse;
        cursor->before += result_rows(cursor);
        pgconn_cursor_set_result(self, cursor, rb_ary_shift(cursor->further));
    }
    return Qtrue;
}

/* Goes to a position within what was fetched and not dropped yet; false where it is outside. */
static VALUE
cursor_seek(VALUE self, VALUE target)
{
    struct pgconn_cursor *cursor = pgconn_cursor_get_readable(self);
    long position = pgconn_cursor_portal_position(cursor), wanted = NUM2LONG(target);

    if (wanted > position && cursor->portal->at_end) wanted = position;
    if (NIL_P(cursor->result) || wanted > position) return Qfalse;
    if (wanted < cursor->before || wanted < cursor->portal->floor) return Qfalse;
    while (wanted - cursor->before > result_rows(cursor)) {
        cursor->position = result_rows(cursor);
        cursor_turn_page(self);
    }
    cursor->position = wanted - cursor->before;
    return Qtrue;
}

static VALUE
cursor_unread_rows(VALUE self)
{
    const struct pgconn_cursor *cursor = pgconn_cursor_get_readable(self);

    return LONG2NUM(result_rows(cursor) - cursor->position + further_rows(cursor));
}

static VALUE
cursor_portal_position(VALUE self)
{
    return LONG2NUM(pgconn_cursor_portal_position(pgconn_cursor_get_readable(self)));
}

static VALUE
cursor_portal_opened_p(VALUE self)
{
    return RBOOL(pgconn_cursor_get(self)->portal->opened);
}

static VALUE
cursor_portal_known_p(VALUE self)
{
    const struct pgconn_cursor *cursor = pgconn_cursor_get(self);

    return RBOOL(cursor->portal->known && !pgconn_cursor_portal_is_lost(cursor));
}

static VALUE
cursor_portal_at_end_p(VALUE self)
{
    return RBOOL(pgconn_cursor_get(self)->portal->at_end);
}

void
pgconn_cursor_pages_init(void)
{
    VALUE class = rb_cPgconnCursor;

    rb_define_private_method(class, "portal_at_end?", cursor_portal_at_end_p, 0);
    rb_define_private_method(class, "portal_known?", cursor_portal_known_p, 0);
    rb_define_private_method(class, "portal_opened?", cursor_portal_opened_p, 0);
    rb_define_private_method(class, "portal_position", cursor_portal_position, 0);
    rb_define_private_method(class, "seek", cursor_seek, 1);
    rb_define_private_method(class, "turn_page", cursor_turn_page, 0);
    rb_define_private_method(class, "unread_rows", cursor_unread_rows, 0);
}
