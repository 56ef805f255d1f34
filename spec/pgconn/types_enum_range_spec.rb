# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::Types do
  include RegisteredTypes

  define_types("CREATE TYPE mood AS ENUM ('sad', 'größe', ' \"a,b\\ ')", "CREATE DOMAIN even AS int CHECK (VALUE % 2 = 0)",
               "CREATE TYPE floats AS RANGE (subtype = float8)", "CREATE TYPE evens AS RANGE (subtype = even)",
               "CREATE TYPE moods AS RANGE (subtype = mood)", "CREATE TYPE texts AS RANGE (subtype = text)")

  let(:connection) { connect_typed }
  let(:types) { connection.types }

  def range(...) = Pgconn::Range.new(...)

  describe "#register_enum" do
    it "gives Strings, and Arrays of them, in text and in binary" do
      types.register_enum("mood")
      ["sad", "größe", ' "a,b\\ '].each { |value| expect_thrice("mood", value) }
      expect_thrice("mood", :sad, "sad")
      expect_thrice("mood[]", ["sad", nil, "größe", ' "a,b\\ '])
      expect_thrice("mood[]", [[:sad], [nil]], [["sad"], [nil]])
    end

    it "brings binary back" do
      sql = "SELECT $1::mood, ARRAY['sad'::mood], 1"
      expect(binary_at_last(sql, ["sad"]) { nil }).to eq([false, false])
      expect(binary_at_last(sql, ["sad"]) { |types| types.register_enum("mood") }).to eq([true, true])
    end

    it "is read and written in the client encoding" do
      types.register_enum("mood")
      connection.execute("SET client_encoding = LATIN1")
      expect_thrice("mood", "größe", "größe".encode("ISO-8859-1"))
    end

    it "leaves the server to say what is none of the values" do
      types.register_enum("mood")
      3.times do
        [["happy"], [1]].each do |values|
          expect { connection.execute("SELECT $1::mood", values) }.to raise_error(Pgconn::Errors::InvalidTextRepresentation)
        end
      end
    end
  end

  describe "#register_range" do
    it "gives ranges, multiranges and Arrays of both" do
      types.register_range("floats")
      [range(1.5, 2.5), range(1.5, nil), range(nil, nil), range(1.5, 2.5, "(]"), Pgconn::Range.empty].each { |value| expect_thrice("floats", value) }
      expect_thrice("floats", 1.5...2.5, range(1.5, 2.5))
      expect_thrice("floats[]", [range(1.5, nil), nil])
      next if connection.server_version < 140_000

      expect_thrice("floats_multirange", [range(1.5, 2.5), range(3.5, nil)])
      expect_thrice("floats_multirange[]", [[range(1.5, 2.5)], [], nil])
      expect_thrice("floats_multirange[]", [[[range(1.5, 2.5)]], [[range(nil, nil)]]])
    end

    it "reads bounds as values of the subtype, which may be registered later or be a domain" do
      types.register_range("moods")
      types.register_range("evens")
      expect_thrice("moods", range("sad", "größe"))
      expect_thrice("evens", range(2, 4))
      types.register_enum("mood")
      expect_thrice("moods", range("sad", ' "a,b\\ ', "[]"))
      types.register("mood", decoder: :to_sym.to_proc)
      expect_thrice("moods", range(:sad, nil))
    end

    it "brings binary back, as far as the subtype lets it" do
      register = ->(types) { %w[floats moods evens].each { |name| types.register_range(name) } }
      expect(binary_at_last("SELECT $1::floats", [range(1.5, 2.5)], &register)).to eq([true, true])
      expect(binary_at_last("SELECT $1::evens", [range(2, 4)], &register)).to eq([true, true])
      expect(binary_at_last("SELECT $1::moods", [range("sad", nil)], &register)).to eq([false, false])
      expect(binary_at_last("SELECT $1::moods", [range("sad", nil)]) { |types| register.call(types) && types.register_enum("mood") })
        .to eq([true, true])
    end

    it "quotes what needs it" do
      types.register_range("texts")
      expect_thrice("texts", range("", "a\"b\\c,)", "[]"))
      expect_thrice("texts[]", [range(" ", "\u20ac")])
    end
  end
end
