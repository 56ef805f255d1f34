# frozen_string_literal: true

require "bigdecimal"
require "date"

# For specs of codecs. None of it needs a server.
module CodecHelpers
  # Of the types' names in `oids`, which the examples define.
  def decode(type, bytes, format: :text)
    Pgconn::Codec.decode(oids.fetch(type), bytes, format: format)
  end

  # The bytes of the binary form; nil where the value doesn't go in it.
  def encode(type, value, encoding: "UTF-8")
    format, bytes = Pgconn::Codec.encode(oids.fetch(type), value, encoding)
    bytes if format == :binary
  end

  # What tells values apart where == is too kind: 1 and 1.0, 0.0 and -0.0, NaN, a Time's zone, a Date's
  # calendar, a String's encoding.
  def fingerprint(value)
    case value
    when Float then [value.class, [value].pack("G")]
    when BigDecimal then [value.class, value.nan? ? "NaN" : value.to_s, value.sign]
    when Time then [value.class, value.to_r, value.utc?]
    when Date then [value.class, value.jd, value.start]
    when String then [value.class, value, value.encoding]
    when Array then [value.class, value.map { |element| fingerprint(element) }]
    when Pgconn::Range then [value.class, fingerprint(value.deconstruct), value.empty?]
    else [value.class, value]
    end
  end

  # Every proper beginning of a binary value, and what is longer by a byte.
  def mutilations(bytes)
    [*Array.new(bytes.bytesize) { |length| bytes.byteslice(0, length) }, "#{bytes}\0"]
  end
end
