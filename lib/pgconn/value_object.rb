# frozen_string_literal: true

module Pgconn
  # What the classes of values have in common: frozen, equal where their fields are, and written by
  # Marshal as their fields.
  # @api private
  module ValueObject
    # @return [Boolean] whether the other is of the same class and has equal fields
    def ==(other) = other.instance_of?(self.class) && fields == other.fields

    # @return [Boolean] as `==`, but 1 and 1.0 differ, as in Hash keys
    def eql?(other) = other.instance_of?(self.class) && fields.eql?(other.fields)

    # @return [Integer]
    def hash = [self.class, *fields].hash

    # @return [String] for people; `to_s` is for PostgreSQL
    def inspect = "#<#{self.class} #{self}>"

    # What Marshal writes.
    # @api private
    def marshal_dump = fields

    # Frozen again, unlike what Marshal makes by itself.
    # @api private
    def marshal_load(values)
      self.fields = values
      freeze
    end
  end
  private_constant :ValueObject
end
