# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::Cursor, "#stream" do
  let(:connection) { connect(autocommit: true) }
  let(:cursor) { connection.cursor }

  # Rows of 100 bytes and more, made by the server while they are sent.
  def many(count)
    "SELECT generate_series(1, #{count}) AS i, repeat('x', 100) AS filler"
  end

  def streamed(*arguments, **keywords)
    rows = []
    cursor.stream(*arguments, **keywords) { |row| rows << row }
    rows
  end

  def expect_in_step
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  describe "yields each row as it arrives" do
    it "with the values that execute gives, in text and, once the statement is prepared, in binary" do
      sql = <<~SQL
        SELECT i::int8, i / 7.0::float8, (i * 1.5)::numeric, 'é' || i, i % 2 = 0, date '2024-02-29' + i, NULL::int,
               timestamptz '2024-02-29 12:00Z' + i * interval '1 s', md5(i::text)::uuid, ARRAY[i, NULL], jsonb_build_object('i', i),
               int4range(i, i + 5), '\\x00ff'::bytea, ''
        FROM generate_series(1, 50) AS i
      SQL
      expected = connect(autocommit: true).execute(sql).fetch_all
      4.times { expect(streamed(sql)).to eq(expected) }
    end

    it "binds parameters by number and by name" do
      expect(streamed("SELECT $1::int + i FROM generate_series(1, $2::int) AS i", [10, 2])).to eq([[11], [12]])
      expect(streamed("SELECT :a::text", a: "x")).to eq([["x"]])
    end

    it "asks for the types of parameters where it has to, as execute does" do
      expect(streamed("SELECT $1 = ANY($2::int[])", [1, [1, 2]])).to eq([[true]])
    end

    it "in the shape that the cursor's row: says", gc_stress: :in_part do
      sql = "SELECT i, i * 2 AS twice FROM generate_series(1, 2) AS i"
      shapes = { array: [[1, 2], [2, 4]], hash: [{ i: 1, twice: 2 }, { i: 2, twice: 4 }] }
      shapes.each { |shape, rows| expect(GCMode.stressed { connection.cursor(row: shape).stream(sql).to_a }).to eq(rows) }
      structs = connection.cursor(row: :struct).stream(sql).to_a
      expect(structs.map(&:twice)).to eq([2, 4])
      expect(structs.map(&:class).uniq.size).to eq(1)
      named = connection.cursor(row: ->(columns, values) { columns.map(&:name).zip(values) })
      expect(named.stream(sql).first).to eq([["i", 1], ["twice", 2]])
    end

    it "in their order, however many there are, and of any size" do
      sum = count = 0
      cursor.stream(many(100_000)) { |row| [sum += row[0], count += 1] }
      expect([sum, count]).to eq([5_000_050_000, 100_000])
      sizes = streamed("SELECT repeat('x', i * 1000000) FROM generate_series(0, 3) AS i").map { |row| row[0].size }
      expect(sizes).to eq([0, 1_000_000, 2_000_000, 3_000_000])
    end

    it "also rows without columns" do
      expect(streamed("SELECT FROM generate_series(1, 3)").map(&:to_a)).to eq([[], [], []])
    end

    it "of RETURNING, too" do
      connection.execute("CREATE TEMP TABLE returned (i int)")
      expect(streamed("INSERT INTO returned SELECT generate_series(1, 3) RETURNING i")).to eq([[1], [2], [3]])
      expect(cursor.rowcount).to eq(3)
    end

    it "of whatever else gives rows: EXPLAIN, SHOW, CALL, FETCH, EXECUTE" do
      connection.execute("CREATE OR REPLACE PROCEDURE pg_temp.adds(INOUT a int) LANGUAGE plpgsql AS 'BEGIN a := a + 1; END'")
      connection.execute("PREPARE counts AS SELECT generate_series(1, 2)")
      expect(streamed("EXPLAIN SELECT 1")[0][0]).to start_with("Result")
      expect(streamed("SHOW standard_conforming_strings")).to eq([["on"]])
      expect(streamed("CALL pg_temp.adds(1)")).to eq([[2]])
      expect(streamed("EXECUTE counts")).to eq([[1], [2]])
      connection.transaction do
        connection.execute("DECLARE rows CURSOR FOR SELECT generate_series(1, 9)")
        expect(streamed("FETCH 2 FROM rows")).to eq([[1], [2]])
      end
    end

    it "before the server has all of them" do
      taken = nil
      cursor.stream("SELECT i, repeat('x', 10000) FROM (VALUES (1), (2), (30)) AS v (i), pg_sleep(CASE i WHEN 30 THEN 60 ELSE 0 END)") do |row|
        taken = row[0]
        break if taken == 1
      end
      expect(taken).to eq(1)
      expect_in_step
    end

    it "while nothing is read from the socket: the server waits" do
      through_proxy do |proxy|
        far = connect(nil, host: proxy.host, port: proxy.port, dbname: server.database, user: server.user,
                           sslmode: "disable", autocommit: true)
        far.cursor.stream(many(1_000_000)) do |row|
          if row[0] == 1
            wait_until_blocked(far.backend_pid)
            expect(proxy.counts.bytes_to_client).to be < 50_000_000
          end
          break if row[0] == 2
        end
        expect(far.execute("SELECT 1").fetch_value).to eq(1)
      end
    end

    def wait_until_blocked(pid)
      eventually("the server waits for its client") do
        observe("SELECT wait_event FROM pg_stat_activity WHERE pid = $1", [pid]) == "ClientWrite"
      end
    end
  end

  describe "tells by the cursor" do
    it "the columns and how many rows there were so far" do
      seen = []
      cursor.stream("SELECT i FROM generate_series(1, 3) AS i") do
        seen << [cursor.description.map(&:name), cursor.rowcount, cursor.rownumber, cursor.fetch]
      end
      expect(seen).to eq([[["i"], 1, 1, nil], [["i"], 2, 2, nil], [["i"], 3, 3, nil]])
    end

    it "at the end the number of rows and the tag, with no rows left to fetch" do
      expect(cursor.stream("SELECT i FROM generate_series(1, 3) AS i") { nil }).to equal(cursor)
      expect([cursor.rowcount, cursor.statusmessage, cursor.rownumber, cursor.query])
        .to eq([3, "SELECT 3", 3, "SELECT i FROM generate_series(1, 3) AS i"])
      expect([cursor.fetch, cursor.fetch_all, cursor.fetch_many(2), cursor.column(0), cursor.each.size])
        .to eq([nil, [], [], [], 0])
      expect(cursor.execute("SELECT 7").fetch_value).to eq(7)
    end

    it "of a statement without rows what execute would, and yields nothing" do
      expect(streamed("CREATE TEMP TABLE created (i int)")).to eq([])
      expect(cursor.statusmessage).to eq("CREATE TABLE")
      expect(streamed("SELECT 1 WHERE false")).to eq([])
      expect([cursor.rowcount, cursor.description.size]).to eq([0, 1])
    end

    it "nothing once it was left early or has failed" do
      cursor.stream("SELECT generate_series(1, 3)") { break }
      expect([cursor.description, cursor.rowcount]).to eq([nil, -1])
      expect { cursor.fetch }.to raise_error(Pgconn::ProgrammingError, /no results/)
      expect { streamed("SELECT 1 / (3 - i) FROM generate_series(1, 3) AS i") }.to raise_error(Pgconn::DataError)
      expect([cursor.description, cursor.rowcount]).to eq([nil, -1])
    end
  end

  describe "without a block" do
    it "gives an Enumerator, which executes nothing before it is enumerated, and then each time" do
      connection.execute("CREATE TEMP SEQUENCE times")
      rows = cursor.stream("SELECT nextval('times') + $1::int", [10])
      expect(rows).to be_an(Enumerator)
      expect([rows.to_a, rows.to_a]).to eq([[[11]], [[12]]])
    end

    it "is lazy: what isn't wanted is cancelled" do
      expect(cursor.stream(many(10_000_000)).lazy.map { |row| row[0] * 2 }.first(10)).to eq((2..20).step(2).to_a)
      expect_in_step
    end

    it "may be read row by row; in between the connection is its own" do
      rows = cursor.stream(many(100_000))
      expect([rows.next[0], rows.next[0]]).to eq([1, 2])
      expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::ProgrammingError, /a stream holds the connection/)
      other = in_thread { connection.execute("SELECT 'other'").fetch_value }
      99_998.times { rows.next }
      expect { rows.next }.to raise_error(StopIteration)
      expect(value_of(other)).to eq("other")
      expect_in_step
    end

    it "begins anew by rewind, which ends what was under way" do
      rows = cursor.stream(many(10_000_000))
      expect([rows.next[0], rows.peek[0], rows.next[0]]).to eq([1, 2, 2])
      rows.rewind
      expect_in_step
      expect([rows.next[0], cursor.rowcount]).to eq([1, 1])
      rows.rewind
      expect([cursor.description, cursor.rowcount]).to eq([nil, -1])
      expect_in_step
    end

    it "by rewind in the middle of another stream of its cursor ends that one with an error" do
      rows = cursor.stream("SELECT 1")
      expect { cursor.stream(many(10_000_000)) { rows.rewind } }.to raise_error(Pgconn::ProgrammingError, /rewind/)
      expect_in_step
      expect([rows.rewind.to_a, rows.to_a]).to eq([[[1]], [[1]]])
    end

    it "by rewind leaves alone what is under way of another cursor or by another thread" do
      count = 0
      others = connection.cursor.stream("SELECT 1")
      cursor.stream(many(1000)) { others.rewind && count += 1 }
      expect(count).to eq(1000)
      rows = cursor.stream(many(1000))
      rows.next
      value_of(in_thread { cursor.stream("SELECT 1").rewind })
      expect(Array.new(999) { rows.next[0] }).to eq([*2..1000])
      expect { rows.next }.to raise_error(StopIteration)
    end

    it "by rewind leaves alone the COPY of its cursor that goes into a table" do
      connection.execute("CREATE TEMP TABLE copied (i int)")
      rows = cursor.stream("SELECT 1")
      data = ["1\n", "2\n", nil].each
      source = Class.new { define_method(:read) { |_| rows.rewind && data.next } }.new
      expect(cursor.copy_from(source, "copied")).to eq(2)
    end

    it "may be rewound where its cursor or its connection is closed" do
      closed = connect(autocommit: true)
      rows = closed.cursor.stream(many(10_000))
      rows.next
      closed.close
      expect { rows.rewind.next }.to raise_error(Pgconn::InterfaceError)
    end

    it "lets the others go on when it was dropped half-way and collected" do
      drop_half_way
      other = in_thread { connection.execute("SELECT 'other'").fetch_value }
      eventually("the Enumerator is collected") { GC.start || other.join(0.1) }
      expect(value_of(other)).to eq("other")
      expect_in_step
    end

    # In a thread, on whose stack nothing of it is left.
    def drop_half_way
      value_of(in_thread { cursor.stream(many(10_000_000)).next.size })
    end
  end

  describe "left early" do
    it "by break at row 10 of ten million: the next statement is answered, and under 1 % of the bytes have come" do
      rows = "SELECT i, repeat('x', 1000) FROM (SELECT generate_series(1, 10000000) AS i) AS numbers"
      whole = 10_000_000 * 1020 # bytes of a row, with what the protocol adds
      through_proxy do |proxy|
        far = connect(nil, host: proxy.host, port: proxy.port, dbname: server.database, user: server.user,
                           sslmode: "disable", autocommit: true)
        expect(far.cursor.stream(rows) { |row| break row[0] if row[0] == 10 }).to eq(10)
        expect(far.execute("SELECT 'next'").fetch_value).to eq("next")
        expect(proxy.counts.bytes_to_client).to be < whole / 100
      end
    end

    it "by an exception, a throw or return leaves the connection in step, and comes out" do
      expect { cursor.stream(many(10_000_000)) { raise IndexError, "mine" } }.to raise_error(IndexError, "mine")
      expect_in_step
      expect(catch(:done) { cursor.stream(many(10_000_000)) { throw :done, 5 } }).to eq(5)
      expect_in_step
      expect(first_of(many(10_000_000))).to eq(1)
      expect_in_step
    end

    def first_of(sql)
      cursor.stream(sql) { |row| return row[0] }
    end

    it "fails the transaction, which a rollback ends" do
      transactional = connect
      transactional.cursor.stream(many(10_000_000)) { break }
      expect { transactional.execute("SELECT 1") }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
      transactional.rollback
      expect(transactional.execute("SELECT 1").fetch_value).to eq(1)
    end

    it "fails the block of a transaction, whose end says so and leaves the connection usable" do
      expect { connection.transaction { cursor.stream(many(10_000_000)) { break } } }
        .to raise_error(Pgconn::Errors::InFailedSqlTransaction, /nothing is committed/)
      expect_in_step
    end

    it "by a callable that executes on the connection, which is refused" do
      executing = connection.cursor(row: ->(*) { connection.execute("SELECT 1") })
      expect { executing.stream(many(10_000_000)) { nil } }.to raise_error(Pgconn::ProgrammingError, /a stream holds/)
      expect_in_step
    end

    it "by a callable or a decoder that raises, too" do
      raising = connection.cursor(row: ->(_columns, values) { values[0] == 3 ? raise(IndexError, "three") : values })
      expect { raising.stream(many(10_000_000)) { nil } }.to raise_error(IndexError, "three")
      expect_in_step
    end
  end

  describe "in a transaction" do
    let(:connection) { connect }

    it "begins one and is part of it" do
      connection.execute("CREATE TEMP TABLE part AS SELECT generate_series(1, 3) AS i")
      expect(streamed("SELECT i FROM part")).to eq([[1], [2], [3]])
      connection.rollback
      expect { streamed("SELECT i FROM part") }.to raise_error(Pgconn::Errors::UndefinedTable)
    end

    it "in the block of a transaction or of a pipeline: what was gathered goes first" do
      rows = connection.transaction { streamed("SELECT generate_series(1, 2)") }
      expect(rows).to eq([[1], [2]])
      connection.pipeline do
        gathered = connection.execute("CREATE TEMP TABLE piped AS SELECT 3 AS i")
        expect(streamed("SELECT i FROM piped")).to eq([[3]])
        expect(gathered.statusmessage).to eq("SELECT 1")
      end
    end
  end

  describe "raises" do
    it "an error of the server behind the rows that came before it" do
      rows = []
      expect { cursor.stream("SELECT 1 / (3 - i) FROM generate_series(1, 5) AS i") { |row| rows << row[0] } }
        .to raise_error(Pgconn::Errors::DivisionByZero) { |error| expect(error.cursor).to equal(cursor) }
      expect(rows).to eq([0, 1])
      expect_in_step
      rows = 0
      expect { cursor.stream("SELECT 1 / (1000 - i) FROM generate_series(1, 2000) AS i") { rows += 1 } }
        .to raise_error(Pgconn::Errors::DivisionByZero)
      expect(rows).to eq(999)
    end

    it "an error of the server before any rows" do
      expect { streamed("SELECT nonsense") }.to raise_error(Pgconn::Errors::UndefinedColumn)
      expect { streamed("SELECT $1::int", ["x"]) }.to raise_error(Pgconn::DataError)
      expect_in_step
    end

    it "ProgrammingError for several statements, none, COPY, and parameters that don't fit" do
      expect { streamed("SELECT 1; SELECT 2") }.to raise_error(Pgconn::ProgrammingError, /one statement/)
      ["", "COPY pg_class TO STDOUT", nil].each do |sql|
        expect { streamed(sql) }.to raise_error(Pgconn::ProgrammingError)
      end
      expect { streamed("SELECT $1::int") }.to raise_error(Pgconn::ProgrammingError)
      expect_in_step
    end

    it "ProgrammingError for what its block executes on the connection, and goes on" do
      refused = [-> { connection.execute("SELECT 1") }, -> { cursor.execute("SELECT 1") }, -> { cursor.stream("SELECT 1") { nil } },
                 -> { connection.commit }, -> { connection.transaction { nil } }, -> { connection.copy_out("pg_class") { nil } }]
      numbers = []
      cursor.stream("SELECT generate_series(0, #{refused.size - 1})") do |row|
        numbers << row[0]
        expect { refused[row[0]].call }.to raise_error(Pgconn::ProgrammingError, /a stream holds the connection/)
      end
      expect(numbers.size).to eq(refused.size)
      expect_in_step
    end

    it "InterfaceError for what is closed" do
      cursor.close
      expect { cursor.stream("SELECT 1") { nil } }.to raise_error(Pgconn::InterfaceError)
      connection.close
      expect { connection.cursor.stream("SELECT 1") { nil } }.to raise_error(Pgconn::InterfaceError)
    end

    it "InterfaceError when its block closes the connection, ConnectionLost when the server is killed" do
      expect { cursor.stream(many(1_000_000)) { connection.close } }.to raise_error(Pgconn::InterfaceError)
      lost = connect(autocommit: true)
      kill = -> { observe("SELECT pg_terminate_backend($1)", [lost.backend_pid]) }
      expect { lost.cursor.stream(many(1_000_000)) { |row| row[0] == 10 && kill.call } }
        .to raise_error(Pgconn::OperationalError)
      expect(lost.broken?).to be(true)
    end
  end

  it "is told to the tracer with its rows" do
    told = []
    connection.tracer = ->(event) { told << [event.sql, event.rows] }
    streamed("SELECT generate_series(1, 3)")
    expect(told).to eq([["SELECT generate_series(1, 3)", 3]])
  end

  it "reads by columns that have changed since the statement was prepared" do
    connection.execute("CREATE TEMP TABLE changing AS SELECT 1 AS a")
    4.times { streamed("SELECT * FROM changing") }
    connection.execute("ALTER TABLE changing ALTER a TYPE text USING a || 'x', ADD b int")
    expect(streamed("SELECT * FROM changing").map(&:to_h)).to eq([{ a: "1x", b: nil }])
  end

  it "yields rows that the collector leaves whole", gc_stress: :in_part do
    sql = "SELECT i, 'x' || i AS name, ARRAY[i, NULL] AS list FROM generate_series(1, 3) AS i"
    [nil, :struct].each do |shape|
      streaming = connection.cursor(row: shape)
      rows = GCMode.stressed { [].tap { |taken| streaming.stream(sql) { |row| taken << row } } }
      expect(rows.map(&:to_a)).to eq((1..3).map { |i| [i, "x#{i}", [i, nil]] })
    end
  end

  it "goes on while its block has objects moved, in any shape", if: GC.respond_to?(:compact) do
    sql = "SELECT i, 'x' || i AS name FROM generate_series(1, 20) AS i"
    named = ->(columns, values) { columns.map(&:name).zip(values).to_h }
    [nil, :hash, :struct, named].each do |shape|
      rows = []
      connection.cursor(row: shape).stream(sql) { |row| GC.compact && rows << row.to_h.transform_keys(&:to_sym) }
      expect(rows).to eq((1..20).map { |i| { i: i, name: "x#{i}" } })
    end
  end

  it "is in step with any encoding" do
    connection.client_encoding = "LATIN1"
    expect(streamed("SELECT 'é'::text AS é")[0].to_h.transform_values(&:encoding)).to eq(é: Encoding::ISO_8859_1)
  end
end
