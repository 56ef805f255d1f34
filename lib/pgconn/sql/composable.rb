# frozen_string_literal: true

module Pgconn
  class SQL
    # What SQL can be composed of: {SQL}, {Identifier}, {Literal}, {Placeholder} and {Composed}.
    module Composable
      # @api private
      def self.check(piece)
        return piece if piece.is_a?(Composable)

        raise TypeError, "SQL is composed of pieces, and #{piece.class} is none: make it a " \
                         "Pgconn::SQL::Identifier if it is a name, a Pgconn::SQL::Literal if it is a " \
                         "value, a Pgconn::SQL if it is SQL of your own"
      end

      # @param other [Composable]
      # @return [Composed] this and the other behind it
      # @raise [TypeError] for anything else, Strings too
      def +(other)
        Composed.new(pieces + Composable.check(other).pieces)
      end

      # @param other [Integer] how many times
      # @return [Composed]
      # @raise [TypeError] if it is no Integer
      # @raise [ArgumentError] if it is negative
      # @example
      #   Pgconn::SQL.new(", ").join(Pgconn::SQL::Placeholder.new * 3) # $1, $2, $3
      def *(other)
        raise TypeError, "SQL is repeated an Integer of times, not #{other.class}" unless other.is_a?(Integer)
        raise ArgumentError, "SQL can't be repeated #{other} times" if other.negative?

        Composed.new([self] * other)
      end

      # The text to be executed.
      # @param connection [Connection, Cursor] for which values are quoted
      # @return [String] in UTF-8
      # @raise [TypeError] for anything else
      # @raise [ProgrammingError] if an {Identifier}, a {Literal} or a {Placeholder} stands in quotes or in a
      #   comment of a text, and if a {Placeholder} without a name stands beside a `$1` in a text
      # @raise [DataError] for a value that can't be sent
      def to_sql(connection)
        Rendering.new(connection).render(self)
      end
      alias as_string to_sql

      # @return [Boolean] whether the other is of the same class and made of the same
      def ==(other) = other.instance_of?(self.class) && fields == other.fields

      # @return [Boolean] as `==`, but 1 and 1.0 differ, as in Hash keys
      def eql?(other) = other.instance_of?(self.class) && fields.eql?(other.fields)

      # @return [Integer]
      def hash = [self.class, *fields].hash

      # What it puts into a sum.
      # @api private
      def pieces = [self]
    end
  end
end
