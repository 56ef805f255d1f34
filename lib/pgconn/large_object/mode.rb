# frozen_string_literal: true

module Pgconn
  class LargeObject
    # How a large object is opened: `r`, `w`, `rw` or `n` (not at all), with `b` for bytes or `t` for text.
    #
    # @api private
    class Mode
      PATTERN = /\A(r|w|rw|n)([bt]?)\z/
      # The server's INV_READ and INV_WRITE.
      FLAGS = { "r" => 0x40000, "w" => 0x20000, "rw" => 0x60000 }.freeze
      private_constant :PATTERN, :FLAGS

      # @param mode [String, Symbol]
      # @raise [ArgumentError, TypeError]
      def initialize(mode)
        unless mode.is_a?(String) || mode.is_a?(Symbol)
          raise TypeError, "mode must be a String, not #{mode.class}"
        end

        match = PATTERN.match(mode)
        raise ArgumentError, "mode must be r, w, rw or n, with b or t: not #{mode.inspect}" unless match

        @access = match[1]
        @text = match[2] == "t"
        freeze
      end

      def opens? = @access != "n"

      def writes? = @access.include?("w")

      def text? = @text

      # @return [Integer] for lo_open
      def flags = FLAGS.fetch(@access)

      # @param encoding [Encoding] the client encoding
      # @return [String] what is written for a String
      # @raise [DataError]
      def bytes_of(string, encoding)
        return string if string.encoding == Encoding::BINARY
        return string.b if !text? || encoding == Encoding::BINARY

        string.encode(encoding).b
      rescue EncodingError => e
        raise DataError, "the text can't be written in the client encoding: #{e.message}"
      end

      # @return [String] in full, as "rb" or "rwt"
      def to_s
        return @access unless opens?

        @access + (text? ? "t" : "b")
      end
    end
    private_constant :Mode
  end
end
