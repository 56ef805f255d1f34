# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Pgconn::Cursor#callproc" do
  let(:connection) { connect(autocommit: true) }
  let(:cursor) { connection.cursor }

  before do
    connection.execute(<<~SQL)
      CREATE FUNCTION pg_temp."Pairs; --"(first int, "Last ""one""" int DEFAULT 3) RETURNS TABLE (n int, square int)
      LANGUAGE sql AS 'SELECT i, i * i FROM generate_series(first, "Last ""one""") AS i'
    SQL
  end

  let(:pairs) { ["pg_temp", "Pairs; --"] }

  it "calls by position with an Array and gives the cursor with the function's rows" do
    expect(cursor.callproc(pairs, [1, 2])).to be(cursor)
    expect(cursor.fetch_all).to eq([[1, 1], [2, 4]])
    expect(cursor.callproc(pairs, [2]).fetch_all).to eq([[2, 4], [3, 9]])
  end

  it "calls by name with a Hash, whose keys are quoted as they are" do
    expect(cursor.callproc(pairs, { 'Last "one"' => 2, first: 1 }).fetch_all).to eq([[1, 1], [2, 4]])
  end

  it "calls without arguments" do
    [nil, [], {}].each { |none| expect(cursor.callproc("current_database", none).fetch_value).to eq(server.database) }
  end

  it "quotes the name: nothing is folded, a dot belongs to it, nothing gets out of it" do
    expect { cursor.callproc("LOWER", ["A"]) }.to raise_error(Pgconn::Errors::UndefinedFunction, /LOWER/)
    expect { cursor.callproc("pg_catalog.lower", ["A"]) }.to raise_error(Pgconn::Errors::UndefinedFunction)
    expect(cursor.callproc(%w[pg_catalog lower], ["A"]).fetch_value).to eq("a")
    expect { cursor.callproc("now(); SELECT \"now", []) }.to raise_error(Pgconn::Errors::UndefinedFunction)
    expect { cursor.callproc("lower", { "x => 'a'); --" => 1 }) }.to raise_error(Pgconn::Errors::UndefinedFunction)
  end

  it "sends the arguments as parameters" do
    cursor.callproc("upper", ["a'); --"])
    expect(cursor.query).to eq('SELECT * FROM "upper"($1)')
    expect(cursor.fetch_value).to eq("A'); --")
  end

  it "cancels the function at its timeout" do
    expect { cursor.callproc("pg_sleep", [30], timeout: 0.05) }.to raise_error(Pgconn::QueryCanceledError, /timeout/)
  end

  it "raises ProgrammingError for a procedure, which CALL is for" do
    connection.execute("CREATE PROCEDURE pg_temp.nothing() LANGUAGE sql AS ''")
    expect { cursor.callproc(%w[pg_temp nothing]) }.to raise_error(Pgconn::ProgrammingError, /procedure/)
  end

  it "raises TypeError for arguments of another kind, ArgumentError and TypeError for names that can't be" do
    expect { cursor.callproc("lower", "A") }.to raise_error(TypeError, /Array or a Hash, not String/)
    expect { cursor.callproc("", []) }.to raise_error(ArgumentError, /empty/)
    expect { cursor.callproc(nil) }.to raise_error(TypeError, /NilClass/)
    expect { cursor.callproc("lower", { 1 => "A" }) }.to raise_error(TypeError, /Integer/)
  end

  it "raises InterfaceError on a closed cursor" do
    cursor.close
    expect { cursor.callproc("now") }.to raise_error(Pgconn::InterfaceError, /closed/)
  end
end
