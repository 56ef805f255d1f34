# frozen_string_literal: true

module Pgconn
  # One column of a result, as `Cursor#description` tells it. Frozen; can be shared between Ractors.
  #
  # @example
  #   conn.execute("SELECT 1.50::numeric(10,2) AS price").description.first
  #   # => #<Pgconn::Column name="price" type_oid=1700 precision=10 scale=2>
  # @see https://www.postgresql.org/docs/current/libpq-exec.html libpq, "PQfname", "PQfmod"
  class Column
    # OIDs from PostgreSQL's pg_type.dat.
    BPCHAR = 1042
    VARCHAR = 1043
    NUMERIC = 1700
    private_constant :BPCHAR, :VARCHAR, :NUMERIC

    # A type modifier counts the four bytes of a value's header (VARHDRSZ).
    MODIFIER_HEADER = 4
    private_constant :MODIFIER_HEADER

    # @return [String] the column's name or alias
    attr_reader :name

    # @return [Integer] the OID of its type, in pg_type
    attr_reader :type_oid
    alias type_code type_oid

    # @return [Integer, nil] bytes of each value on the server; nil where they vary
    attr_reader :internal_size

    # @return [Integer, nil] digits in all of `numeric(p, s)`, characters of `varchar(n)` and
    #   `char(n)`; nil where nothing limits them, and for other types
    attr_reader :precision

    # @return [Integer, nil] digits after the point of `numeric(p, s)`; negative where it is rounded
    #   to tens, hundreds...
    attr_reader :scale

    # @return [Integer, nil] the OID of the table it comes from; nil for an expression
    attr_reader :table_oid

    # @return [Integer, nil] its number in that table, from 1; nil for an expression
    attr_reader :table_column

    # The parameters are what libpq's PQfname, PQftype, PQfsize, PQfmod, PQftable and PQftablecol
    # give.
    #
    # @param name [String]
    # @param type_oid [Integer]
    # @param internal_size [Integer] negative: it varies
    # @param type_modifier [Integer] -1: none
    # @param table_oid [Integer] 0: none
    # @param table_column [Integer] 0: none
    def initialize(name:, type_oid:, internal_size: -1, type_modifier: -1, table_oid: 0,
                   table_column: 0)
      @name = String.new(name).freeze
      @type_oid = type_oid
      @internal_size = internal_size unless internal_size.negative?
      @precision, @scale = limits(type_modifier - MODIFIER_HEADER)
      @table_oid = table_oid unless table_oid.zero?
      @table_column = table_column unless table_column.zero?
      freeze
    end

    # @return [Hash{Symbol => Object}]
    def to_h
      { name: name, type_oid: type_oid, internal_size: internal_size, precision: precision,
        scale: scale, table_oid: table_oid, table_column: table_column }
    end

    # For pattern matching.
    # @return [Hash{Symbol => Object}]
    def deconstruct_keys(_names) = to_h

    # @return [Boolean] whether the other says the same
    def ==(other) = other.instance_of?(self.class) && to_h == other.to_h
    alias eql? ==

    # @return [Integer]
    def hash = to_h.hash

    # @return [String]
    def inspect
      shown = to_h.slice(:name, :type_oid, :precision, :scale).compact
      "#<#{self.class} #{shown.map { |key, value| "#{key}=#{value.inspect}" }.join(" ")}>"
    end

    # What Marshal writes.
    # @api private
    def marshal_dump = to_h

    # Frozen again, unlike what Marshal makes by itself.
    # @api private
    def marshal_load(values)
      values.each { |name, value| instance_variable_set(:"@#{name}", value) }
      @name.freeze
      freeze
    end

    private

    def limits(modifier)
      return if modifier.negative?

      case type_oid
      when NUMERIC then [modifier >> 16, numeric_scale(modifier)]
      when VARCHAR, BPCHAR then [modifier, nil]
      end
    end

    # Eleven bits with a sign since PostgreSQL 15; the scales of older servers, 0 to 1000, read the
    # same.
    def numeric_scale(modifier)
      ((modifier & 0x7ff) ^ 0x400) - 0x400
    end
  end
end
