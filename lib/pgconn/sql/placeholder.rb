# frozen_string_literal: true

module Pgconn
  class SQL
    # A parameter, whose value `execute` is given. One without a name gets the next number when the whole is
    # rendered ($1, $2...), so that it never is another's, whatever is composed; its values go in an Array, in
    # the order of the text. Those of equal names are one parameter (:name); their values go by name.
    class Placeholder
      include Composable

      # What `execute` takes for a name behind its colon.
      NAME = /\A[a-zA-Z_][a-zA-Z0-9_]*\z/
      private_constant :NAME

      # @return [Symbol, nil]
      attr_reader :name

      # @param name [Symbol, String, nil] letters of ASCII, digits and underscores; nil: it gets a number
      # @raise [TypeError, ArgumentError] for anything else. There are none with numbers of their own: two
      #   pieces could mean different values by the same
      def initialize(name = nil)
        @name = check(name)&.to_sym
        freeze
      end

      # @return [String]
      def inspect = "#<#{self.class}#{" :#{name}" if name}>"

      # Adds itself to the text.
      # @api private
      def render(rendering)
        name ? rendering.add_value(":#{name}") : rendering.add_number
      end

      protected

      def fields = [name]

      private

      def check(name)
        return if name.nil?
        raise TypeError, "a placeholder has a name or none, not #{name.inspect}" unless
          name.is_a?(Symbol) || name.is_a?(String)
        raise ArgumentError, "a placeholder can't be called #{name.inspect}" unless NAME.match?(name)

        name
      end
    end
  end
end
