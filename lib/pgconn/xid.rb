# frozen_string_literal: true

module Pgconn
  # The identifier of a two-phase transaction, as the XA standard has it: the number of a format, the
  # global transaction and the branch in it. Other programs may have chosen any string instead: that is
  # `gtrid` then, the rest nil. Two are equal if these three are. Frozen; can be shared between Ractors.
  #
  # @example
  #   xid = conn.xid(1, "order 4711", "shop")
  #   xid.to_s              # => "1_b3JkZXIgNDcxMQ==_c2hvcA=="
  #   conn.tpc_recover.each { |xid| puts xid.gtrid, xid.prepared }
  # @see https://www.postgresql.org/docs/current/sql-prepare-transaction.html PREPARE TRANSACTION
  # @see https://pubs.opengroup.org/onlinepubs/009680699/toc.pdf The XA Specification
  class Xid
    include ValueObject

    # What a format_id may be.
    FORMAT_IDS = (0..0x7fff_ffff)
    # How many characters gtrid, and bqual, may have.
    SIZE_MAX = 64
    # The wire form: the parts as Base64, so that they hold no underscore.
    WIRE = /\A(\d+)_([^_]*)_([^_]*)\z/
    # What patterns may ask for.
    KEYS = %i[format_id gtrid bqual prepared owner database].freeze
    private_constant :FORMAT_IDS, :SIZE_MAX, :WIRE, :KEYS

    # @return [Integer, nil] nil where the identifier is of another program's making
    attr_reader :format_id

    # @return [String] the global transaction; or the whole identifier of another program's making
    attr_reader :gtrid

    # @return [String, nil] the branch; nil where the identifier is of another program's making
    attr_reader :bqual

    # @return [Time, nil] when the transaction was prepared; nil but for those of {Connection#tpc_recover}
    attr_reader :prepared

    # @return [String, nil] the role that prepared it; likewise
    attr_reader :owner

    # @return [String, nil] the database that it is in; likewise
    attr_reader :database

    class << self
      # @param text [String] the wire form, or any other identifier
      # @param prepared [Time, nil]
      # @param owner [String, nil]
      # @param database [String, nil]
      # @return [Xid]
      # @raise [TypeError] if text is no String
      # @raise [ArgumentError] if it has a NUL character
      def from_string(text, prepared: nil, owner: nil, database: nil)
        string = String.try_convert(text) or
          raise TypeError, "xid must be a String or an Xid, not #{text.class}"
        string = string.encode(Encoding::UTF_8) unless string.encoding.ascii_compatible?
        raise ArgumentError, "xid can't hold a NUL character" if string.include?("\0")

        parts = parse_wire(string) || [nil, string, nil]
        allocate.tap { |xid| xid.marshal_load([*parts, prepared, owner, database]) }
      end

      alias parse from_string

      private

      # Nil also for what only resembles the wire form: each identifier must be written as it was read.
      def parse_wire(text)
        format_id, *parts = WIRE.match(text)&.captures
        return unless format_id

        parts.map! { |part| part.unpack1("m0").force_encoding(Encoding::UTF_8) }
        xid = new(Integer(format_id, 10), *parts)
        xid.deconstruct if xid.to_s == text
      rescue ArgumentError
        nil
      end
    end

    # @param format_id [Integer] 0 to 2**31 - 1
    # @param gtrid [String] up to 64 printable ASCII characters
    # @param bqual [String] up to 64 printable ASCII characters
    # @raise [ArgumentError, TypeError] that names what is wrong
    def initialize(format_id, gtrid, bqual)
      self.fields = [check_format_id(format_id), check_part("gtrid", gtrid), check_part("bqual", bqual)]
      freeze
    end

    # @return [String] the wire form, `<format_id>_<gtrid>_<bqual>` with the last two as Base64; or what it
    #   was read from
    def to_s = format_id ? [format_id, *[gtrid, bqual].map { |part| [part].pack("m0") }].join("_") : gtrid

    # For `in [format_id, gtrid, bqual]`.
    # @return [Array(Integer, String, String), Array(nil, String, nil)]
    def deconstruct = fields

    # For `in {gtrid:, prepared:}`.
    # @param _names [Array<Symbol>, nil] the keys that the pattern asks for
    # @return [Hash{Symbol => Integer, String, Time, nil}]
    def deconstruct_keys(_names) = KEYS.zip(marshal_dump).to_h

    # What Marshal writes: more than what equality rests on.
    # @api private
    def marshal_dump = [*fields, prepared, owner, database]

    protected

    def fields = [@format_id, @gtrid, @bqual]

    private

    def fields=(values)
      @format_id, @gtrid, @bqual, @prepared, @owner, @database = values.map { |value| value.dup.freeze }
    end

    def check_format_id(format_id)
      raise TypeError, "format_id must be an Integer, not #{format_id.class}" unless format_id.is_a?(Integer)
      return format_id if FORMAT_IDS.cover?(format_id)

      raise ArgumentError, "format_id must be from #{FORMAT_IDS.begin} to #{FORMAT_IDS.end}, not #{format_id}"
    end

    def check_part(name, part)
      raise TypeError, "#{name} must be a String, not #{part.class}" unless part.is_a?(String)
      raise ArgumentError, "#{name} can't have over #{SIZE_MAX} characters" if part.length > SIZE_MAX
      return part if part.ascii_only? && part.match?(/\A[ -~]*\z/)

      raise ArgumentError, "#{name} can have printable ASCII characters only, not #{part.inspect}"
    end
  end
end
