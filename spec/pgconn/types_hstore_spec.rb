# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::Types, "#register_hstore" do
  include RegisteredTypes
  include CodecHelpers

  define_types("CREATE EXTENSION hstore", "CREATE DOMAIN labels AS hstore", "CREATE TYPE thing AS (name text, labels labels, more hstore)",
               "CREATE TYPE priced AS (labels labels, prices money[])")

  let(:connection) { connect_typed }
  let(:types) { connection.types }
  let(:values) do
    [{}, { "a" => "b" }, { "a" => nil }, { "" => "" }, { "NULL" => "NULL", "null" => nil }, { 'q"' => "b\\s", "c,=>" => "a, \"b\"=>", " " => "\n" },
     { "größe" => "€", "1" => "2" }, Array.new(300) { |i| ["key #{i}", i.even? ? "v" * i : nil] }.to_h]
  end

  it "gives Hashes of Strings" do
    types.register_hstore
    values.each { |value| expect_thrice("hstore", value) }
    expect_thrice("hstore", nil)
    expect_thrice("hstore[]", [values, [nil] * values.size])
  end

  # With all that the other kinds of types have.
  it "loses nothing to the garbage collector, within a composite whose attribute has a decoder", :gc_stress do
    types.register_hstore
    types.register("money", decoder: ->(text) { text.delete("$").to_sym }, encoder: :to_s.to_proc,
                            binary_decoder: ->(bytes) { format("%.2f", bytes.unpack1("q>")/100r).to_sym })
    priced = types.register_composite("priced")
    expect_thrice("priced[]", [priced.new({ "größe" => 'q"', "a" => nil }, [:"1.50", nil]), nil])
  end

  it "goes in binary both ways" do
    sql = "SELECT $1::hstore, ARRAY[$1::hstore]"
    expect(binary_at_last(sql, [{ "a" => nil }]) { |types| types.register_hstore("registered.hstore") }).to eq([true, true])
    expect(binary_at_last("SELECT 'a=>1'::hstore") { nil }).to eq([false, false])
  end

  it "takes Symbols as keys, and values by their text" do
    types.register_hstore
    expect_thrice("hstore", { a: 1, "b" => 1.5, c: true, d: :e, f: nil, g: Date.new(2024, 2, 29), h: BigDecimal("1.50") },
                  { "a" => "1", "b" => "1.5", "c" => "true", "d" => "e", "f" => nil, "g" => "2024-02-29", "h" => "1.5" })
    expect_thrice("hstore", { a: "1" }, { "a" => "1" })
    expect_thrice("hstore", "a=>1, b=>NULL", { "a" => "1", "b" => nil })
  end

  it "refuses other keys, a key that is there twice, and values that no text stands for" do
    types.register_hstore
    { { 1 => "a" } => /the key 1 is neither/, { nil => "a" } => /the key nil/, { :a => "1", "a" => "2" } => /the key :a is there as a String/,
      { "a" => Object.new } => /Object/, { "a" => { "b" => "c" } } => /Hash/, { "a" => "\0" } => /NUL/, { "a\0" => 1 } => /NUL/ }.each do |value, message|
      3.times { expect { connection.execute("SELECT $1::hstore", [value]) }.to raise_error(Pgconn::DataError, message) }
    end
    expect_thrice("hstore", { "a" => "1" })
  end

  it "may be in composites, and below a domain" do
    types.register_hstore
    types.register_hstore("labels")
    thing = types.register_composite("thing")
    expect_thrice("thing", thing.new("x", { "a" => 'b"' }, { "c" => nil }))
    expect_thrice("labels[]", [{ "a" => "b" }, nil])
    expect(binary_at_last("SELECT $1::thing", [{ more: { "a" => "1" } }]) { |types| [types.register_hstore, types.register_composite("thing")] })
      .to eq([true, true])
  end

  # hstore_send writes lengths that are wrong where the server converts what they belong to.
  it "comes as text where the client encoding isn't the database's" do
    types.register_hstore
    thing = types.register_composite("thing")
    value = { "größe" => "ü" }
    latin = { "größe".encode("ISO-8859-1") => "ü".encode("ISO-8859-1") }
    expect_thrice("hstore", value)
    connection.execute("SET client_encoding = LATIN1")
    expect_thrice("hstore", value, latin)
    expect_thrice("hstore[]", [value], [latin])
    expect_thrice("thing", { more: value }, thing.new(nil, nil, latin))
    connection.execute("SET client_encoding = UTF8")
    expect_thrice("hstore", value)
  end

  it "comes as text from a database in another encoding" do
    observer.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    latin = connect(server.conninfo(dbname: "latin"), autocommit: true)
    latin.execute("CREATE EXTENSION hstore")
    latin.types.register_hstore
    expect(Array.new(4) { latin.execute("SELECT $1::hstore", [{ "größe" => "ü" }]).fetch_value }).to all(eq({ "größe" => "ü" }))
  ensure
    latin&.close
    observer.execute("DROP DATABASE latin")
  end

  describe "malformed values" do
    let(:type) { types.register_hstore || connection.execute("SELECT 'hstore'::regtype::oid").fetch_value }

    def decode(bytes, format)
      types.registry.__send__(:decode, type, bytes, format)
    end

    # Each a String, nil, or a number to stand for a length.
    def binary(count, *parts)
      parts.reduce([count].pack("N")) do |bytes, part|
        length = part.is_a?(Integer) ? part : part&.bytesize || -1
        bytes << [length].pack("l>") << (part.is_a?(String) ? part.b : "")
      end.force_encoding(Encoding::UTF_8)
    end

    it "are told from good ones" do
      expect(decode(binary(2, "a", nil, "ü", "b"), :binary)).to eq("a" => nil, "ü" => "b")
      expect(decode('"a"=>NULL, "ü"=>"b"', :text)).to eq("a" => nil, "ü" => "b")
    end

    it "in binary raise DataError" do
      good = binary(1, "ab", "cd")
      wrong = [binary(2, "a", "b"), binary(0, "a", "b"), binary(1, nil, "a"), binary(1, "a", -2), binary(1, -2), binary(1, "a", 2**31 - 1), binary(2**31 - 1, "a", "b"),
               binary(2**31), binary(2**32 - 1), *mutilations(good)]
      wrong.each { |bytes| expect { decode(bytes, :binary) }.to raise_error(Pgconn::DataError), bytes.inspect }
    end

    it "as text raise DataError" do
      [" ", ",", '"a"', '"a"=', '"a"=>', '"a"=>"', '"a"=>"b', '"a"=>"b\\', '"a"=>b', 'a=>"b"', '"a"=>null', 'NULL=>"a"', '"a">"b"', '"a" => "b"', '"a"=>"b",',
       '"a"=>"b", ', '"a"=>"b","c"=>"d"', '"a"=>"b" ', '"a"=>"b"x', '"a"=>NULLx', "\"a\"=>\"b\"\0", '"' * 100_000, "\"#{"\\" * 100_000}"].each do |text|
        expect { decode(text, :text) }.to raise_error(Pgconn::DataError), text[0, 30].inspect
      end
    end
  end
end
