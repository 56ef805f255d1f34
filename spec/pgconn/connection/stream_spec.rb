# frozen_string_literal: true

require "spec_helper"

# What is streamed and what ends it is Cursor#stream's: see stream_spec.rb.
RSpec.describe Pgconn::Connection, "#stream" do
  let(:connection) { connect(autocommit: true) }
  let(:many) { "SELECT generate_series(1, 10000000) AS i, repeat('x', 100)" }

  it "yields the rows of a statement on a cursor of its own, which it gives" do
    other = connection.execute("SELECT 'other' AS kept")
    rows = []
    cursor = connection.stream("SELECT i FROM generate_series(1, 3) AS i") { |row| rows << row[:i] }
    expect(rows).to eq([1, 2, 3])
    expect([cursor.connection, cursor.rowcount, cursor.statusmessage]).to eq([connection, 3, "SELECT 3"])
    expect(other.fetch_value).to eq("other")
  end

  it "takes parameters by number, by name and in a Hash, composed SQL and timeout:" do
    expect(connection.stream("SELECT $1::int + 1", [1]).to_a).to eq([[2]])
    expect(connection.stream("SELECT :a::int + 1", a: 1).to_a).to eq([[2]])
    expect(connection.stream("SELECT :timeout::int", { timeout: 1 }, timeout: 60).to_a).to eq([[1]])
    expect(connection.stream(Pgconn::SQL.format("SELECT {}", Pgconn::SQL::Literal.new("a"))).to_a).to eq([["a"]])
    expect { connection.stream("SELECT pg_sleep(60)", timeout: 0.1) { nil } }.to raise_error(Pgconn::QueryCanceledError)
  end

  it "gives rows as the connection's cursor_factory makes them" do
    hashes = connect(autocommit: true, cursor_factory: Pgconn::HashCursor)
    expect(hashes.stream("SELECT 1 AS id").to_a).to eq([{ id: 1 }])
  end

  it "without a block is an Enumerator, which executes when it is enumerated, each time" do
    connection.execute("CREATE TEMP SEQUENCE times")
    rows = connection.stream("SELECT nextval('times')")
    expect(rows).to be_an(Enumerator)
    expect([rows.to_a, rows.to_a]).to eq([[[1]], [[2]]])
  end

  it "left early is cancelled, and the connection is in step" do
    expect(connection.stream(many).lazy.map { |row| row[0] * 2 }.first(3)).to eq([2, 4, 6])
    expect(connection.stream(many) { |row| break row[0] }).to eq(1)
    expect { connection.stream(many) { raise IndexError, "mine" } }.to raise_error(IndexError, "mine")
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "holds the connection: what its block executes there is a ProgrammingError" do
    expect { connection.stream(many) { connection.execute("SELECT 1") } }
      .to raise_error(Pgconn::ProgrammingError, /a stream holds the connection/)
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "raises what the server says behind the rows that came before it, with its cursor" do
    rows = []
    expect { connection.stream("SELECT 1 / (3 - i) FROM generate_series(1, 5) AS i") { |row| rows << row[0] } }
      .to raise_error(Pgconn::Errors::DivisionByZero) { |error| expect(error.cursor).to be_a(Pgconn::Cursor) }
    expect(rows).to eq([0, 1])
  end

  it "raises ArgumentError without SQL, and for more than its parameters" do
    expect { connection.stream { nil } }.to raise_error(ArgumentError)
    expect { connection.stream("SELECT 1", [], []) { nil } }.to raise_error(ArgumentError)
  end

  WaysOfWaiting.all.each do |way, run|
    it "works for #{way}, to the end, to a break and to an error" do
      outcome = run.call(server) do |keywords|
        conn = closed_later(Pgconn.connect(**keywords, autocommit: true, cancel_timeout: 30))
        sum = conn.stream("SELECT i, repeat('x', 100) FROM generate_series(1, 20000) AS i").sum { |row| row[0] }
        first = conn.stream("SELECT generate_series(1, 300000)").first(2)
        error = begin
          conn.stream("SELECT 1 / (10000 - i) FROM generate_series(1, 20000) AS i") { nil }
        rescue Pgconn::DataError => e
          e.class
        end
        [sum, first, error, conn.execute("SELECT 1").fetch_value]
      end
      expect(outcome).to eq([200_010_000, [[1], [2]], Pgconn::Errors::DivisionByZero, 1])
    end
  end

  it "isn't for async connections: ProgrammingError" do
    expect { connect_async.stream("SELECT 1") { nil } }.to raise_error(Pgconn::ProgrammingError, /async/)
  end
end
