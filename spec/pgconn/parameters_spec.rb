# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Parameters" do
  let(:connection) { connect }

  def value(sql, *params)
    connection.execute(sql, params).fetch_value
  end

  describe "their number" do
    it "may be none, as nil or as an empty list" do
      expect(connection.execute("SELECT 1", nil).fetch_value).to eq(1)
      expect(connection.execute("SELECT 1", []).fetch_value).to eq(1)
    end

    it "may be used in any order and more than once" do
      expect(value("SELECT $2::int * 10 + $1::int + $2::int", 1, 2)).to eq(23)
    end

    [["SELECT $1::int", [], 1, 0], ["SELECT $1::int", [1, 2], 1, 2], ["SELECT 1", [7], 0, 1],
     ["SELECT $3::int", [1], 3, 1]].each do |sql, params, wanted, given|
      it "raises ProgrammingError with both numbers for #{given} instead of #{wanted}" do
        expect { connection.execute(sql, params) }
          .to raise_error(Pgconn::ProgrammingError, /\b#{wanted}\b.*\b#{given}\b|\b#{given}\b.*\b#{wanted}\b/m)
      end
    end

    it "doesn't count what only looks like a parameter" do
      expect(connection.execute("SELECT '$1', $$ $2 $$ /* $3 */ -- $4").fetch_value).to eq("$1")
    end

    it "raises TypeError for what is neither a list nor a Hash" do
      [5, "text", Object.new].each do |params|
        expect { connection.execute("SELECT $1::text", params) }.to raise_error(TypeError)
      end
    end
  end

  describe "their types" do
    it "are the server's decision" do
      expect(value("SELECT $1 + 1", 41)).to eq(42)
      expect(value("SELECT length($1)", "four")).to eq(4)
      expect(value("SELECT $1 IN (SELECT oid FROM pg_class)", 1259)).to be(true)
    end

    it "get a hint to add a cast when the server can't decide" do
      ["SELECT pg_typeof($1)", "SELECT $1 + $2"].zip([[1], [1, 2]]) do |sql, params|
        expect { connection.execute(sql, params) }
          .to raise_error(Pgconn::ProgrammingError, /cast.*::/m) { |error| expect(%w[42P18 42725]).to include(error.sqlstate) }
        connection.rollback
      end
    end

    it "are fixed by Typed" do
      expect(value("SELECT pg_typeof($1)::text", Pgconn::Typed.new(1, 20))).to eq("bigint")
      expect(value("SELECT $1", Pgconn::Typed.new("2024-02-29", 1082))).to eq(Date.new(2024, 2, 29))
      expect(value("SELECT pg_typeof($1)::text", Pgconn::Typed.new(nil, 1186))).to eq("interval")
    end

    it "take bytea as Typed, any bytes" do
      bytes = (0..255).map(&:chr).join.b * 3
      echoed = value("SELECT $1", Pgconn::Typed.new(bytes, 17))
      expect(echoed).to eq(bytes).and have_attributes(encoding: Encoding::BINARY)
      expect(value("SELECT length($1)", Pgconn::Typed.new("\0\0".b, 17))).to eq(2)
      expect(value("SELECT length($1)", Pgconn::Typed.new("".b, 17))).to eq(0)
    end
  end

  describe "values that can't be sent" do
    after { expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE) }

    it "raise DataError for a NUL byte" do
      expect { value("SELECT $1::text", "a\0b") }.to raise_error(Pgconn::DataError, /NUL/i)
    end

    it "raise DataError for a Rational without a finite decimal form" do
      expect { value("SELECT $1::numeric", Rational(1, 3)) }.to raise_error(Pgconn::DataError, %r{1/3})
    end

    it "raise DataError for text that isn't valid in its encoding" do
      expect { value("SELECT $1::text", "\xff\xfe") }.to raise_error(Pgconn::DataError)
    end

    it "raise an error that names the class of an unknown object" do
      expect { value("SELECT $1::text", Mutex.new) }
        .to raise_error(StandardError, /Mutex/) { |error| expect(error).to be_a(Pgconn::DataError).or be_a(TypeError) }
    end
  end

  describe "text in other encodings" do
    it "is transcoded to the client's" do
      ["é".encode("ISO-8859-1"), "é".encode("UTF-16LE"), "é".encode("Windows-1252")].each do |text|
        expect(value("SELECT $1::text", text)).to eq("é")
      end
    end

    it "is transcoded in SQL, too" do
      expect(connection.execute("SELECT 'é'".encode("ISO-8859-1")).fetch_value).to eq("é")
      expect(connection.execute("SELECT :a || 'é'".encode("UTF-16LE"), a: "ü").fetch_value).to eq("üé")
    end

    it "passes as it is when it is ASCII-8BIT" do
      expect(connection.execute("SELECT 'é'".b).fetch_value).to eq("é")
    end

    it "follows client_encoding:" do
      latin = connect(client_encoding: "LATIN1")
      echoed = latin.execute("SELECT $1::text || 'é', length($1)", ["ü"]).fetch
      expect(echoed.to_a).to eq(["üé".encode("ISO-8859-1"), 1])
      expect(echoed[0].encoding).to eq(Encoding::ISO_8859_1)
    end

    it "follows SET client_encoding" do
      connection.execute("SET client_encoding TO 'LATIN1'")
      expect(value("SELECT $1::text", "é")).to eq("é".encode("ISO-8859-1"))
      connection.rollback
      expect(value("SELECT $1::text", "é")).to eq("é").and have_attributes(encoding: Encoding::UTF_8)
    end

    it "raises DataError where it can't be transcoded, and sends nothing" do
      latin = connect(client_encoding: "LATIN1")
      expect { latin.execute("SELECT $1::text", ["€"]) }.to raise_error(Pgconn::DataError, /ISO-8859-1|LATIN1/)
      expect { latin.execute("SELECT '€'") }.to raise_error(Pgconn::DataError)
      expect(latin.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
    end

    it "is a DataError where the server's text doesn't fit the client's encoding" do
      latin = connect(client_encoding: "LATIN1", autocommit: true)
      expect { latin.execute("SELECT chr(8364)") }.to raise_error(Pgconn::Errors::UntranslatableCharacter)
      expect(latin.execute("SELECT 1").fetch_value).to eq(1)
    end
  end

  it "doesn't keep or change what it was given" do
    text = +"text"
    params = [text, 1]
    cursor = connection.execute("SELECT $1::text, $2::int", params)
    text << " changed"
    params.clear
    expect(cursor.fetch).to eq(["text", 1])
  end

  describe "structures for a type that takes none" do
    { "date" => [[Date.new(2024, 1, 1)], 1..2, { a: 1 }, Struct.new(:a).new(1), Set[1]], "int4" => [[1]], "text" => [["a"], 1..2],
      "int4[]" => [[Set[1]], 1..2], "jsonb" => [1..2], "int4range" => [[1]] }.each do |type, structures|
      structures.each do |structure|
        it "are a DataError: #{structure.class} for #{type}" do
          connection = connect(autocommit: true)
          3.times do
            expect { connection.execute("SELECT $1::#{type}", [structure]) }
              .to raise_error(Pgconn::DataError, /can't encode parameter \$1 as /)
          end
          expect(connection.execute("SELECT 1").fetch_value).to eq(1)
        end
      end
    end
  end
end
