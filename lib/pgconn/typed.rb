# frozen_string_literal: true

module Pgconn
  # A parameter whose type isn't left to the server.
  #
  # @example An int8 where the server would choose int4
  #   conn.execute("SELECT $1 + $2", [Pgconn::Typed.new(1, 20), 2])
  # @see https://www.postgresql.org/docs/current/catalog-pg-type.html PostgreSQL, "pg_type"
  class Typed
    # The OIDs that there can be; 0 would leave the type to the server.
    OIDS = (1..0xFFFF_FFFF)
    private_constant :OIDS

    # @return [Object, nil] what is sent; nil is NULL of that type
    attr_reader :value

    # @return [Integer] the type's OID
    attr_reader :oid

    # @param value [Object, nil] anything that can be a parameter
    # @param oid [Integer] the type's OID, as in `pg_type` and {Column#type_oid}
    # @raise [TypeError] if oid is no Integer
    # @raise [ArgumentError] if there can't be such an OID
    def initialize(value, oid)
      raise TypeError, "oid must be an Integer, not #{oid.class}" unless oid.is_a?(Integer)
      raise ArgumentError, "oid must be from 1 to 4294967295, not #{oid}" unless OIDS.cover?(oid)

      @value = value
      @oid = oid
      freeze
    end

    # @param other [Object]
    # @return [Boolean] whether it is a Typed with an equal value of the same type
    def ==(other)
      other.is_a?(Typed) && oid == other.oid && value == other.value
    end

    # @param other [Object]
    # @return [Boolean] as {#==}, but 1 and 1.0 differ, as in Hash keys
    def eql?(other)
      other.is_a?(Typed) && oid == other.oid && value.eql?(other.value)
    end

    # @return [Integer]
    def hash = [Typed, oid, value].hash

    # For `in [value, oid]`.
    # @return [Array(Object, Integer)]
    def deconstruct = [value, oid]

    # For `in {value:, oid:}`.
    # @param _names [Array<Symbol>, nil] the keys that the pattern asks for
    # @return [Hash{Symbol => Object}]
    def deconstruct_keys(_names) = { value: value, oid: oid }

    # @return [String]
    def inspect = "#<#{self.class} value=#{value.inspect} oid=#{oid}>"
  end
end
