# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Pgconn::Cursor#mogrify" do
  let(:connection) { connect(autocommit: true) }
  let(:cursor) { connection.cursor }

  it "puts the values in the place of $1, $2..." do
    expect(cursor.mogrify("SELECT $1, $2, $1", [1, "it's"])).to eq("SELECT 1, 'it''s', 1")
  end

  it "puts the values in the place of :name, given as a Hash or as keywords" do
    expect(cursor.mogrify("SELECT :a + :b - :a", { a: 1, "b" => -2 })).to eq("SELECT 1 + (-2) - 1")
    expect(cursor.mogrify("SELECT :a", a: nil)).to eq("SELECT NULL")
  end

  it "says what execute would say" do
    values = { text: "O'Reilly \\ :name $1", number: -3, list: [1, nil], day: Date.new(2024, 2, 29), bytes: "\x00'".b }
    sql = "SELECT :text::text, :number::int, :list::int[], :day::date, :bytes::bytea"
    expect(connection.execute(cursor.mogrify(sql, values)).fetch).to eq(connection.execute(sql, values).fetch)
  end

  it "leaves literals, identifiers, comments and casts alone" do
    sql = "SELECT '$1', \"$1\", $1::text, $q$ $1 $q$ -- $1\n/* $1 */"
    expect(cursor.mogrify(sql, ["x"])).to eq(sql.sub("$1::", "'x'::"))
    expect(cursor.mogrify("SELECT ':a', :a::text, x[1:2]", a: 1)).to eq("SELECT ':a', 1::text, x[1:2]")
  end

  it "doesn't look for parameters in the values" do
    expect(cursor.mogrify("SELECT $1, $2", ["$2", ":a"])).to eq("SELECT '$2', ':a'")
    expect(cursor.mogrify("SELECT :a, :b", a: ":b", b: "$1")).to eq("SELECT ':b', '$1'")
  end

  it "keeps a value apart from a word before its name" do
    expect(cursor.mogrify("SELECT 1 LIMIT:n", n: 5)).to eq("SELECT 1 LIMIT 5")
  end

  it "gives SQL without parameters as it is, and the numbers of statements inside of it" do
    expect(cursor.mogrify("SELECT 1")).to eq("SELECT 1")
    sql = "PREPARE p AS SELECT $1::int"
    expect(cursor.mogrify(sql)).to eq(sql)
  end

  it "takes SQL in other encodings than UTF-8" do
    expect(cursor.mogrify("SELECT '表', $1".encode("Windows-31J"), ["é"])).to eq("SELECT '表', 'é'")
    expect(cursor.mogrify("SELECT $1".encode("Windows-31J"), ["é"])).to eq("SELECT 'é'")
  end

  it "asks each value once" do
    asked = 0
    value = Class.new { define_method(:to_pg) { asked += 1 } }.new
    expect(cursor.mogrify("SELECT $1, $1", [value])).to eq("SELECT 1, 1")
  end

  it "takes composed SQL" do
    query = Pgconn::SQL.format("SELECT {} FROM {}", Pgconn::SQL::Placeholder.new, Pgconn::SQL::Identifier.new("T"))
    expect(cursor.mogrify(query, ["x"])).to eq("SELECT 'x' FROM \"T\"")
  end

  it "raises ProgrammingError for parameters that don't fit, and for no SQL" do
    expect { cursor.mogrify("SELECT $1, $2", [1]) }.to raise_error(Pgconn::ProgrammingError, /1 parameter given, the statement has 2/)
    expect { cursor.mogrify("SELECT :a", b: 1) }.to raise_error(Pgconn::ProgrammingError, /:a/)
    [nil, "", ";", " ;; -- nothing", Pgconn::SQL.new("")].each do |sql|
      expect { cursor.mogrify(sql) }.to raise_error(Pgconn::ProgrammingError, "the query is empty")
    end
  end

  it "raises DataError for a value that can't be sent, TypeError for SQL that is no String" do
    expect { cursor.mogrify("SELECT $1", ["\0"]) }.to raise_error(Pgconn::DataError, /NUL/)
    expect { cursor.mogrify(1) }.to raise_error(TypeError, /Integer/)
  end

  it "executes nothing and leaves the cursor's result alone" do
    cursor.execute("SELECT 1")
    cursor.mogrify("SELECT 2")
    expect(cursor.fetch_value).to eq(1)
  end

  it "raises InterfaceError on a closed cursor" do
    cursor.close
    expect { cursor.mogrify("SELECT 1") }.to raise_error(Pgconn::InterfaceError, /closed/)
  end
end
