# frozen_string_literal: true

module Pgconn
  # Names as SQL has them in double quotes: as they are, never folded.
  # @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS Identifiers
  # @api private
  module QuotedName
    class << self
      # @param name [String, Symbol, Array<String, Symbol>] a name, or its parts, such as [schema, table]
      # @return [String] in UTF-8
      # @raise [TypeError] for anything else
      # @raise [ArgumentError] for an empty name
      # @raise [DataError] for a NUL byte, and for what isn't valid text
      def of(name)
        parts = name.is_a?(Array) ? name : [name]
        raise ArgumentError, "an identifier can't be empty" if parts.empty?

        parts.map { |part| quote(part) }.join(".")
      end

      private

      def quote(part)
        unless part.is_a?(String) || part.is_a?(Symbol)
          raise TypeError, "an identifier is a String, a Symbol or an Array of them, not #{part.class}"
        end

        text = UTF8.text(part.to_s, "the identifier")
        raise ArgumentError, "an identifier can't be empty" if text.empty?
        raise DataError, "the identifier #{text.inspect} has a NUL byte" if text.include?("\0")

        %("#{text.gsub('"', '""')}")
      end
    end
  end
  private_constant :QuotedName
end
