# frozen_string_literal: true

require "spec_helper"
require "set"

# Ranges and multiranges as the server writes them in text and in binary, what Ruby makes of them and sends.
# Most of this needs no server.
RSpec.describe "Pgconn::Codec of ranges" do
  include CodecHelpers

  let(:oids) { Pgconn::Codec.types.invert }

  def self.range(...) = Pgconn::Range.new(...)
  def self.none = Pgconn::Range.empty
  def self.to_pg(value) = Class.new { define_method(:to_pg) { value } }.new

  # The flags of the binary form, then the bounds' bytes behind their length.
  def self.binary(flags, *bounds) = [flags].pack("C") + bounds.map { |bytes| [bytes.bytesize].pack("N") + bytes.b }.join
  def self.int4(number) = [number].pack("N")
  def self.int8(number) = [number].pack("q>")

  def self.multi(*ranges) = ranges.inject([ranges.size].pack("N")) { |bytes, range| bytes + [range.bytesize].pack("N") + range }

  empty = 1
  lower = 2
  upper = 4
  no_lower = 8
  no_upper = 16
  infinity = Float::INFINITY

  # The type, the text, the value, the bytes.
  tables = [
    ["int4range", "empty", none, binary(empty)],
    ["int4range", "[1,5)", range(1, 5), binary(lower, int4(1), int4(5))],
    ["int4range", "(,)", range(nil, nil), binary(no_lower | no_upper)],
    ["int4range", "[1,)", range(1, nil), binary(lower | no_upper, int4(1))],
    ["int4range", "(,5)", range(nil, 5), binary(no_lower, int4(5))],
    ["int4range", "[-2147483648,2147483647)", range(-2**31, 2**31 - 1), binary(lower, int4(-2**31), int4(2**31 - 1))],
    ["int8range", "[-9223372036854775808,9223372036854775807)", range(-2**63, 2**63 - 1), binary(lower, int8(-2**63), int8(2**63 - 1))],
    ["numrange", "[1.5,2]", range(BigDecimal("1.5"), BigDecimal(2), "[]"), binary(lower | upper, "\0\2\0\0\0\0\0\1\0\1\x13\x88", "\0\1\0\0\0\0\0\0\0\2")],
    ["numrange", "(1.5,2)", range(BigDecimal("1.5"), BigDecimal(2), "()"), binary(0, "\0\2\0\0\0\0\0\1\0\1\x13\x88", "\0\1\0\0\0\0\0\0\0\2")],
    ["numrange", "(,2]", range(nil, BigDecimal(2), "(]"), binary(no_lower | upper, "\0\1\0\0\0\0\0\0\0\2")],
    ["numrange", "[2,2]", range(BigDecimal(2), BigDecimal(2), "[]"), binary(lower | upper, *["\0\1\0\0\0\0\0\0\0\2"] * 2)],
    ["daterange", "[2000-01-02,2000-01-03)", range(Date.new(2000, 1, 2, Date::GREGORIAN), Date.new(2000, 1, 3, Date::GREGORIAN)), binary(lower, int4(1), int4(2))],
    ["daterange", "[2000-01-02,infinity)", range(Date.new(2000, 1, 2, Date::GREGORIAN), infinity), binary(lower, int4(1), int4(2**31 - 1))],
    ["tsrange", '["2000-01-01 00:00:01","2000-01-01 00:00:02.5")', range(Time.utc(2000, 1, 1, 0, 0, 1), Time.utc(2000, 1, 1, 0, 0, 2.5)),
     binary(lower, int8(10**6), int8(2_500_000))],
    ["tstzrange", '(-infinity,"2000-01-01 00:00:01+00"]', range(-infinity, Time.utc(2000, 1, 1, 0, 0, 1), "(]"), binary(upper, int8(-2**63), int8(10**6))],
    ["int4multirange", "{}", [], multi],
    ["int4multirange", "{[1,5)}", [range(1, 5)], multi(binary(lower, int4(1), int4(5)))],
    ["int4multirange", "{(,1),[3,5),[7,)}", [range(nil, 1), range(3, 5), range(7, nil)],
     multi(binary(no_lower, int4(1)), binary(lower, int4(3), int4(5)), binary(lower | no_upper, int4(7)))],
    ["int4multirange", "{(,)}", [range(nil, nil)], multi(binary(no_lower | no_upper))],
    ["tstzmultirange", '{["2000-01-01 00:00:01+00",infinity)}', [range(Time.utc(2000, 1, 1, 0, 0, 1), infinity)], multi(binary(lower, int8(10**6), int8(2**63 - 1)))]
  ]

  tables.each do |type, text, value, bytes|
    describe "#{type} #{text}" do
      it "is the same value in both formats, and its binary form" do
        expect(fingerprint(decode(type, text))).to eq(fingerprint(value))
        expect(fingerprint(decode(type, bytes, format: :binary))).to eq(fingerprint(value))
        expect(encode(type, value)).to eq(bytes)
      end

      it "is frozen, and can be shared, where it is a range" do
        [*value].zip([*decode(type, text)], [*decode(type, bytes, format: :binary)]) do |same, *read|
          expect(read).to all(be_frozen).and all(eql(same))
          expect(read.map(&:hash)).to all(eq(same.hash))
        end
      end

      it "is malformed where it ends too early or goes on" do
        text.size.times { |length| expect { decode(type, text[0, length]) }.to raise_error(Pgconn::DataError, /\Amalformed/) }
        expect { decode(type, "#{text} ") }.to raise_error(Pgconn::DataError, /\Amalformed/)
        mutilations(bytes).each { |cut| expect { decode(type, cut, format: :binary) }.to raise_error(Pgconn::DataError, /\Amalformed/) }
      end
    end
  end

  describe "text that is malformed" do
    {
      "int4range" => ["", " ", "[", "[]", "[1]", "[1,2", "1,2)", "[1;2)", "[1,2}", "{1,2)", "[1,2))", "[[1,2)", "[1,2,3)", "[ 1,2)", "[1,2 )", " [1,2)", "[1,2)\0", "[\0,2)",
                      "[x,2)", "[1,x)", "[\"1,2)", "[1\",2)", "[\\1,2)", "[1,\"2\\", "[\"\",2)", "[2147483648,)", "[1.0,2)", "Empty", "EMPTY", "empty ", "(1,2)(3,4)", "NULL"],
      "int4multirange" => ["", "{", "}", "{[1,2)", "[1,2)}", "{[1,2),}", "{,[1,2)}", "{[1,2)[3,4)}", "{[1,2);[3,4)}", "{ }", "{[1,2) }", "{ [1,2)}", "{}}", "{{}}", "{1,2}",
                           "{NULL}", "{\"[1,2)\"}", "empty", "{[1,x)}"]
    }.each do |type, texts|
      texts.each do |text|
        it "raises DataError: #{type} #{text.inspect}" do
          expect { decode(type, text) }.to raise_error(Pgconn::DataError, /\Amalformed (#{type}|int4): "/)
        end
      end
    end
  end

  describe "text with quotes" do
    # As PostgreSQL's range_out writes them, of a type whose subtype is text.
    { '["2000-01-01 00:00:00","2000-01-02 00:00:00")' => range(Time.utc(2000, 1, 1), Time.utc(2000, 1, 2)),
      '["2000-01-01"" 00:00:00",)' => nil, '["2000-01-01\\ 00:00:00",)' => range(Time.utc(2000), nil), '["2000-01-01 00:00:00",infinity]' => range(Time.utc(2000), infinity, "[]") }
      .each do |text, value|
      it "is #{value ? "read" : "malformed where the bound is"}: #{text}" do
        if value then expect(decode("tsrange", text)).to eq(value)
        else expect { decode("tsrange", text) }.to raise_error(Pgconn::DataError, /\Amalformed timestamp: "2000-01-01\\" 00/)
        end
      end
    end
  end

  describe "binary that is malformed" do
    one = binary(lower, int4(1), int4(5))
    { "nothing" => "", "an empty range with bounds" => binary(empty, int4(1), int4(5)), "an empty range with other flags" => binary(empty | lower),
      "a bound of a negative length" => "\2\xFF\xFF\xFF\xFF\0\0\0\4\0\0\0\1", "a bound beyond the end" => "\2\0\0\0\x0F\0\0\0\1", "a bound of another length" => binary(lower, "\0\1", int4(5)),
      "a bound of no length" => binary(lower, "", int4(5)), "a bound too few" => binary(lower, int4(1)), "a bound too many" => binary(lower | no_upper, int4(1), int4(5)),
      "2^31 - 1 bytes of bound" => "\2\x7F\xFF\xFF\xFF\0\0\0\1" }.each do |what, bytes|
      it "raises DataError for #{what}, alone and in a multirange" do
        expect { decode("int4range", bytes.b, format: :binary) }.to raise_error(Pgconn::DataError, /\Amalformed int4(range)?: "/)
        expect { decode("int4multirange", self.class.multi(bytes.b), format: :binary) }.to raise_error(Pgconn::DataError, /\Amalformed int4/)
      end
    end

    { "a negative number of ranges" => [-1].pack("N"), "2^31 - 1 ranges" => [2**31 - 1].pack("N"), "2^31 - 1 ranges, one there" => [2**31 - 1].pack("N") + multi(one)[4..],
      "fewer ranges than are there" => [0].pack("N") + multi(one)[4..], "a range of a negative length" => [1, -1].pack("N*"), "a range beyond the end" => [1, 100].pack("N*") + one }
      .each do |what, bytes|
      it "raises DataError for #{what} in a multirange" do
        expect { decode("int4multirange", bytes, format: :binary) }.to raise_error(Pgconn::DataError, /\Amalformed int4multirange: "/)
      end
    end
  end

  describe "parameters" do
    { 1..5 => range(1, 5, "[]"), 1...5 => range(1, 5), (1..) => range(1, nil), (..5) => range(nil, 5, "(]"), (...5) => range(nil, 5), (nil..nil) => range(nil, nil),
      range(1, to_pg(5)) => range(1, 5), Class.new(Pgconn::Range).new(1, 5) => range(1, 5), range(Pgconn::Typed.new(1, 23), 5) => range(1, 5) }.each do |value, same|
      it "that are #{value.inspect[0, 40]} go as #{same}" do
        expect(encode("int4range", value)).to eq(encode("int4range", same))
      end
    end

    it "that are Ruby's and empty go with their bounds, for the server to say so" do
      expect(encode("int4range", 5...5)).to eq(self.class.binary(lower, *[self.class.int4(5)] * 2))
    end

    it "that are an Array, a Set or a to_pg of ranges go as a multirange" do
      same = encode("int4multirange", [self.class.range(1, 3), self.class.range(5, 7)])
      [[1...3, 5...7], Set[1...3, 5...7], [self.class.to_pg(1...3), 5...7]].each { |value| expect(encode("int4multirange", value)).to eq(same) }
    end

    # What can't be written in binary is written as text: for the server to read, or to refuse.
    { ["int4range", range("1", 5)] => '["1","5")', ["int4range", range(nil, "a\"\\b")] => "(,\"a\\\"\\\\b\")", ["int4range", range(to_pg(nil), 5)] => '[,"5")',
      ["int4multirange", [range("1", 5), none]] => '{["1","5"),empty}', ["int4multirange", [to_pg(range("1", nil))]] => '{["1",)}', ["tstzrange", range(Date.new(2024), nil)] => '["2024-01-01",)' }.each do |(type, value), text|
      it "that have no binary form go as text: #{text}" do
        expect(Pgconn::Codec.encode(oids.fetch(type), value, "UTF-8")).to eq([:text, text])
      end
    end

    { "int4range" => [1..(2**31), range(-2**31 - 1, nil)], "int4multirange" => [[nil], [1], ["[1,2)"], [[1..2]], [1..2, nil], [1..(2**31)], [to_pg(nil)]], "numrange" => [range(Rational(1, 3), nil)],
      "tstzrange" => [range(Time.utc(294_277), nil)] }.each do |type, values|
      values.each do |value|
        it "that no #{type} can be raise DataError: #{value.inspect[0, 40]}" do
          expect { encode(type, value) }.to raise_error(Pgconn::DataError)
        end
      end
    end
  end

  it "are equal to what the server makes of them, in both formats and both ways" do
    connection = connect(autocommit: true, options: "-c TimeZone=UTC")
    ["int4range(1, 5, '[]')", "'empty'::int8range", "numrange(NULL, 1.5, '(]')", "numrange('-Infinity', 'NaN')", "daterange('2024-02-29', 'infinity')", "tsrange('-infinity', NULL, '[]')",
     "tstzrange('2024-02-29 12:00+01', '2024-03-01 12:00+01', '()')", "'{}'::int4multirange", "int4multirange(int4range(NULL, 1), int4range(5, NULL))",
     "datemultirange(daterange('2024-02-29', '2024-03-02'))"].each do |sql|
      oid, text, send = *connection.execute("SELECT a::oid, #{sql}::text, typsend::text FROM (SELECT pg_typeof(#{sql})) x(a), pg_type t WHERE t.oid = a").fetch
      bytes = connection.execute("SELECT #{send}(#{sql})").fetch_value
      value = Pgconn::Codec.decode(oid, bytes, format: :binary)
      expect(fingerprint(Pgconn::Codec.decode(oid, text))).to eq(fingerprint(value))
      expect(connection.execute("SELECT $1 = #{sql}, #{send}($1)", [Pgconn::Typed.new(value, oid)]).fetch).to eq([true, bytes])
    end
  end

  it "hold on to what they make", :gc_stress do
    value = [self.class.range(BigDecimal("1.5"), BigDecimal("2" * 50)), self.class.range(BigDecimal("3e60"), nil)]
    expect(decode("nummultirange", "{[1.5,#{"2" * 50}),[3#{"0" * 60},)}")).to eq(value)
    expect(decode("nummultirange", encode("nummultirange", value), format: :binary)).to eq(value)
  end
end
