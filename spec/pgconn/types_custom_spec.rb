# frozen_string_literal: true

require "spec_helper"
require "json"

RSpec.describe Pgconn::Types, "#register" do
  include RegisteredTypes

  define_types("CREATE TYPE mood AS ENUM ('sad', 'ok')", "CREATE DOMAIN price AS numeric(10, 2)",
               "CREATE TYPE moods AS RANGE (subtype = mood)")

  # What no form of values knows.
  sum = Class.new do
    attr_reader :cents

    def initialize(cents)
      @cents = cents
    end

    def ==(other) = other.class == self.class && cents == other.cents
    def self.decode(text) = new((text.delete("$,").to_r * 100).to_i)
    def self.decode_binary(bytes) = new(bytes.unpack1("q>"))
    def encode = format("%.2f", cents/100r)
  end

  let(:connection) { connect_typed }
  let(:types) { connection.types }
  let(:sums) { [sum.new(1250), sum.new(0), sum.new(-99)] }

  define_method(:register_money) do |types, **more|
    types.register("money", decoder: sum.method(:decode), encoder: ->(value) { value.is_a?(sum) ? value.encode : value }, **more)
  end
  define_method(:register_binary_money) { |types| register_money(types, binary_decoder: sum.method(:decode_binary)) }

  it "gives what the decoder makes of the text, and sends what the encoder makes of the value" do
    register_money(types)
    sums.each { |value| expect_thrice("money", value) }
    expect_thrice("money[]", [sums, [nil, sums.last, nil]])
    expect_thrice("money[]", [])
  end

  it "does the same in binary, once there is a decoder for that" do
    register_binary_money(types)
    sums.each { |value| expect_thrice("money", value) }
    expect_thrice("money[]", [sums, [nil, sums.last, nil]])
  end

  it "asks for binary results only where there is a decoder for them" do
    one = ["SELECT 1::money, ARRAY[2]::money[], 3"]
    expect(binary_at_last(*one) { nil }).to eq([false, false])
    expect(binary_at_last(*one) { |types| register_money(types) }).to eq([false, false])
    expect(binary_at_last(*one) { |types| register_binary_money(types) }).to eq([false, true])
  end

  it "gives the decoder the text in the client encoding, and the bytes as such" do
    given = []
    note = ->(value) { given << [value, value.encoding, value.frozen?] && value.size }
    connection.execute("SET client_encoding = LATIN1")
    types.register("text", decoder: note, binary_decoder: note)
    expect_thrice("text", "\u00fc", 1)
    expect(given.uniq).to eq([["\xFC".dup.force_encoding("ISO-8859-1"), Encoding::ISO_8859_1, false], ["\xFC".b, Encoding::BINARY, false]])
  end

  it "leaves NULL alone" do
    types.register("money", decoder: ->(_) { raise "called" }, encoder: ->(_) { raise "called" })
    expect_thrice("money", nil)
    expect_thrice("money[]", [nil, nil])
  end

  it "lets the decoder give what it likes, nil too" do
    types.register("money", decoder: ->(_) {})
    expect(connection.execute("SELECT 1::money, ARRAY[1, NULL]::money[]").fetch.to_a).to eq([nil, [nil, nil]])
  end

  it "sends NULL where the encoder gives nil" do
    types.register("money", encoder: ->(_) {})
    expect_thrice("money", sums.first, nil)
    expect_thrice("money[]", [sums.first], [nil])
  end

  it "takes everything from the encoder that can be a parameter, and writes it as the type is written" do
    given = { "a String" => "12.5", "an Integer" => 12, "a Float" => 12.5, "a Symbol" => :"12.5", "a BigDecimal" => BigDecimal("12.5"),
              "a Typed" => Pgconn::Typed.new(12.5, 701), "one with to_pg" => Struct.new(:to_pg).new(12.5) }
    given.each do |what, gives|
      types.register("numeric", encoder: ->(value) { value == :it ? gives : value })
      expected = BigDecimal(what == "an Integer" ? "12" : "12.5")
      expect_thrice("numeric", :it, expected)
      expect_thrice("numeric[]", [:it], [expected])
    end
  end

  it "refuses what the encoder gives when that can't be a parameter either" do
    types.register("money", encoder: ->(value) { value })
    3.times do
      expect { connection.execute("SELECT $1::money", [Object.new]) }.to raise_error(Pgconn::DataError, /can't encode parameter \$1: Object/)
    end
  end

  it "refuses values of any class before anything is sent as long as there is no encoder" do
    types.register("money", decoder: sum.method(:decode))
    plain = connect_typed(autocommit: false, types: types)
    expect { plain.execute("SELECT $1::money", [sums.first]) }.to raise_error(Pgconn::DataError)
    expect(plain.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
  end

  it "calls the encoder with every value that isn't nil, from the first use on, whatever text it has" do
    types.register("money", encoder: ->(value) { value * 2 })
    expect_thrice("money", 5, "$10.00")
    expect_thrice("money", "5", "$55.00")
    expect(connection.execute("SELECT $1::money, $2::int", [1, 1]).fetch.to_a).to eq(["$2.00", 1])
  end

  it "calls the encoder with values whose type is fixed" do
    types.register("money", encoder: :encode.to_proc)
    expect(connection.execute("SELECT $1", [Pgconn::Typed.new(sums.first, 790)]).fetch_value).to eq("$12.50")
    expect(connection.execute("SELECT $1", [Pgconn::Typed.new(sums.first(2), 791)]).fetch_value).to eq(%w[$12.50 $0.00])
  end

  it "calls the encoder once for a value of a type without another binary form" do
    calls = 0
    types.register("money", encoder: ->(value) { (calls += 1) && value.encode })
    2.times { connection.execute("SELECT $1::money[], $2::money", [sums, sums.first]) }
    expect(calls).to eq(8)
  end

  it "works without prepared statements" do
    plain = connect_typed(prepare_threshold: nil)
    register_binary_money(plain.types)
    3.times { expect(plain.execute("SELECT $1::money", [sums.first]).fetch_value).to eq(sums.first) }
  end

  it "leaves to a built-in type what isn't given" do
    types.register("int4", encoder: :to_i.to_proc)
    expect_thrice("int4", "12", 12)
    expect_thrice("int4[]", %w[12 13], [12, 13])
    types.register("int4", decoder: ->(text) { [text] })
    expect_thrice("int4", 12, ["12"])
    expect_thrice("int4[]", [12, nil], [["12"], nil])
    types.register("_int4", decoder: ->(text) { text })
    expect_thrice("int4[]", [12, nil], "{12,NULL}")
    types.register("int4range", decoder: ->(text) { text })
    expect_thrice("int4range", 1..2, "[1,3)")
  end

  it "replaces a built-in type's values, as those of jsonb" do
    types.register("jsonb", decoder: ->(text) { JSON.parse(text, symbolize_names: true) }, encoder: ->(value) { JSON.generate(value) })
    expect_thrice("jsonb", { a: [1, nil] })
    expect_thrice("jsonb", "text")
    expect_thrice("jsonb", [1, { b: 2 }])
  end

  it "knows the delimiter of arrays" do
    types.register("box", decoder: ->(text) { text.scan(/\d+/).map(&:to_i) }, encoder: ->(value) { "(#{value.join(",")})" })
    expect(connection.execute("SELECT ARRAY[box '(3,4),(1,2)', NULL, box '(5,6),(1,2)']").fetch_value).to eq([[3, 4, 1, 2], nil, [5, 6, 1, 2]])
  end

  it "counts for values of the type within ranges, and within the arrays of a domain" do
    types.register("mood", decoder: :to_sym.to_proc, encoder: :to_s.to_proc)
    types.register_range("moods")
    expect_thrice("moods", Pgconn::Range.new(:sad, :ok, "[]"))
    expect_thrice("moods[]", [Pgconn::Range.new(:sad, nil), nil])
    types.register("price", decoder: ->(text) { [text] })
    expect_thrice("price[]", [1.5], [["1.50"]])
  end

  it "unbounds a range whose bound the encoder sends as NULL" do
    types.register("numeric", encoder: ->(value) { value unless value == 0 })
    types.register_range("numrange")
    expect_thrice("numrange", Pgconn::Range.new(0, 5), Pgconn::Range.new(nil, BigDecimal(5)))
  end

  it "lets out what a decoder raises, and the connection stays usable" do
    types.register("int4", decoder: ->(text) { Integer(text) == 2 ? raise(KeyError, "two") : text })
    cursor = connection.execute("SELECT generate_series(1, 3)")
    expect { cursor.fetch_all }.to raise_error(KeyError, "two")
    expect(cursor.fetch_all.map(&:to_a)).to eq([["3"]])
    expect { connection.execute("SELECT ARRAY[1, 2]").fetch }.to raise_error(KeyError, "two")
    expect(connection.execute("SELECT 3").fetch_value).to eq("3")
  end

  it "lets out what an encoder raises, in whatever use of its statement, and the connection stays usable" do
    raises = true
    types.register("money", encoder: ->(value) { raises ? raise(KeyError, "not now") : value })
    5.times do
      raises = true
      expect { connection.execute("SELECT $1::money", [1]) }.to raise_error(KeyError, "not now")
      raises = false
      expect(connection.execute("SELECT $1::money", [1]).fetch_value).to eq("$1.00")
    end
  end

  it "may use the connection from within decoders and encoders" do
    types.register("money", decoder: ->(text) { connection.execute("SELECT $1::text", [text]).fetch_value },
                            encoder: ->(value) { connection.execute("SELECT $1::text", [value]).fetch_value })
    expect_thrice("money", "1", "$1.00")
    expect_thrice("money[]", %w[1 2], %w[$1.00 $2.00])
  end

  it "may execute on the cursor whose value is being decoded" do
    cursor = connection.cursor
    types.register("money", decoder: ->(text) { cursor.execute("SELECT 1") && text })
    expect(cursor.execute("SELECT m::money FROM generate_series(1, 1000) AS m").fetch_all.size).to eq(1000)
    expect(cursor.fetch_value).to eq(1)
  end

  it "reads by cast, too" do
    register_money(types)
    expect(connection.cursor.cast(790, "$12.50")).to eq(sums.first)
  end

  it "says what is missing or can't be called" do
    expect { types.register("money") }.to raise_error(ArgumentError, /a decoder or an encoder/)
    expect { types.register("money", binary_decoder: :to_s.to_proc) }.to raise_error(ArgumentError, /needs a decoder/)
    { decoder: :to_sym, encoder: "x", binary_decoder: 1 }.each do |name, wrong|
      expect { types.register("money", decoder: :to_s.to_proc, **{ name => wrong }) }.to raise_error(TypeError, /#{name} must respond to call/)
    end
  end
end
