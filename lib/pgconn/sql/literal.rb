# frozen_string_literal: true

module Pgconn
  class SQL
    # A value that becomes part of the SQL: for statements that take no parameters, such as SET and CREATE.
    # @see Connection#quote_literal
    class Literal
      include Composable

      # @return [Object, nil]
      attr_reader :value

      # @param value [Object, nil] anything that can be a parameter. Strings, Arrays, Hashes and Sets are
      #   copied and frozen, with those in them; others shall not change
      def initialize(value)
        @value = frozen_copy(value, {}.compare_by_identity)
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

      private

      def frozen_copy(value, copies)
        case value
        when String then value.frozen? ? value : value.dup.freeze
        when Array, Hash, Set then copies[value] || frozen_container(value, copies)
        else value
        end
      end

      # It may hold itself: its copy is known before it is filled.
      def frozen_container(container, copies)
        copy = copies[container] = container.dup.clear
        if container.is_a?(Hash)
          container.each { |key, value| copy[frozen_copy(key, copies)] = frozen_copy(value, copies) }
        else
          container.each { |value| copy << frozen_copy(value, copies) }
        end
        copy.freeze
      end
    end
  end
end
