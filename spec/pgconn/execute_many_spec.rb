# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Cursor#execute_many" do
  let(:connection) { connect(autocommit: true) }
  let(:cursor) { connection.cursor }

  before { connection.execute("CREATE TEMP TABLE many (id int PRIMARY KEY, name text)") }

  def insertion
    "INSERT INTO many VALUES ($1, $2)"
  end

  def insert(rows, **options)
    cursor.execute_many(insertion, rows, **options)
  end

  def rows
    connection.execute("SELECT id, name FROM many ORDER BY id").map(&:to_a)
  end

  WaysOfWaiting.all.each do |name, way|
    it "executes the statement for each row in #{name}" do
      total = way.call(server) do |keywords|
        shared = closed_later(Pgconn.connect(autocommit: true, **keywords))
        shared.execute("CREATE TEMP TABLE many (id int PRIMARY KEY, name text)")
        shared.execute_many(insertion, Array.new(3000) { |i| [i, "n#{i}"] })
        shared.execute("SELECT count(*), sum(id), max(name) FROM many").fetch.to_a
      end
      expect(total).to eq([3000, 4_498_500, "n999"])
    end
  end

  it "gives the number of rows, and their sum as rowcount" do
    insert([[1, "a"], [2, nil]])
    expect(cursor.execute_many("UPDATE many SET name = $1 WHERE id >= $2", [["x", 1], ["y", 2]])).to eq(2)
    expect(cursor.rowcount).to eq(3)
    expect(rows).to eq([[1, "x"], [2, "y"]])
  end

  it "gives what RETURNING says for all rows as one result" do
    cursor.execute_many("INSERT INTO many VALUES ($1, $2) RETURNING id, name", [[1, "a"], [2, nil], [3, "c"]])
    expect(cursor.rowcount).to eq(3)
    expect(cursor.fetch_all.map(&:to_a)).to eq([[1, "a"], [2, nil], [3, "c"]])
  end

  it "gives the rows of a SELECT, too" do
    cursor.execute_many("SELECT generate_series(1, $1::int)", [[2], [0], [3]])
    expect(cursor.column(0)).to eq([1, 2, 1, 2, 3])
  end

  it "takes Hashes for a statement with names" do
    cursor.execute_many("INSERT INTO many VALUES (:id, :name)", [{ id: 1, name: "a" }, { id: 2, name: "b" }])
    expect(rows).to eq([[1, "a"], [2, "b"]])
  end

  it "takes any Enumerable, and statements without parameters" do
    cursor.execute_many("INSERT INTO many VALUES ($1)", (1..3).lazy.map { |i| [i] })
    cursor.execute_many("UPDATE many SET id = id + 10", [[], []])
    expect(rows.map(&:first)).to eq([21, 22, 23])
  end

  it "sends nothing for no rows, and leaves no earlier result" do
    cursor.execute("SELECT 1")
    expect(cursor.execute_many("nonsense", [])).to eq(0)
    expect(cursor.rowcount).to eq(0)
    expect(cursor.description).to be_nil
    expect { cursor.fetch }.to raise_error(Pgconn::ProgrammingError, /no results/)
    expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
  end

  it "refuses no rows, too, where it can't be called" do
    async = connect_async
    expect { async.execute_many(insertion, []) }.to raise_error(Pgconn::ProgrammingError)
    cursor.close
    expect { insert([]) }.to raise_error(Pgconn::InterfaceError)
  end

  it "takes Rows, as results have them" do
    insert(connection.execute("SELECT i, 'name ' || i FROM generate_series(1, 2) i").fetch_all)
    expect(rows).to eq([[1, "name 1"], [2, "name 2"]])
  end

  it "takes values of another class in each row" do
    insert([[nil.to_i, nil], ["1", :two], [BigDecimal("2"), 3], [3, 1.5]])
    expect(rows).to eq([[0, nil], [1, "two"], [2, "3"], [3, "1.5"]])
  end

  it "tells empty Strings from NULL, wherever they stand" do
    texts = ["", "a", nil, "", "", nil, "b", ""]
    insert(texts.each_with_index.map { |text, id| [id, text] })
    expect(rows.map(&:last)).to eq(texts)
    cursor.execute_many("SELECT $1::text, $2::text", texts.each_cons(2))
    expect(cursor.map(&:to_a)).to eq(texts.each_cons(2).to_a)
  end

  it "loses nothing of its rows to the collector, nor of RETURNING's", gc_stress: :in_part do
    GCMode.stressed do
      cursor.execute_many("INSERT INTO many VALUES ($1, $2) RETURNING *", Enumerator.new { |rows| 3.times { |i| rows << [i, "x#{i}"] } })
    end
    expect(cursor.fetch_all.map(&:to_a)).to eq([[0, "x0"], [1, "x1"], [2, "x2"]])
  end

  it "sends nothing where an Enumerator raises, whose exception comes out" do
    expect { insert(Enumerator.new { |rows| rows << [1, "a"] && raise(KeyError, "mine") }) }.to raise_error(KeyError, "mine")
    expect(rows).to eq([])
  end

  it "takes rows from what uses the connection, and even the cursor, itself" do
    insert(Enumerator.new do |rows|
      rows << [1, connection.execute("SELECT 'a'").fetch_value]
      rows << [2, cursor.execute("SELECT 'b'").fetch_value]
    end)
    expect(rows).to eq([[1, "a"], [2, "b"]])
  end

  it "gives no rows for statements that have none" do
    expect(cursor.execute_many("SET application_name = 'many'", [[], []])).to eq(2)
    expect([cursor.rowcount, cursor.description]).to eq([0, nil])
  end

  it "takes and gives a hundred thousand rows, and names the last if it fails" do
    expect(cursor.execute_many("INSERT INTO many VALUES ($1, $2) RETURNING id", (0...100_000).lazy.map { |i| [i, "x"] })).to eq(100_000)
    expect(cursor.rowcount).to eq(100_000)
    expect(cursor.column(0)).to eq((0...100_000).to_a)
    expect { insert((100_000...199_999).map { |i| [i, "x"] } << [0, "again"]) }
      .to raise_error(Pgconn::Errors::UniqueViolation, /row 99999, counted from 0/)
    expect(connection.execute("SELECT count(*) FROM many").fetch_value).to eq(100_000)
  end

  it "isn't sent behind an error of the pipeline that it is in" do
    expect do
      connection.pipeline do
        connection.execute("SELECT 1/0")
        insert([[1, "a"]])
      end
    end.to raise_error(Pgconn::Errors::DivisionByZero)
    expect(rows).to eq([])
  end

  it "is all or nothing in autocommit, and its error names the row" do
    error = nil
    begin
      insert([[1, "a"], [2, "b"], [1, "again"], [3, "c"]])
    rescue Pgconn::Errors::UniqueViolation => e
      error = e
    end
    expect(error.message).to include("row 2, counted from 0")
    expect(cursor.rowcount).to eq(-1)
    expect(rows).to eq([])
  end

  it "is part of the transaction that is open, and begins one otherwise" do
    connection.autocommit = false
    insert([[1, "a"]])
    expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INTRANS)
    connection.rollback
    expect(rows).to eq([])
  end

  it "names the row whose values can't be sent, and sends nothing" do
    expect { insert([[1, "a"], [2, "b\0"]]) }.to raise_error(Pgconn::DataError, /row 1, counted from 0/)
    expect { insert([[1, "a"], ["x" * 3, "b"], [2**40, "c"]]) }.to raise_error(Pgconn::DataError, /row/)
    expect { insert([[1, "a"], [2]]) }.to raise_error(Pgconn::ProgrammingError, /row 1, counted from 0/)
    expect(rows).to eq([])
  end

  it "refuses what isn't rows of one kind" do
    [5, nil].each { |rows| expect { insert(rows) }.to raise_error(TypeError, /Enumerable/) }
    [5, nil, "a", :a].each do |row|
      expect { insert([row]) }.to raise_error(TypeError, /row 0, counted from 0/)
      expect { insert([[1, "a"], row]) }.to raise_error(TypeError, /row 1, counted from 0/)
    end
    expect { insert([[1, "a"], { id: 1 }]) }.to raise_error(Pgconn::ProgrammingError)
    expect { cursor.execute_many("SELECT 1; SELECT 2", [[]]) }.to raise_error(Pgconn::ProgrammingError, /one statement/)
    expect { cursor.execute_many("", [[]]) }.to raise_error(Pgconn::ProgrammingError)
    expect { cursor.execute_many("COPY many FROM STDIN", [[]]) }.to raise_error(Pgconn::ProgrammingError)
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "is refused on an async connection" do
    async = connect_async
    expect { async.execute_many("SELECT $1::int", [[1]]) }.to raise_error(Pgconn::ProgrammingError)
  end

  it "takes one round trip where the types are known" do
    through_proxy(delay: 0.03) do |proxy|
      distant = connect_tcp(port: proxy.port, autocommit: true)
      many = -> { distant.execute_many("SELECT $1::int", Array.new(500) { |i| [i] }) }
      many.call
      expect(proxy.round_trips(&many)).to be <= 3 # answers that come in several pieces count
    end
  end

  it "sends and reads at the same time: neither side waits for ever when all buffers are full" do
    texts = Array.new(400) { |i| [i, i.to_s * 20_000] }
    cursor.execute_many("INSERT INTO many VALUES ($1, $2) RETURNING name", texts)
    expect(cursor.column(0).map(&:size).sum).to eq(texts.sum { |_, text| text.size })
  end

  it "works without names for statements" do
    pooled = connect(autocommit: true, prepare_threshold: nil)
    pooled.execute("CREATE TEMP TABLE many (id int, name text)")
    pooled.execute_many(insertion, Array.new(100) { |i| [i, "x"] })
    expect(pooled.execute("SELECT count(*) FROM many").fetch_value).to eq(100)
    expect(pooled.execute("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''").fetch_value).to eq(0)
  end

  it "is sent after what a pipeline has gathered" do
    connection.pipeline do
      connection.execute("INSERT INTO many VALUES (1, 'first')")
      expect(insert([[2, "second"]])).to eq(1)
    end
    expect(rows.size).to eq(2)
  end

  it "is cancelled at its timeout, and leaves nothing behind" do
    expect { cursor.execute_many("INSERT INTO many SELECT $1, pg_sleep(0.2)::text", Array.new(200) { |i| [i] }, timeout: 0.5) }
      .to raise_error(Pgconn::QueryCanceledError)
    expect(rows).to eq([])
  end

  it "keeps the connection in step when it is killed while much is still to be sent" do
    thread = in_thread do
      cursor.execute_many("SELECT pg_sleep(0.01), length($1::text)", Array.new(3000) { ["x" * 10_000] })
    end
    wait_until_running(connection.backend_pid, "pg_sleep")
    thread.kill
    expect(thread.join(ConnectionHelpers::SOON)).to be(thread)
    expect(connection.execute("SELECT 'in step'").fetch_value).to eq("in step")
  end

  it "raises ConnectionLost when the server ends the session in the middle" do
    thread = in_thread { cursor.execute_many("SELECT pg_sleep(0.05), $1::int", Array.new(1000) { |i| [i] }) }
    wait_until_running(connection.backend_pid, "pg_sleep")
    observe("SELECT pg_terminate_backend($1::int)", [connection.backend_pid])
    expect(outcome_of(thread)).to be_a(Pgconn::ConnectionLost)
  end

  it "lets other callers' statements be answered, before or after it" do
    others = Array.new(4) { |n| in_thread { Array.new(50) { |i| connection.execute("SELECT $1::int", [(n * 100) + i]).fetch_value } } }
    many = in_thread { connection.execute_many(insertion, Array.new(5000) { |i| [i, "x"] }) }
    expect(value_of(many)).to eq(5000)
    expect(others.map { |thread| value_of(thread) }).to eq(Array.new(4) { |n| Array.new(50) { |i| (n * 100) + i } })
  end

  it "is executemany, too" do
    expect(cursor.executemany(insertion, [[1, "a"]])).to eq(1)
  end
end
