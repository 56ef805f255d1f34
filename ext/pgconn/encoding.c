#include "encoding.h"
#include "error.h"

/* More than libpq has encodings: 42 in PostgreSQL 15. */
#define PG_ENCODINGS_MAX 64

/* The names that pg_encoding_to_char gives; what is missing here, Ruby has no encoding for. */
static const struct encoding_pair {
    const char *postgresql;
    const char *ruby;
} encoding_pairs[] = {
    {"SQL_ASCII",     "ASCII-8BIT"  },
    {"UTF8",          "UTF-8"       },
    {"EUC_JP",        "EUC-JP"      },
    {"EUC_CN",        "GB2312"      },
    {"EUC_KR",        "EUC-KR"      },
    {"EUC_TW",        "EUC-TW"      },
    {"EUC_JIS_2004",  "EUC-JIS-2004"},
    {"MULE_INTERNAL", "Emacs-Mule"  },
    {"LATIN1",        "ISO-8859-1"  },
    {"LATIN2",        "ISO-8859-2"  },
    {"LATIN3",        "ISO-8859-3"  },
    {"LATIN4",        "ISO-8859-4"  },
    {"LATIN5",        "ISO-8859-9"  },
    {"LATIN6",        "ISO-8859-10" },
    {"LATIN7",        "ISO-8859-13" },
    {"LATIN8",        "ISO-8859-14" },
    {"LATIN9",        "ISO-8859-15" },
    {"LATIN10",       "ISO-8859-16" },
    {"ISO_8859_5",    "ISO-8859-5"  },
    {"ISO_8859_6",    "ISO-8859-6"  },
    {"ISO_8859_7",    "ISO-8859-7"  },
    {"ISO_8859_8",    "ISO-8859-8"  },
    {"WIN866",        "IBM866"      },
    {"WIN874",        "Windows-874" },
    {"WIN1250",       "Windows-1250"},
    {"WIN1251",       "Windows-1251"},
    {"WIN1252",       "Windows-1252"},
    {"WIN1253",       "Windows-1253"},
    {"WIN1254",       "Windows-1254"},
    {"WIN1255",       "Windows-1255"},
    {"WIN1256",       "Windows-1256"},
    {"WIN1257",       "Windows-1257"},
    {"WIN1258",       "Windows-1258"},
    {"KOI8R",         "KOI8-R"      },
    {"KOI8U",         "KOI8-U"      },
    {"SJIS",          "Windows-31J" },
    {"BIG5",          "Big5"        },
    {"GBK",           "GBK"         },
    {"UHC",           "CP949"       },
    {"GB18030",       "GB18030"     },
};

#define ENCODING_PAIRS (sizeof(encoding_pairs) / sizeof(encoding_pairs[0]))

/* Filled once, when the extension loads, and only read from then on: any Ractor may read it. */
static int ruby_indexes[PG_ENCODINGS_MAX];

int
pgconn_encoding_index(int pg_encoding)
{
    if (pg_encoding < 0 || pg_encoding >= PG_ENCODINGS_MAX) {
        return -1;
    }
    return ruby_indexes[pg_encoding];
}

/* A longer name would make libpq write to stderr. */
#define ENCODING_NAME_MAX 63

static int
encoding_from_name(VALUE name)
{
    const char *text = StringValueCStr(name);
    int pg_encoding = strlen(text) > ENCODING_NAME_MAX ? -1 : pg_char_to_encoding(text);

    if (pg_encoding < 0) rb_raise(rb_eArgError, "PostgreSQL has no encoding %+" PRIsVALUE, name);
    if (pgconn_encoding_index(pg_encoding) < 0) {
        rb_raise(rb_eArgError, "Ruby has no encoding like PostgreSQL's %s",
                 pg_encoding_to_char(pg_encoding));
    }
    return pg_encoding;
}

static int
encoding_from_ruby(VALUE encoding)
{
    int index = rb_to_encoding_index(encoding);

    for (int i = 0; i < PG_ENCODINGS_MAX; i++) {
        if (ruby_indexes[i] == index) return i;
    }
    rb_raise(rb_eArgError, "PostgreSQL has no encoding like Ruby's %" PRIsVALUE, encoding);
}

int
pgconn_encoding_get(VALUE name_or_encoding)
{
    VALUE name = rb_check_string_type(name_or_encoding);

    if (!NIL_P(name)) return encoding_from_name(name);
    if (rb_obj_is_kind_of(name_or_encoding, rb_cEncoding)) {
        return encoding_from_ruby(name_or_encoding);
    }
    rb_raise(rb_eTypeError, "client_encoding must be a String or an Encoding, not %" PRIsVALUE,
             rb_obj_class(name_or_encoding));
}

struct transcoding {
    VALUE string;
    rb_encoding *to;
    const char *what;
};

static VALUE
transcoding_run(VALUE argument)
{
    struct transcoding *transcoding = (struct transcoding *)argument;

    return rb_str_encode(transcoding->string, rb_enc_from_encoding(transcoding->to), 0, Qnil);
}

/* Ruby's message names the character: "U+20AC from UTF-8 to ISO-8859-1". */
static VALUE
transcoding_failed(VALUE argument, VALUE error)
{
    struct transcoding *transcoding = (struct transcoding *)argument;

    pgconn_error_raise(rb_ePgconnDataError, "%s can't be sent as %s: %" PRIsVALUE,
                       transcoding->what, rb_enc_name(transcoding->to),
                       rb_funcall(error, rb_intern("message"), 0));
    UNREACHABLE_RETURN(Qnil);
}

static VALUE
string_transcode(VALUE string, int encoding_index, const char *what)
{
    struct transcoding transcoding = {string, rb_enc_from_index(encoding_index), what};

    return rb_rescue2(transcoding_run, (VALUE)&transcoding, transcoding_failed, (VALUE)&transcoding,
                      rb_eEncodingError, (VALUE)0);
}

NORETURN(static void string_raise_broken(VALUE string, const char *what));

static void
string_raise_broken(VALUE string, const char *what)
{
    rb_encoding *encoding = rb_enc_get(string);
    const char *start = RSTRING_PTR(string), *end = RSTRING_END(string), *at = start;
    int length;

    while (at < end && MBCLEN_CHARFOUND_P(length = rb_enc_precise_mbclen(at, end, encoding))) {
        at += MBCLEN_CHARFOUND_LEN(length);
    }
    pgconn_error_raise(rb_ePgconnDataError, "%s isn't valid %s: \"\\x%02X\" at byte %ld", what,
                       rb_enc_name(encoding), at < end ? (unsigned char)*at : 0,
                       (long)(at - start));
}

/* Whether the bytes can go as they are, whatever their meaning. */
static bool
string_is_raw(VALUE string, int from, int to)
{
    int binary = rb_ascii8bit_encindex();

    return from == binary || (to == binary && rb_enc_asciicompat(rb_enc_get(string)));
}

bool
pgconn_encoding_fits(VALUE string, int encoding_index)
{
    int from = rb_enc_get_index(string);

    return string_is_raw(string, from, encoding_index) || rb_enc_str_asciionly_p(string) ||
           (from == encoding_index && rb_enc_str_coderange(string) != ENC_CODERANGE_BROKEN);
}

VALUE
pgconn_encoding_export(VALUE string, int encoding_index, const char *what)
{
    if (pgconn_encoding_fits(string, encoding_index)) return string;
    if (rb_enc_get_index(string) == encoding_index) string_raise_broken(string, what);
    /* SQL_ASCII takes any bytes, but those of UTF-16 are no text for a server. */
    return string_transcode(string,
                            encoding_index == rb_ascii8bit_encindex() ? rb_utf8_encindex()
                                                                      : encoding_index,
                            what);
}

static int
encoding_find(const char *postgresql)
{
    for (size_t i = 0; i < ENCODING_PAIRS; i++) {
        if (strcmp(encoding_pairs[i].postgresql, postgresql) == 0) {
            return rb_enc_find_index(encoding_pairs[i].ruby);
        }
    }
    return -1;
}

/* The numbers are looked up by name, for they are libpq's own affair. */
void
Init_pgconn_encoding(void)
{
    for (int i = 0; i < PG_ENCODINGS_MAX; i++) {
        ruby_indexes[i] = encoding_find(pg_encoding_to_char(i));
    }
}
