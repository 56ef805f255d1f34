# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Pgconn::Connection#quote_literal" do
  let(:connection) { connect(autocommit: true) }

  # What the server makes of the value's literal, read as the type.
  def read_back(value, type, on: connection)
    on.execute("SELECT #{on.quote_literal(value)}::#{type}").fetch_value
  end

  time = Time.utc(2024, 2, 29, 12, 30, 15, 123_456)
  strings = ["", "a", "O'Reilly", "''", "back\\slash", "\\", "\\'", "'\\", "\\\\'; DROP TABLE users; --",
             "'; DROP TABLE users; --", "{}", "$1", ":a", "%s", "a\nb\t", "grüße, 世界 \u{1F600}", "E'x'", "--", "/*"]
  values = {
    nil => "int4", true => "bool", false => "bool",
    0 => "int4", 42 => "int8", -42 => "int4", -(2**15) => "int2", -(2**63) => "int8", 2**63 - 1 => "int8",
    10**40 => "numeric", 1.5 => "float8", -1.5 => "float4", 0.1 => "float8", 5e-324 => "float8", 1.7976931348623157e308 => "float8",
    Float::INFINITY => "float8", -Float::INFINITY => "float8",
    BigDecimal("-123456789.987654321") => "numeric", BigDecimal("Infinity") => "numeric", Rational(3, 4) => "numeric",
    Date.new(2024, 2, 29) => "date", Date.new(-43, 3, 15) => "date", time => "timestamptz",
    Pgconn::Interval.new(months: 14, days: -3, microseconds: 1) => "interval",
    Pgconn::TimeOfDay.new(13, 14, 15) => "time",
    Pgconn::Inet.new("10.1.2.3", 8) => "inet",
    "\x00\xFF'\\".b => "bytea", "".b => "bytea",
    [1, nil, -3] => "int4[]", [] => "text[]", ["a'b", "c\\d", "e\"f", nil, "NULL", "{,}"] => "text[]", [[1, 2], [3, 4]] => "int8[]",
    { "a" => [1, nil, "it's \\ \"x\""], "b" => { "c" => true } } => "jsonb", {} => "json",
    Pgconn::Range.new(1, 5) => "int4range", Pgconn::Range.new(nil, nil, "()") => "int8range"
  }

  it "writes every value so that the server reads it as the same value", :gc_stress do
    values.each { |value, type| expect(read_back(value, type)).to eq(value), "#{value.inspect} as #{type}" }
  end

  it "writes every String so that the server reads the same, be standard_conforming_strings on or off" do
    %w[on off].each do |setting|
      connection.execute("SET standard_conforming_strings = #{setting}")
      strings.each { |string| expect(read_back(string, "text")).to eq(string), "#{string.inspect}, #{setting}" }
      connection.execute("SELECT #{connection.quote_literal("\x00\\'".b)}")
    end
    expect(connection.notices).to eq([]) # such as "nonstandard use of \\ in a string literal"
  end

  it "writes NULL, true, false and numbers as they are, negative ones in parentheses" do
    literals = [nil, true, false, 7, 1.5, BigDecimal("2.50"), Rational(1, 4)].map { |value| connection.quote_literal(value) }
    expect(literals).to eq(%w[NULL true false 7 1.5 2.5 0.25])
    expect(connection.quote_literal(-7)).to eq("(-7)")
    expect(connection.quote_literal(-0.5)).to eq("(-0.5)")
  end

  it "lets no sign make a comment of another minus, nor be torn from its number by a cast" do
    expect(connection.execute("SELECT 1 -#{connection.quote_literal(-7)}").fetch_value).to eq(8)
    expect(read_back(-7, "text")).to eq("-7")
  end

  it "keeps the sign of a negative zero, and reads NaN as such" do
    expect(1 / read_back(-0.0, "float8")).to eq(-Float::INFINITY)
    expect(read_back(Float::NAN, "float8")).to be_nan
    expect(read_back(BigDecimal("NaN"), "numeric")).to be_nan
  end

  it "writes a String as the very text between quotes" do
    expect(connection.quote_literal("O'Reilly")).to eq("'O''Reilly'")
    expect(connection.quote_literal(:kind)).to eq("'kind'")
    expect(connection.quote_literal("a\\'b")).to eq(" E'a\\\\''b'")
  end

  it "gives values of classes with one type that very type, wherever they stand" do
    [Date.new(2024, 2, 29), Pgconn::Interval.new(days: 3), "\x01\\".b, Float::INFINITY, BigDecimal("Infinity")].each do |value|
      expect(connection.execute("SELECT #{connection.quote_literal(value)}").fetch_value).to eq(value)
    end
  end

  it "means the same Time where a timestamp is wanted, whatever the session's time zone" do
    connection.execute("SET TimeZone = 'America/New_York'")
    connection.execute("CREATE TEMP TABLE moments (plain timestamp, zoned timestamptz)")
    literal = connection.quote_literal(time)
    connection.execute("INSERT INTO moments VALUES (#{literal}, #{literal})")
    expect(connection.execute("TABLE moments").fetch).to eq([time, time])
  end

  it "casts what is in a Pgconn::Typed to its type" do
    typed = { Pgconn::Typed.new(nil, 23) => nil, Pgconn::Typed.new(-5, 20) => -5, Pgconn::Typed.new("5", 1700) => BigDecimal(5),
              Pgconn::Typed.new([1.5, nil], 1022) => [1.5, nil], Pgconn::Typed.new(Float::INFINITY, 1082) => Float::INFINITY,
              Pgconn::Typed.new("raw \\".b, 17) => "raw \\".b, Pgconn::Typed.new("x", 18) => "x", Pgconn::Typed.new(%w[ab c], 1014) => %w[ab c],
              Pgconn::Typed.new("101", 1560) => "101", Pgconn::Typed.new([{ "a" => 1 }], 3807) => [{ "a" => 1 }] }
    typed.each do |value, expected|
      expect(connection.execute("SELECT #{connection.quote_literal(value)}").fetch_value).to eq(expected), value.inspect
    end
  end

  it "writes DateTime, Set and Symbol as the Time, the Array and the String that they come back as" do
    expect(read_back(DateTime.new(2024, 2, 29, 12, 30, 15), "timestamptz")).to eq(Time.utc(2024, 2, 29, 12, 30, 15))
    expect(read_back(Set[1, 2], "int4[]")).to eq([1, 2])
    expect(read_back(:a, "text")).to eq("a")
  end

  it "writes what to_pg gives, and durations" do
    money = Struct.new(:cents) { def to_pg = BigDecimal(cents) / 100 }
    duration = Class.new { def iso8601 = "P1DT2H" }.new
    expect(connection.quote_literal(money.new(1250))).to eq("12.5")
    expect(read_back(duration, "interval")).to eq(Pgconn::Interval.new(days: 1, microseconds: 7_200_000_000))
  end

  it "uses the encoders of registered types" do
    connection.execute("CREATE TYPE pg_temp.pair AS (a int, b text)")
    connection.types.register_composite("pair")
    oid = connection.execute("SELECT 'pg_temp.pair'::regtype::oid").fetch_value
    literal = connection.quote_literal(Pgconn::Typed.new([1, "it's \\"], oid))
    expect(connection.execute("SELECT #{literal}::pg_temp.pair").fetch_value.to_a).to eq([1, "it's \\"])
  end

  describe "with the client encodings whose characters have bytes like quotes and backslashes" do
    { "SJIS" => %w[表ソ能 Windows-31J], "GBK" => %w[誠乗 GBK], "BIG5" => %w[功許蓋 Big5], "UHC" => %w[한글 CP949] }.each do |name, (text, encoding)|
      it "reads the same in #{name}" do
        other = connect(client_encoding: name, autocommit: true)
        [text, "#{text}\\", "#{text}'", text.encode(encoding)].each do |string|
          expect(read_back(string, "text", on: other).encode("UTF-8")).to eq(string.encode("UTF-8"))
        end
      end

      it "lets no broken character take the closing quote in #{name}" do
        other = connect(client_encoding: name, autocommit: true)
        lead = text.encode(encoding).byteslice(0, 1)
        [lead.dup.force_encoding(encoding), lead.dup.force_encoding("UTF-8"), Pgconn::Typed.new(lead.b, 25)].each do |broken|
          expect { other.quote_literal(broken) }.to raise_error(Pgconn::DataError, /valid|incomplete/)
        end
      end
    end

    it "keeps bytes that aren't UTF-8 with SQL_ASCII, where any are text" do
      other = connect(client_encoding: "SQL_ASCII", autocommit: true)
      literal = other.quote_literal("\xE9'".dup.force_encoding("ISO-8859-1"))
      expect(literal.b).to eq("'\xE9'''".b)
      expect(other.quote_literal("é")).to eq("'é'")
    end
  end

  it "raises DataError for what can't be sent" do
    ["a\0b", "a\xFF", :"a\x00", Object.new, Rational(1, 3), ["a\0b"], { "a" => Float::NAN }, [{}], Struct.new(:a).new(1)].each do |value|
      expect { connection.quote_literal(value) }.to raise_error(Pgconn::DataError), value.inspect
    end
  end

  it "raises what a value's own method raises" do
    value = Class.new { def to_pg = raise(IOError, "no value") }.new
    expect { connection.quote_literal(value) }.to raise_error(IOError, "no value")
  end

  it "needs no answer of the server, and works once the connection is closed" do
    connection.close
    expect(connection.quote_literal("a'b")).to eq("'a''b'")
  end
end
