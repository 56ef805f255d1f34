#include "embedded_ruby.h"

#include <sanitizer/asan_interface.h>
#include <signal.h>
#include <stdarg.h>

/* As much of the stack as decoding may take. */
#define STACK_DEPTH (2 * 1024 * 1024)

#define RUNS_BETWEEN_COLLECTIONS 1000

void Init_pgconn_ext(void);
const char *__asan_default_options(void);

/* The reasons are those of rakelib/sanitizers.rake. */
const char *
__asan_default_options(void)
{
    return "detect_leaks=0:detect_stack_use_after_return=0:use_sigaltstack=0";
}

static VALUE
fuzzer_init_extension(VALUE self)
{
    Init_pgconn_ext();
    return self;
}

static VALUE
pgconn_require(VALUE unused)
{
    (void)unused;
    return rb_require("pgconn");
}

/* libFuzzer sets only those handlers that nobody has set. */
static void
signals_reset(void)
{
    const int signals[] = {SIGABRT, SIGALRM, SIGBUS,  SIGFPE,  SIGILL,
                           SIGINT,  SIGSEGV, SIGTERM, SIGUSR1, SIGUSR2};

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) signal(signals[i], SIG_DFL);
}

/*
 * The garbage collector looks for references from where the stack is said to begin. The command
 * line's pointers lie above the frames of all that will run.
 */
void
fuzz_ruby_start(int *argc, char ***argv)
{
    char *options[] = {(*argv)[0], "-I", FUZZ_LIB, "-I", PGCONN_LIB, "-e", "", NULL};
    VALUE value;

    ruby_sysinit(argc, argv);
    ruby_init_stack((VALUE *)*argv);
    ruby_init();
    rb_define_module_function(rb_define_module("Fuzzer"), "init_extension", fuzzer_init_extension,
                              0);
    ruby_options((int)(sizeof(options) / sizeof(options[0])) - 1, options);
    fuzz_ruby_call(pgconn_require, Qnil, &value, NULL);
    signals_reset();
}

/*
 * Functions that an exception leaves don't tell AddressSanitizer that their frames are gone: what
 * comes to lie there would be reported.
 */
static void
frames_forget(void)
{
    char here;

    __asan_unpoison_memory_region(&here - STACK_DEPTH, STACK_DEPTH);
}

static bool
exception_is(VALUE exception, const char *name)
{
    return RTEST(rb_obj_is_kind_of(exception, rb_const_get(rb_mPgconn, rb_intern(name))));
}

static VALUE
exception_describe(VALUE exception)
{
    return rb_funcall(exception, rb_intern("full_message"), 0);
}

bool
fuzz_ruby_call(VALUE (*function)(VALUE), VALUE argument, VALUE *value, const char *const *expected)
{
    int state;

    *value = rb_protect(function, argument, &state);
    if (!state) return true;
    frames_forget();
    *value = rb_errinfo();
    rb_set_errinfo(Qnil);
    for (; expected && *expected; expected++) {
        if (exception_is(*value, *expected)) return false;
    }
    fuzz_ruby_fail("raises %" PRIsVALUE, rb_protect(exception_describe, *value, &state));
}

void
fuzz_ruby_collect(void)
{
    static unsigned runs;

    if (++runs % RUNS_BETWEEN_COLLECTIONS == 0) rb_gc_start();
}

void
fuzz_ruby_fail(const char *format, ...)
{
    va_list arguments;
    VALUE text;

    va_start(arguments, format);
    text = rb_vsprintf(format, arguments);
    va_end(arguments);
    fprintf(stderr, "%.*s\n", (int)RSTRING_LEN(text), RSTRING_PTR(text));
    abort();
}
