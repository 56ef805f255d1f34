# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::Types, "#register_composite" do
  include RegisteredTypes
  include CodecHelpers

  define_types("CREATE TYPE mood AS ENUM ('sad', 'ok')", "CREATE DOMAIN zip AS text CHECK (VALUE <> '')",
               "CREATE DOMAIN austrian AS zip CHECK (length(VALUE) = 4)",
               "CREATE TYPE pair AS (x int, y int)", "CREATE TYPE named AS (name text, mood mood, pair pair)",
               "CREATE TYPE nest AS (named named, list pair[], zip austrian, at timestamptz, bytes bytea, span int4range)",
               "CREATE TYPE one AS (word text)", "CREATE TYPE nothing AS ()", "CREATE DOMAIN pairing AS pair CHECK ((VALUE).x IS NOT NULL)",
               %(CREATE TYPE "Odd" AS ("Größe" int, "a b" int, "class" int)),
               "CREATE TYPE spot AS (at point, pair pair)", "CREATE TABLE people (id int, gone int, name text)",
               "ALTER TABLE people DROP COLUMN gone", "CREATE TYPE pairs AS RANGE (subtype = pair)")

  let(:connection) { connect_typed }
  let(:types) { connection.types }
  let(:pair) { types.register_composite("pair") }

  def oid(name) = connection.execute("SELECT '#{name}'::regtype::oid").fetch_value

  it "gives Structs with the attributes as members" do
    expect(pair.superclass).to eq(Struct)
    expect(pair.members).to eq(%i[x y])
    [pair.new(1, -2), pair.new(nil, 2), pair.new(nil, nil)].each { |value| expect_thrice("pair", value) }
    expect_thrice("pair", nil)
  end

  it "reads a value that is in quotes, and NULL, in both formats" do
    one = types.register_composite("one")
    ["", " ", ",", "(", ")", '"', "\\", '""', "\\\\\"", "NULL", "größe €", "a\nb", "{1,2}", nil].each do |text|
      expect_thrice("one", one.new(text))
      expect_thrice("one[]", [one.new(text), nil])
    end
  end

  it "holds everything that is registered or built in: composites, arrays, domains, enums" do
    types.register_enum("mood")
    named = types.register_composite("named")
    nest = types.register_composite("nest")
    value = nest.new(named.new('("x",)', "ok", pair.new(1, nil)), [pair.new(1, 2), nil, pair.new(nil, nil)], "1010",
                     Time.utc(2024, 2, 29, 1, 2, 3.5r), "\x00\"\\".b, Pgconn::Range.new(1, 5))
    expect_thrice("nest", value)
    expect_thrice("nest", nest.new)
    expect_thrice("nest[]", [[value, nil], [nest.new, value]])
  end

  it "goes in binary both ways as soon as all of its attributes do" do
    sql = "SELECT $1::named, ARRAY[$1::named]"
    value = [{ name: "x", mood: "ok", pair: "(1,)" }]
    expect(binary_at_last(sql, value) { |types| types.register_composite("named") }).to eq([false, false])
    expect(binary_at_last(sql, value) { |types| [types.register_enum("mood"), types.register_composite("named")] }).to eq([false, false])
    register_all = ->(types) { %w[named pair].each { |name| types.register_composite(name) }.then { types.register_enum("mood") } }
    expect(binary_at_last(sql, [{ name: "x", mood: "ok", pair: { x: 1 } }], &register_all)).to eq([true, true])
    expect(binary_at_last("SELECT $1::spot", [{ pair: "(1,2)" }]) { |types| types.register_composite("spot") }).to eq([false, false])
  end

  it "takes up attributes' types that are registered later, or anew, and keeps its class" do
    named = types.register_composite("named")
    sql = "SELECT ('n', 'sad', (1, 2))::named"
    expect(Array.new(3) { connection.execute(sql).fetch_value }).to all(eq(named.new("n", "sad", "(1,2)")))
    pair
    expect(Array.new(3) { connection.execute(sql).fetch_value }).to all(eq(named.new("n", "sad", pair.new(1, 2))))
    types.register("mood", decoder: :to_sym.to_proc)
    expect(Array.new(3) { connection.execute(sql).fetch_value }).to all(eq(named.new("n", :sad, pair.new(1, 2))))
    types.register("int4", decoder: ->(text) { [text] })
    expect(Array.new(3) { connection.execute(sql).fetch_value }).to all(eq(named.new("n", :sad, pair.new(["1"], ["2"]))))
    expect(types.register_composite("named")).to equal(named)
  end

  it "reads the rows of a table, without the columns that were dropped" do
    people = types.register_composite("people")
    expect(people.members).to eq(%i[id name])
    connection.execute("INSERT INTO people VALUES (1, 'Ada')")
    expect(Array.new(3) { connection.execute("SELECT people FROM people").fetch_value }).to all(eq(people.new(1, "Ada")))
    expect_thrice("people", people.new(2, "Bob"))
  end

  it "keeps names as they are" do
    odd = types.register_composite("Odd")
    expect(odd.members).to eq([:Größe, :"a b", :class])
    expect_thrice('"Odd"', { "Größe" => 1, "a b" => 2, class: 3 }, odd.new(1, 2, 3))
  end

  it "can be the subtype of a range, and the base of a domain" do
    pair
    types.register_range("pairs")
    expect_thrice("pairs", Pgconn::Range.new(pair.new(1, 2), pair.new(1, 3)))
    domain = types.register_composite("pairing", as: pair)
    expect_thrice("pairing[]", [domain.new(1, nil)])
    expect { connection.execute("SELECT $1::pairing", [{ y: 1 }]) }.to raise_error(Pgconn::Errors::CheckViolation)
  end

  describe "parameters" do
    it "may be Hashes, by Symbols or Strings; what is missing is NULL" do
      pair
      expect_thrice("pair", { x: 1, "y" => 2 }, pair.new(1, 2))
      expect_thrice("pair", { y: 2 }, pair.new(nil, 2))
      expect_thrice("pair", {}, pair.new(nil, nil))
    end

    it "may be other Structs with such members, and Arrays of all values" do
      pair
      expect_thrice("pair", Struct.new(:y, :x).new(2, 1), pair.new(1, 2))
      expect_thrice("pair", Struct.new(:y).new(2), pair.new(nil, 2))
      expect_thrice("pair", [1, 2], pair.new(1, 2))
      expect_thrice("pair", [nil, "2"], pair.new(nil, 2))
    end

    it "may be the text that the server reads" do
      pair
      expect_thrice("pair", "(1,)", pair.new(1, nil))
    end

    it "may be arrays of all of these, also with dimensions" do
      value = pair.new(1, 2)
      expect_thrice("pair[]", [value, { x: 1, y: 2 }, [1, 2], "(1,2)", nil], [value, value, value, value, nil])
      expect_thrice("pair[]", [[value], [nil], [{ x: 1, y: 2 }]], [[value], [nil], [value]])
      expect_thrice("pair[]", [[[1, 2]]].first, [value])
    end

    it "may have attributes in other classes than those that come back" do
      pair
      expect_thrice("pair", { x: "1", y: BigDecimal(2) }, pair.new(1, 2))
    end

    it "that don't fit raise a DataError which says why" do
      pair
      { { x: 1, z: 2 } => /no attribute :z/, { "X" => 1 } => /no attribute "X"/, { :x => 1, "x" => 2 } => /twice/, [1] => /2 attributes, the Array 1/,
        [1, 2, 3] => /the Array 3/, Struct.new(:q).new(1) => /no attribute :q/, { x: Object.new } => /Object/ }.each do |value, message|
        3.times { expect { connection.execute("SELECT $1::pair", [value]) }.to raise_error(Pgconn::DataError, message) }
      end
      expect_thrice("pair", pair.new(1, 2))
    end

    it "out of an attribute's range raise a DataError" do
      pair
      4.times { expect { connection.execute("SELECT $1::pair", [[2**31, 1]]) }.to raise_error(Pgconn::DataError) }
    end
  end

  describe "the class given as:" do
    it "may be a Struct with its members in any order, and with keywords" do
      [Struct.new(:y, :x), Struct.new(:y, :x, keyword_init: true), Class.new(Struct.new(:x, :y)) { def sum = x + y }].each do |klass|
        expect(types.register_composite("pair", as: klass)).to eq(klass)
        value = klass.allocate.tap do |one|
          one.x = 1
          one.y = 2
        end
        expect_thrice("pair", value)
        expect_thrice("pair[]", [[value], [nil]])
      end
    end

    it "may be a Data", if: defined?(Data.define) do
      klass = Data.define(:y, :x)
      types.register_composite("pair", as: klass)
      expect_thrice("pair", klass.new(x: 1, y: 2))
      expect_thrice("pair[]", [klass.new(x: 1, y: 2)])
    end

    it "may be any class that is made of the values and has readers" do
      klass = Class.new do
        attr_reader :x, :y

        def initialize(one, two)
          @x = one
          @y = two
        end

        def ==(other) = [x, y] == [other.x, other.y]
      end
      types.register_composite("pair", as: klass)
      expect_thrice("pair", klass.new(1, 2))
      expect_thrice("pair[]", [[klass.new(1, 2)], [klass.new(nil, 2)]])
      types.register_composite("named")
      expect(connection.execute("SELECT $1::named", [{ pair: klass.new(1, 2) }]).fetch_value.pair).to eq(klass.new(1, 2))
    end

    it "is told what its instances lack" do
      klass = Class.new { def initialize(*) = nil }
      types.register_composite("pair", as: klass)
      expect { connection.execute("SELECT $1::pair", [klass.new]) }.to raise_error(Pgconn::DataError, /no method x/)
      klass.class_eval { private def x = 1 }
      expect { connection.execute("SELECT $1::pair", [klass.new]) }.to raise_error(Pgconn::DataError, /no method x/)
    end

    it "lets out what its new raises, and the connection stays usable" do
      types.register_composite("pair", as: Class.new { def initialize(one, _) = raise(KeyError, "not #{one}") })
      3.times { expect { connection.execute("SELECT (1, 2)::pair").fetch }.to raise_error(KeyError, "not 1") }
      expect(connection.execute("SELECT 1").fetch_value).to eq(1)
    end

    it "must have just the attributes as its members, and be a Class" do
      { Struct.new(:x) => /no member y/, Struct.new(:x, :y, :z) => /z is no attribute/, Struct.new(:x, :z) => /no member y, z is no attribute/ }
        .each { |klass, message| expect { types.register_composite("pair", as: klass) }.to raise_error(Pgconn::ProgrammingError, message) }
      [Struct.new(:x, :y).new, "Pair", :Pair].each { |wrong| expect { types.register_composite("pair", as: wrong) }.to raise_error(TypeError) }
    end

    it "stays when the type is registered again without one" do
      klass = Struct.new(:y, :x)
      types.register_composite("pair", as: klass)
      expect(types.register_composite("pair")).to equal(klass)
    end

    it "is needed for a type without attributes" do
      expect { types.register_composite("nothing") }.to raise_error(Pgconn::ProgrammingError, /nothing has no attributes/)
      klass = Class.new { def ==(other) = other.instance_of?(self.class) }
      types.register_composite("nothing", as: klass)
      expect_thrice("nothing", klass.new)
      expect_thrice("nothing[]", [klass.new, nil])
    end
  end

  describe "when the type has changed" do
    before do
      connection.execute("CREATE TYPE pg_temp.volatile AS (a int, b int)")
      types.register_composite("volatile")
    end

    let(:sql) { "SELECT NULL::volatile, value FROM (SELECT r::volatile AS value FROM (VALUES (1)) AS v, LATERAL json_populate_record(NULL::volatile, '{\"a\": 1}') AS r) AS s" }

    it "raises a DataError that says so, in both formats, until it is registered again" do
      { "ADD ATTRIBUTE c int" => %i[a b c], "ALTER ATTRIBUTE b TYPE text" => %i[a b c], "DROP ATTRIBUTE a" => %i[b c] }.each do |change, members|
        2.times { connection.execute(sql).fetch }
        connection.execute("ALTER TYPE volatile #{change}")
        stale = [sql, *("#{sql} -- as text" unless change.start_with?("ALTER"))] # which looks the same
        stale.each do |one|
          expect { connection.execute(one).fetch }.to raise_error(Pgconn::DataError, /volatile has other attributes .* register it again/)
        end
        klass = types.register_composite("volatile")
        expect(klass.members).to eq(members)
        expect(Array.new(3) { connection.execute(sql).fetch[1] }).to all(be_a(klass))
      end
    end

    it "doesn't go round in circles after types that have changed places" do
      connection.execute("CREATE TYPE pg_temp.left AS (a int)")
      connection.execute("CREATE TYPE pg_temp.right AS (l pg_temp.left)")
      %w[left right].each { |name| types.register_composite(["pg_temp", name]) }
      connection.execute("ALTER TYPE pg_temp.right DROP ATTRIBUTE l, ADD ATTRIBUTE a int")
      connection.execute("ALTER TYPE pg_temp.left DROP ATTRIBUTE a, ADD ATTRIBUTE r pg_temp.right")
      left = types.register_composite(%w[pg_temp left])
      right = types.register_composite(%w[pg_temp right])
      expect_thrice("pg_temp.left", left.new(right.new(1)))
    end
  end

  describe "malformed values" do
    let(:registry) { types.registry }
    let(:type) { pair && oid("pair") }

    def decode(bytes, format)
      registry.__send__(:decode, type, bytes, format)
    end

    # Each attribute is its type, its bytes and, where it lies, its length.
    def binary(*attributes, count: attributes.size)
      parts = attributes.map { |type, bytes, length| "#{[type, length || bytes&.bytesize || -1].pack("Nl>")}#{bytes}" }
      "#{[count].pack("N")}#{parts.join}"
    end

    one = [1].pack("N")

    it "are told from good ones" do
      expect(decode(binary([23, one], [23, nil]), :binary)).to eq(pair.new(1, nil))
      expect(decode("(1,)", :text)).to eq(pair.new(1, nil))
    end

    it "in binary raise DataError" do
      good = binary([23, one], [23, one])
      wrong = [binary([23, one]), binary([23, one], [23, one], [23, one]), binary([20, one], [23, one]), binary([23, one], [0, one]),
               binary([23, one], [23, one], count: 2**31), binary([23, one], [23, one], count: 2**32 - 1), binary([23, one, -2], [23, one]),
               binary([23, one, 2**31 - 1], [23, one]), binary([23, one], [23, one, 5]), binary([23, "1"], [23, one]),
               *mutilations(good)]
      wrong.each { |bytes| expect { decode(bytes, :binary) }.to raise_error(Pgconn::DataError) }
    end

    it "as text raise DataError" do
      ["", "(", ")", "()", "(1", "(1)", "(1,", "(1,2", "(1,2,3)", "1,2", "(1,2))", "(1,2) ", " (1,2)", "(a,2)", '("1,2)', '(1,"2)', '(1,2"")', '(1,\\2)',
       "(1,\"2\\", "(1,2\0)", "(1\0,2)", "\0", "{1,2}", "(\"1\"1,2)"].each do |text|
        expect { decode(text, :text) }.to raise_error(Pgconn::DataError), text.inspect
      end
    end

    it "that are nested without end raise DataError" do
      types.register_composite("named")
      types.register_composite("nest")
      [oid("nest"), oid("nest[]")].each do |nest|
        ["(" * 1_000_000, '("' * 500_000, "{" * 1_000_000, "#{"(" * 500_000}#{")" * 500_000}", '"' * 1_000_000, "(#{"\\" * 1_000_000}"].each do |text|
          expect { registry.__send__(:decode, nest, text, :text) }.to raise_error(Pgconn::DataError)
        end
      end
    end
  end
end
