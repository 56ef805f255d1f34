# frozen_string_literal: true

# Types such as a user may have registered, for the fuzzer of decoders. None of them is on a server.
module RegisteredTypes
  # Composites hold all the others, by these OIDs.
  PAIR = 40_001
  PAIRS = 40_002
  HSTORE = 40_003
  MOOD = 40_004
  NEST = 40_005
  PAIR_RANGE = 40_006
  NESTS = 40_007
  INT4 = 23
  TEXT = 25

  class << self
    # @return [Array<Pgconn::Types::Codec>] kept as long as the process
    def codecs
      registry.define { definitions }
      registry.send(:codecs).values
    end

    # Texts and bytes to begin with.
    # @return [Array<Array(Integer, String, String)>] OID, text and bytes
    def samples
      pair = attributes([INT4, [7].pack("N")], [TEXT, 'a"b'])
      hstore = "#{[2].pack("N")}#{value("a")}#{value("b")}#{value("c")}#{value(nil)}"
      [[PAIR, '(7,"a""b\\\\")', pair], [HSTORE, '"a"=>"b", "c"=>NULL', hstore], [MOOD, "sad", "sad"],
       [NEST, '("(7,""a"")",,"""k""=>""v""",sad)',
        attributes([PAIR, pair], [PAIRS, nil], [HSTORE, hstore], [MOOD, "ok"])],
       [PAIRS, '{"(7,a)",NULL}', [1, 1, PAIR, 2, 1].pack("N*") + value(pair) + value(nil)],
       [PAIR_RANGE, '["(1,a)","(2,)")', "\x02".b + value(pair) + value(pair)]]
    end

    private

    def registry = @registry ||= Pgconn::Types::Registry.new

    def definitions
      [*composite(PAIR, PAIRS, x: INT4, y: TEXT), *define(:hstore, HSTORE, options: [true]),
       *define(:text, MOOD), *define(:range, PAIR_RANGE, parts: [[PAIR]]),
       *composite(NEST, NESTS, pair: PAIR, list: PAIRS, labels: HSTORE, mood: MOOD)]
    end

    def composite(oid, array_oid, **attributes)
      type = catalog_type(oid, array_oid, attributes.keys, attributes.values.map { |part| [part] })
      structure = Pgconn::Types.const_get(:Structure).for(type, nil, nil)
      define(:composite, type, parts: type.parts, options: [attributes.values, structure])
    end

    def define(kind, type, **more)
      type = catalog_type(type) if type.is_a?(Integer)
      Pgconn::Types.const_get(:Definition).with_array(kind, type, **more)
    end

    def catalog_type(oid, array_oid = 0, names = [], parts = [])
      type = Pgconn::Types.const_get(:Catalog)::Type
      type.new(oid, "registered #{oid}", nil, array_oid, ",", names.map(&:to_s), parts)
    end

    # Bytes behind their length.
    def value(bytes) = [bytes ? bytes.bytesize : -1].pack("l>") + bytes.to_s.b

    def attributes(*attributes)
      parts = attributes.map { |oid, bytes| [oid].pack("N") + value(bytes) }
      [attributes.size].pack("N") + parts.join
    end
  end
end
