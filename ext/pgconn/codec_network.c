#include "codec.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define CIDR_OID 650
#define MACADDR_OID 829

/* How the server names the families on the wire: its own AF_INET, and that plus one. */
#define FAMILY_IPV4 2
#define FAMILY_IPV6 3

/* The family, the bits of the network, whether it is a cidr, the length of the address. */
#define HEADER_LENGTH 4

#define IPV4_LENGTH 4
#define IPV6_LENGTH 16

#define MACADDR_LENGTH 6
#define MACADDR8_LENGTH 8

static VALUE rb_cPgconnInet, rb_cIPAddr;
static ID id_address, id_prefix, id_ipaddr_prefix;

struct network {
    unsigned char address[IPV6_LENGTH];
    int length; /* of the address, in bytes */
    int prefix; /* the bits of the network */
};

static int
network_family(const struct network *network)
{
    return network->length == IPV4_LENGTH ? AF_INET : AF_INET6;
}

/* Both formats come here, so that the text of an address doesn't depend on the format. */
static VALUE
network_new(const struct network *network)
{
    VALUE value = rb_obj_alloc(rb_cPgconnInet);
    char text[INET6_ADDRSTRLEN] = "";

    inet_ntop(network_family(network), network->address, text, sizeof(text));
    rb_ivar_set(value, id_address, rb_obj_freeze(rb_utf8_str_new_cstr(text)));
    rb_ivar_set(value, id_prefix, INT2FIX(network->prefix));
    return rb_obj_freeze(value);
}

/* Reads an address alone, in its usual notations; the prefix is that of the whole address. */
static bool
address_parse(const char *data, size_t length, struct network *network)
{
    char text[INET6_ADDRSTRLEN];

    if (length >= sizeof(text) || memchr(data, '\0', length)) return false;
    memcpy(text, data, length);
    text[length] = '\0';
    network->length = memchr(text, ':', length) ? IPV6_LENGTH : IPV4_LENGTH;
    network->prefix = network->length * CHAR_BIT;
    return inet_pton(network_family(network), text, network->address) == 1;
}

/* Reads the digits behind the slash. */
static bool
prefix_parse(struct pgconn_reader *reader, struct network *network)
{
    int64_t prefix;

    if (!pgconn_reader_take_digits(reader, 1, 3, &prefix)) return false;
    if (!pgconn_reader_at_end(reader) || prefix > network->prefix) return false;
    network->prefix = (int)prefix;
    return true;
}

/* A cidr always has its prefix, an inet only where it isn't the whole address. */
static bool
network_parse(struct pgconn_input input, bool prefix_needed, struct network *network)
{
    struct pgconn_reader reader = {input.data, input.data + input.length};
    const char *slash = memchr(input.data, '/', (size_t)input.length);

    if (!slash) {
        return !prefix_needed && address_parse(input.data, (size_t)input.length, network);
    }
    if (!address_parse(input.data, (size_t)(slash - input.data), network)) return false;
    reader.at = slash + 1;
    return prefix_parse(&reader, network);
}

static VALUE
network_decode(const struct pgconn_codec *codec, struct pgconn_input input)
{
    struct network network;

    if (!network_parse(input, codec->oid == CIDR_OID, &network)) {
        pgconn_codec_raise_malformed(codec, input);
    }
    return network_new(&network);
}

/* The third byte says what the type says, too; the server itself doesn't look at it. */
static bool
network_unpack(struct pgconn_input input, struct network *network)
{
    const unsigned char *bytes = (const unsigned char *)input.data;

    if (input.length < HEADER_LENGTH) return false;
    if (bytes[0] != FAMILY_IPV4 && bytes[0] != FAMILY_IPV6) return false;
    network->length = bytes[0] == FAMILY_IPV4 ? IPV4_LENGTH : IPV6_LENGTH;
    network->prefix = bytes[1];
    if (network->prefix > network->length * CHAR_BIT || bytes[3] != network->length) return false;
    if (input.length != HEADER_LENGTH + network->length) return false;
    memcpy(network->address, bytes + HEADER_LENGTH, (size_t)network->length);
    return true;
}

static VALUE
network_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    struct network network;

    if (!network_unpack(input, &network)) pgconn_codec_raise_malformed(codec, input);
    return network_new(&network);
}

/* The parts of an Inet or an IPAddr. What isn't an address (one with a zone) isn't ours. */
static bool
network_get(VALUE address, VALUE prefix, struct network *network)
{
    int bits;

    if (!RB_TYPE_P(address, T_STRING) || !FIXNUM_P(prefix)) return false;
    if (!address_parse(RSTRING_PTR(address), (size_t)RSTRING_LEN(address), network)) return false;
    bits = FIX2INT(prefix);
    if (bits < 0 || bits > network->prefix) return false;
    network->prefix = bits;
    RB_GC_GUARD(address);
    return true;
}

static bool
network_of(VALUE value, struct network *network)
{
    if (RTEST(rb_obj_is_kind_of(value, rb_cPgconnInet))) {
        return network_get(rb_ivar_get(value, id_address), rb_ivar_get(value, id_prefix), network);
    }
    if (RTEST(rb_obj_is_kind_of(value, rb_cIPAddr))) {
        return network_get(rb_obj_as_string(value), rb_funcallv(value, id_ipaddr_prefix, 0, 0),
                           network);
    }
    return false;
}

/* Whether a bit behind the prefix is set. */
static bool
network_has_host(const struct network *network)
{
    for (int bit = network->prefix; bit < network->length * CHAR_BIT; bit++) {
        if (network->address[bit / CHAR_BIT] & 0x80 >> bit % CHAR_BIT) return true;
    }
    return false;
}

/* A host is no cidr: the server says so best when it gets the text. */
static bool
network_encode(const struct pgconn_codec *codec, VALUE value, struct pgconn_output *output)
{
    bool cidr = codec->oid == CIDR_OID;
    struct network network;

    if (!network_of(value, &network) || (cidr && network_has_host(&network))) return false;
    pgconn_buffer_append_byte(output->bytes,
                              network.length == IPV4_LENGTH ? FAMILY_IPV4 : FAMILY_IPV6);
    pgconn_buffer_append_byte(output->bytes, (char)network.prefix);
    pgconn_buffer_append_byte(output->bytes, cidr);
    pgconn_buffer_append_byte(output->bytes, (char)network.length);
    pgconn_buffer_append(output->bytes, (const char *)network.address, (size_t)network.length);
    return true;
}

static int
macaddr_length(const struct pgconn_codec *codec)
{
    return codec->oid == MACADDR_OID ? MACADDR_LENGTH : MACADDR8_LENGTH;
}

/* Pairs of digits with a colon between them, as the server writes them. */
static bool
macaddr_is_text(struct pgconn_input input)
{
    for (int i = 0; i < input.length; i++) {
        bool digit = ISDIGIT(input.data[i]) || (input.data[i] >= 'a' && input.data[i] <= 'f');

        if (i % 3 == 2 ? input.data[i] != ':' : !digit) return false;
    }
    return true;
}

static VALUE
macaddr_new(const char *text, int length, int encoding_index)
{
    return rb_enc_str_new(text, length, rb_enc_from_index(encoding_index));
}

static VALUE
macaddr_decode(const struct pgconn_codec *codec, struct pgconn_input input)
{
    if (input.length != macaddr_length(codec) * 3 - 1 || !macaddr_is_text(input)) {
        pgconn_codec_raise_malformed(codec, input);
    }
    return macaddr_new(input.data, input.length, input.encoding_index);
}

static VALUE
macaddr_decode_binary(const struct pgconn_codec *codec, struct pgconn_input input)
{
    static const char digits[] = "0123456789abcdef";
    char text[MACADDR8_LENGTH * 3], *at = text;

    if (input.length != macaddr_length(codec)) pgconn_codec_raise_malformed(codec, input);
    for (int i = 0; i < input.length; i++) {
        unsigned char byte = (unsigned char)input.data[i];

        *at++ = digits[byte >> 4];
        *at++ = digits[byte & 15];
        *at++ = ':';
    }
    return macaddr_new(text, input.length * 3 - 1, input.encoding_index);
}

const struct pgconn_codec pgconn_codec_network[] = {
    {.oid = CIDR_OID,
     .name = "cidr",
     .decode_text = network_decode,
     .decode_binary = network_decode_binary,
     .encode_binary = network_encode},
    {.oid = 774,
     .name = "macaddr8",
     .decode_text = macaddr_decode,
     .decode_binary = macaddr_decode_binary},
    {.oid = MACADDR_OID,
     .name = "macaddr",
     .decode_text = macaddr_decode,
     .decode_binary = macaddr_decode_binary},
    {.oid = 869,
     .name = "inet",
     .decode_text = network_decode,
     .decode_binary = network_decode_binary,
     .encode_binary = network_encode},
    {.oid = 0  },
};

void
pgconn_codec_network_init(void)
{
    rb_cPgconnInet = rb_path2class("Pgconn::Inet");
    rb_cIPAddr = rb_path2class("IPAddr");
    rb_gc_register_mark_object(rb_cPgconnInet);
    rb_gc_register_mark_object(rb_cIPAddr);
    id_address = rb_intern("@address");
    id_prefix = rb_intern("@prefix");
    id_ipaddr_prefix = rb_intern("prefix");
}
