# frozen_string_literal: true

require "bigdecimal"
require "date"

# The same text for equal values, whatever the driver and its language; canonical.py writes the same.
module Canonical
  module_function

  def text(value)
    case value
    when nil, true, false, Integer then value.inspect
    when Float then format("%.17g", value)
    when BigDecimal then value.to_s("F").delete_suffix(".0")
    when Time then value.getutc.strftime("%FT%T.%6NZ")
    when Date then value.iso8601
    else structure(value)
    end
  end

  # Sequel has classes of its own, which convert themselves, for bytes, arrays and objects.
  def structure(value)
    if value.respond_to?(:to_str) then string(value.to_str)
    elsif value.respond_to?(:to_ary) then "[#{value.to_ary.map { |item| text(item) }.join(",")}]"
    else "{#{value.to_hash.sort.flatten(1).map { |item| text(item) }.join(",")}}"
    end
  end

  # With the length in front no quoting is needed.
  def string(value)
    return "x#{value.unpack1("H*")}" if value.encoding == Encoding::BINARY

    "#{value.bytesize}:#{value}"
  end
end
