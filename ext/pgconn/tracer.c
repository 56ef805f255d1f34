#include "tracer.h"

#include "result.h"
#include "wait.h"

static VALUE rb_mPgconnTracing;

void
pgconn_tracer_init(struct pgconn_tracer *tracer, VALUE connection)
{
    tracer->callable = Qnil;
    tracer->connection = connection;
}

void
pgconn_tracer_mark(const struct pgconn_tracer *tracer)
{
    rb_gc_mark_movable(tracer->callable);
    rb_gc_mark_movable(tracer->connection);
}

void
pgconn_tracer_compact(struct pgconn_tracer *tracer)
{
    tracer->callable = rb_gc_location(tracer->callable);
    tracer->connection = rb_gc_location(tracer->connection);
}

struct trace {
    struct pgconn_tracer tracer; /* as it was when the command began */
    VALUE sql;
    VALUE (*command)(VALUE);
    VALUE argument;
    pgconn_time started;
};

static double
seconds_of(pgconn_time time)
{
    return (double)time / 1e9;
}

static void
field_set(VALUE fields, const char *name, VALUE value)
{
    rb_hash_aset(fields, ID2SYM(rb_intern(name)), value);
}

/* rows is nil for commands that don't say, and after an error. */
static void
trace_tell(const struct trace *trace, VALUE rows, VALUE error)
{
    pgconn_time ended = pgconn_wait_now();
    VALUE arguments[2] = {trace->tracer.callable, rb_hash_new()};

    field_set(arguments[1], "connection", trace->tracer.connection);
    field_set(arguments[1], "sql", trace->sql);
    field_set(arguments[1], "rows", rows);
    field_set(arguments[1], "started", DBL2NUM(seconds_of(trace->started)));
    field_set(arguments[1], "seconds", DBL2NUM(seconds_of(ended - trace->started)));
    field_set(arguments[1], "error", error);
    rb_funcallv_kw(rb_mPgconnTracing, rb_intern("tell"), 2, arguments, RB_PASS_KEYWORDS);
}

void
pgconn_tracer_tell(const struct pgconn_tracer *tracer, VALUE sql, pgconn_time started, VALUE rows,
                   VALUE error)
{
    struct trace trace = {*tracer, sql, NULL, Qnil, started};

    if (!NIL_P(tracer->callable)) trace_tell(&trace, rows, error);
}

static VALUE
trace_run(VALUE argument)
{
    const struct trace *trace = (const struct trace *)argument;

    return trace->command(trace->argument);
}

static VALUE
trace_failed(VALUE argument, VALUE error)
{
    trace_tell((const struct trace *)argument, Qnil, error);
    rb_exc_raise(error);
}

VALUE
pgconn_tracer_run(const struct pgconn_tracer *tracer, VALUE sql, VALUE (*command)(VALUE),
                  VALUE argument)
{
    struct trace trace = {*tracer, sql, command, argument, 0};
    VALUE result;
    long rows;

    if (NIL_P(tracer->callable)) return command(argument);
    trace.started = pgconn_wait_now();
    result = rb_rescue2(trace_run, (VALUE)&trace, trace_failed, (VALUE)&trace, rb_eException,
                        (VALUE)0);
    if (NIL_P(result)) return result;
    rows = pgconn_result_affected(result);
    trace_tell(&trace, rows < 0 ? Qnil : LONG2NUM(rows), Qnil);
    return result;
}

void
Init_pgconn_tracer(void)
{
    rb_mPgconnTracing = rb_path2class("Pgconn::Tracing");
    rb_gc_register_mark_object(rb_mPgconnTracing);
}
