# frozen_string_literal: true

module Pgconn
  # Strings in the encoding in which SQL is put together: there no character has bytes that look like a
  # quote or a backslash, unlike in SJIS, BIG5 and GBK.
  # @api private
  module UTF8
    # @param string [String] one in ASCII-8BIT is taken for UTF-8
    # @param what [String] it is, for messages
    # @return [String]
    # @raise [DataError] for what isn't valid text
    def self.text(string, what)
      binary = string.encoding == Encoding::BINARY
      text = binary ? string.dup.force_encoding(Encoding::UTF_8) : string.encode(Encoding::UTF_8)
      return text if text.valid_encoding?

      raise DataError, "#{what} isn't valid UTF-8: #{string.inspect}"
    rescue EncodingError => e
      raise DataError, "#{what} isn't valid #{string.encoding}: #{e.message}"
    end
  end
  private_constant :UTF8
end
