# frozen_string_literal: true

require "spec_helper"
require "bigdecimal"
require "date"

RSpec.describe "Values" do
  let(:connection) { connect }

  # Whether both are of one class and the same, where == is too kind: NaN, zero's sign, 1 and 1.0.
  def same?(one, other)
    return false unless one.instance_of?(other.class)

    case one
    when Float then [one].pack("G") == [other].pack("G")
    when BigDecimal then one.nan? ? other.nan? : one == other && one.sign == other.sign
    when String then one == other && one.encoding == other.encoding
    when Time then one == other && one.utc_offset == other.utc_offset
    else one == other
    end
  end

  def self.day(year, month, day) = Date.new(year, month, day, Date::GREGORIAN)
  def self.decimal(text) = BigDecimal(text)

  infinity = Float::INFINITY

  # The type, the server's literal, Ruby's value.
  values = [
    ["bool", "true", true],
    ["bool", "false", false],
    ["int2", "-32768", -32_768],
    ["int2", "32767", 32_767],
    ["int4", "-2147483648", -2_147_483_648],
    ["int4", "2147483647", 2_147_483_647],
    ["int8", "-9223372036854775808", -(2**63)],
    ["int8", "9223372036854775807", 2**63 - 1],
    ["int8", "0", 0],
    ["oid", "4294967295", 2**32 - 1],
    ["oid", "2147483648", 2**31],
    ["float8", "0.1", 0.1],
    ["float8", "-0", -0.0],
    ["float8", "1.7976931348623157e308", Float::MAX],
    ["float8", "5e-324", 5e-324],
    ["float8", "2.2250738585072014e-308", Float::MIN],
    ["float8", "NaN", Float::NAN],
    ["float8", "Infinity", infinity],
    ["float8", "-Infinity", -infinity],
    ["float4", "0.1", 0.1],
    ["float4", "3.4028235e38", 3.4028235e38],
    ["float4", "1e-45", 1e-45],
    ["float4", "NaN", Float::NAN],
    ["float4", "-Infinity", -infinity],
    ["numeric", "0", decimal("0")],
    ["numeric", "-1.50", decimal("-1.5")],
    ["numeric", "1e-1000", decimal("1e-1000")],
    ["numeric", "1e1000", decimal("1e1000")],
    ["numeric", "123456789012345678901234567890.123456789012345678901234567890",
     decimal("123456789012345678901234567890.12345678901234567890123456789")],
    ["numeric", "9223372036854775808", decimal("9223372036854775808")],
    ["numeric", "NaN", decimal("NaN")],
    ["numeric", "Infinity", decimal("Infinity")],
    ["numeric", "-Infinity", decimal("-Infinity")],
    ["text", "", ""],
    ["text", "grüße, 世界 \u{1F418}", "grüße, 世界 \u{1F418}"],
    ["text", "a\\b\"c'd\te\nf", "a\\b\"c'd\te\nf"],
    ["varchar", "abc ", "abc "],
    ["varchar(3)", "abc", "abc"],
    ["char(5)", "abc", "abc  "],
    ["name", "pg_class", "pg_class"],
    ['"char"', "x", "x"],
    ["date", "2024-02-29", day(2024, 2, 29)],
    ["date", "1970-01-01", day(1970, 1, 1)],
    ["date", "1582-10-10", day(1582, 10, 10)],
    ["date", "0001-01-01", day(1, 1, 1)],
    ["date", "0044-03-15 BC", day(-43, 3, 15)],
    ["date", "0001-12-31 BC", day(0, 12, 31)],
    ["date", "4714-11-24 BC", day(-4713, 11, 24)],
    ["date", "12345-06-07", day(12_345, 6, 7)],
    ["date", "5874897-12-31", day(5_874_897, 12, 31)],
    ["date", "infinity", infinity],
    ["date", "-infinity", -infinity],
    ["timestamp", "2024-02-29 13:14:15.123456", Time.utc(2024, 2, 29, 13, 14, Rational(15_123_456, 1_000_000))],
    ["timestamp", "1969-12-31 23:59:59.999999", Time.utc(1969, 12, 31, 23, 59, Rational(59_999_999, 1_000_000))],
    ["timestamp", "2000-01-01 00:00:00", Time.utc(2000, 1, 1)],
    ["timestamp", "0044-03-15 12:00:00 BC", Time.utc(-43, 3, 15, 12)],
    ["timestamp", "4714-11-24 00:00:00 BC", Time.utc(-4713, 11, 24)],
    ["timestamp", "294276-12-31 23:59:59.999999", Time.utc(294_276, 12, 31, 23, 59, Rational(59_999_999, 1_000_000))],
    ["timestamp", "infinity", infinity],
    ["timestamp", "-infinity", -infinity],
    ["timestamptz", "2024-02-29 13:14:15.000001+00", Time.utc(2024, 2, 29, 13, 14, Rational(15_000_001, 1_000_000))],
    ["timestamptz", "2024-02-29 13:14:15+05:30", Time.utc(2024, 2, 29, 7, 44, 15)],
    ["timestamptz", "0044-03-15 12:00:00+00 BC", Time.utc(-43, 3, 15, 12)],
    ["timestamptz", "12345-01-01 00:00:00+00", Time.utc(12_345, 1, 1)],
    ["timestamptz", "infinity", infinity],
    ["timestamptz", "-infinity", -infinity],
    ["time", "13:14:15.123456", Pgconn::TimeOfDay.parse("13:14:15.123456")],
    ["time", "24:00:00", Pgconn::TimeOfDay.new(24)],
    ["timetz", "13:14:15-03:30", Pgconn::TimeOfDay.new(13, 14, 15, offset: -12_600)],
    ["timetz", "24:00:00+15:59:59", Pgconn::TimeOfDay.new(24, offset: 57_599)],
    ["interval", "0", Pgconn::Interval.new],
    ["interval", "1 year 2 mons -3 days 04:05:06.789", Pgconn::Interval.parse("P1Y2M-3DT4H5M6.789S")],
    ["interval", "-2147483648 mons -2147483648 days", Pgconn::Interval.new(months: -2**31, days: -2**31)],
    ["uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]
  ].freeze

  values.each do |type, literal, value|
    describe "#{type} #{literal.inspect}" do
      let(:sql_literal) { "'#{literal.gsub("'", "''")}'::#{type}" }

      it "comes as the #{value.class} #{value.inspect}" do
        result = connection.execute("SELECT #{sql_literal}").fetch_value
        expect(same?(result, value)).to be(true), "got #{result.class} #{result.inspect}"
      end

      it "goes from the same and comes back" do
        equal, echoed = *connection.execute("SELECT $1::#{type} = #{sql_literal}, $1::#{type}", [value]).fetch
        expect(equal).to be(true)
        expect(same?(echoed, value)).to be(true), "got #{echoed.class} #{echoed.inspect}"
      end
    end
  end

  %w[bool int2 int4 int8 oid float4 float8 numeric text varchar bpchar name bytea date timestamp timestamptz uuid
     time timetz interval json point].each do |type|
    it "has nil for NULL of type #{type}, both ways" do
      expect(connection.execute("SELECT NULL::#{type}, $1::#{type} IS NULL", [nil]).fetch).to eq([nil, true])
    end
  end

  it "reads all of them in one row, between NULLs", :gc_stress do
    table = GC.stress ? values.each_slice(20).map(&:first) : values
    columns = table.flat_map { |type, literal,| ["'#{literal.gsub("'", "''")}'::#{type}", "NULL::#{type}"] }
    row = connection.execute("SELECT #{columns.join(", ")}").fetch
    expect(row.size).to eq(2 * table.size)
    table.each_with_index do |(_, _, value), index|
      expect(same?(row[2 * index], value)).to be(true), value.inspect
      expect(row[2 * index + 1]).to be_nil
    end
  end

  describe "bytea" do
    let(:bytes) { (0..255).map(&:chr).join.b }
    let(:sql) { "SELECT '\\x#{bytes.unpack1("H*")}'::bytea" }

    %w[hex escape].each do |format|
      it "comes as a String in ASCII-8BIT from the #{format} format" do
        connection.execute("SET bytea_output = #{format}")
        result = connection.execute(sql).fetch_value
        expect(result).to eq(bytes)
        expect(result.encoding).to eq(Encoding::BINARY)
      end
    end

    it "may be empty" do
      expect(connection.execute("SELECT ''::bytea").fetch_value).to eq("".b)
    end
  end

  describe "enums, domains and types that Ruby has nothing for" do
    it "come as the base type's value, or as String" do
      connection.execute("CREATE TYPE mood AS ENUM ('sad', 'häppy')")
      connection.execute("CREATE DOMAIN age AS int CHECK (VALUE >= 0)")
      row = connection.execute("SELECT 'häppy'::mood, 7::age, '(1,2)'::point, '$1.50'::money, B'101'").fetch
      expect(row.to_a).to eq(["häppy", 7, "(1,2)", "$1.50", "101"])
    end

    it "go from text" do
      sql = "SELECT $1::point ~= '(1,2)'::point AND $2::varbit = B'101'"
      expect(connection.execute(sql, ["(1,2)", "101"]).fetch_value).to be(true)
    end
  end
end
