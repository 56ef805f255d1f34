# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Named parameters" do
  let(:connection) { connect }

  def value(sql, params = nil, **named)
    connection.execute(sql, params, **named).fetch_value
  end

  describe "how they are given" do
    it "takes keywords" do
      expect(value("SELECT :a::int - :b::int", b: 2, a: 44)).to eq(42)
    end

    it "takes a Hash with Symbols or Strings as keys" do
      expect(value("SELECT :a::int - :b::int", { b: 2, a: 44 })).to eq(42)
      expect(value("SELECT :a::int - :b::int", { "b" => 2, "a" => 44 })).to eq(42)
    end

    it "takes them on a cursor, too" do
      expect(connection.cursor.execute("SELECT :a::int", a: 1).fetch_value).to eq(1)
    end

    it "takes one called timeout from a Hash" do
      expect(value("SELECT :timeout::int", { timeout: 7 })).to eq(7)
      expect(value("SELECT :timeout::int", { timeout: 7 }, timeout: 10)).to eq(7)
    end

    it "gives a name that occurs twice the same value" do
      expect(value("SELECT :a::int * :a::int", a: 7)).to eq(49)
    end

    it "takes nil as NULL" do
      expect(value("SELECT :a::int IS NULL", a: nil)).to be(true)
    end

    it "takes names with underscores, digits and letters outside of ASCII" do
      expect(value("SELECT :_a1::int + :größe::int", _a1: 1, größe: 2)).to eq(3)
    end

    it "tells names apart by case and by length" do
      expect(value("SELECT :id || :ID || :id2", id: "a", ID: "b", id2: "c")).to eq("abc")
    end

    it "works beyond the tenth name", :gc_stress do
      names = (1..25).to_h { |number| [:"name#{number}", number] }
      sql = "SELECT #{names.keys.map { |name| ":#{name}::int" }.join(" + ")}"
      expect(value(sql, names)).to eq((1..25).sum)
    end
  end

  # What looks like a name and is none: SQL, its value.
  no_names = {
    "a cast" => ["SELECT '1'::int + :n::int", 43],
    "a literal" => ["SELECT ':x' || :n::int", ":x42"],
    "a literal with a doubled quote" => ["SELECT 'it''s :x' || :n::int", "it's :x42"],
    "a literal with a backslash at its end" => ["SELECT 'a\\' || ':x' || :n::int", "a\\:x42"],
    "an escape string with a quote inside" => ["SELECT E'a\\' :x' || :n::int", "a' :x42"],
    "a Unicode escape string" => ["SELECT U&'\\0041:x' || :n::int", "A:x42"],
    "a literal that goes on in the next line" => ["SELECT 'a'\n ':x' || :n::int", "a:x42"],
    "a quoted identifier" => ['SELECT q.":x" FROM (SELECT :n::int AS ":x") q', 42],
    "a quoted identifier with a doubled quote" => ['SELECT q.""":x" FROM (SELECT :n::int AS """:x") q', 42],
    "dollar quotes" => ["SELECT $$:x 'a$$ || :n::int", ":x 'a42"],
    "dollar quotes with a tag" => ["SELECT $tag$:x $$ $other$$tag$ || :n::int", ":x $$ $other$42"],
    "a comment up to the end of the line" => ["SELECT -- :x '\n :n::int", 42],
    "a comment" => ["SELECT /* :x ' */ :n::int", 42],
    "a comment within a comment" => ["SELECT /* /* :x */ :y ' */ :n::int", 42],
    "an array slice by numbers" => ["SELECT ((ARRAY[1, 2, 42])[2:3])[2] + :n::int - :n::int", 42],
    "an array slice by columns" => ["SELECT (a[lo:hi])[1] + :n::int FROM (VALUES (ARRAY[1, 2], 2, 2)) t(a, lo, hi)", 44],
    "an argument given by :=" => ["SELECT extract(day FROM make_interval(days := :n))::int", 42],
    "an identifier with a dollar sign" => ["SELECT a$b$c + :n::int FROM (SELECT 0 AS a$b$c) t", 42]
  }

  describe "what is no name" do
    no_names.each do |what, (sql, expected)|
      it "is #{what}" do
        expect(value(sql, n: 42)).to eq(expected)
      end
    end

    it "is anything, where no names are given" do
      expect(value("SELECT ':a' || $1::text", ["b"])).to eq(":ab")
    end
  end

  describe "what is a name after all" do
    it "is one inside of a subscript" do
      expect(value("SELECT (ARRAY[1, 2, 3])[:n]", n: 2)).to eq(2)
    end

    it "is one on either side of a slice's colon" do
      expect(value("SELECT ((ARRAY[1, 2, 3])[:lo : :hi])[1]", lo: 2, hi: 3)).to eq(2)
    end

    it "is one directly after an operator or a parenthesis" do
      expect(value("SELECT (:a::int)+:b::int-:c::int", a: 1, b: 2, c: 3)).to eq(0)
    end
  end

  describe "mistakes" do
    after { expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE) }

    it "raises ProgrammingError that names what is missing" do
      expect { value("SELECT :a, :b_c", a: 1) }.to raise_error(Pgconn::ProgrammingError, /b_c/)
      expect { value("SELECT :a", {}) }.to raise_error(Pgconn::ProgrammingError, /\ba\b/)
    end

    it "raises ProgrammingError that names what is unused" do
      expect { value("SELECT :a", a: 1, spare: 2) }.to raise_error(Pgconn::ProgrammingError, /spare/)
    end

    it "raises ProgrammingError for a name that stands in a literal only" do
      expect { value("SELECT ':a'", a: 1) }.to raise_error(Pgconn::ProgrammingError, /\ba\b/)
    end

    it "raises ArgumentError for a list and names at once" do
      expect { value("SELECT :a", [1], a: 1) }.to raise_error(ArgumentError)
    end

    it "raises ProgrammingError for numbers where names are given" do
      expect { value("SELECT $1::int, :a::int", a: 1) }.to raise_error(Pgconn::ProgrammingError)
    end

    it "shows no values" do
      expect { value("SELECT :a", a: "s3cret", spare: "s3cret") }
        .to raise_error(Pgconn::ProgrammingError) { |error| expect(error.message).not_to include("s3cret") }
    end
  end

  it "leaves text that doesn't end to the server" do
    ["SELECT :n, 'open", "SELECT :n, /* open", "SELECT :n, $$ open", 'SELECT :n, "open'].each do |sql|
      expect { value(sql, n: 1) }.to raise_error(Pgconn::ProgrammingError)
      connection.rollback
    end
  end
end
