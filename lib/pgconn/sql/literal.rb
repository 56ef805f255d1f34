# frozen_string_literal: true

module Pgconn
  class SQL
    # A value that becomes part of the SQL: for statements that take no parameters, such as SET and CREATE.
    # @see Connection#quote_literal
    class Literal
      include Composable

      # @return [Object, nil]
      attr_reader :value

      # @param value [Object, nil] anything that can be a parameter
      def initialize(value)
        @value = value
        freeze
      end

      # @return [String] shows the value
      def inspect = "#<#{self.class} #{value.inspect}>"

      # Adds itself to the text.
      # @api private
      def render(rendering)
        rendering.add_literal(value)
      end

      protected

      def fields = [value]
    end
  end
end
