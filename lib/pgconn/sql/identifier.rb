# frozen_string_literal: true

module Pgconn
  class SQL
    # A name of a table, a column or anything else, which is quoted as it is.
    # @see Connection#quote_identifier
    class Identifier
      include Composable

      # @return [Array<String>] frozen
      attr_reader :names

      # @param names [Array<String, Symbol>] a name, or its parts, such as "schema", "table"; an Array of them
      #   will do
      # @raise [TypeError] for a name of another class
      # @raise [ArgumentError] for an empty name
      # @raise [DataError] for a NUL byte, and for what isn't valid text
      # @example
      #   Pgconn::SQL::Identifier.new("shop", "Order") # "shop"."Order"
      def initialize(*names)
        names = names.first if names.size == 1 && names.first.is_a?(Array)
        @quoted = QuotedName.of(names).freeze
        @names = names.map { |name| name.to_s.dup.freeze }.freeze
        freeze
      end

      # @return [String]
      def inspect = "#<#{self.class} #{@quoted}>"

      # Adds itself to the text.
      # @api private
      def render(rendering)
        rendering.add_value(@quoted)
      end

      protected

      def fields = names
    end
  end
end
