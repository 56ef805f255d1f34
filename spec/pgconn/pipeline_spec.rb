# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Connection#pipeline" do
  include PipelinedTable

  WaysOfWaiting.all.each do |name, way|
    it "gives each statement its own result in #{name}" do
      sums = way.call(server) do |keywords|
        shared = closed_later(Pgconn.connect(autocommit: true, **keywords))
        cursors = shared.pipeline { |conn| Array.new(100) { |i| conn.execute("SELECT $1::int, $2::text", [i, "t#{i}"]) } }
        cursors.map { |cursor| cursor.fetch.to_a }
      end
      expect(sums).to eq(Array.new(100) { |i| [i, "t#{i}"] })
    end
  end

  it "gives the block's value" do
    expect(connection.pipeline { 7 }).to eq(7)
  end

  it "sends nothing for a block without statements" do
    through_proxy do |proxy|
      distant = connect_tcp(port: proxy.port, autocommit: true)
      expect(proxy.round_trips { distant.pipeline { nil } }).to eq(0)
    end
  end

  it "takes one round trip for a hundred statements, BEGIN and preparing included" do
    through_proxy(delay: 0.03) do |proxy|
      distant = connect_tcp(port: proxy.port)
      round_trips = proxy.round_trips { distant.pipeline { 100.times { |i| distant.execute("SELECT $1::int", [i]) } } }
      expect(round_trips).to eq(1)
    end
  end

  it "ends the flight where a result is asked for, and begins another" do
    through_proxy(delay: 0.03) do |proxy|
      distant = connect_tcp(port: proxy.port, autocommit: true)
      round_trips = proxy.round_trips do
        distant.pipeline do
          first = distant.execute("SELECT 1")
          distant.execute("SELECT 2")
          first.fetch_value
          distant.execute("SELECT 3")
        end
      end
      expect(round_trips).to eq(2)
    end
  end

  it "waits for the result where rowcount, description, statusmessage or rownumber is read" do
    connection.pipeline do
      expect(insert(1).rowcount).to eq(1)
      expect(connection.execute("SELECT 1 AS one").description.map(&:name)).to eq(["one"])
      expect(insert(2).statusmessage).to eq("INSERT 0 1")
      expect(connection.execute("SELECT 1").rownumber).to eq(0)
    end
  end

  it "takes values as they are when execute is called" do
    text = +"before"
    cursor = connection.pipeline do
      connection.execute("SELECT $1::text", [text]).tap { text.replace("after") }
    end
    expect(cursor.fetch_value).to eq("before")
  end

  it "raises for wrong arguments from execute itself, and goes on with the others" do
    connection.pipeline do
      insert(1)
      expect { connection.execute("SELECT $1::int", []) }.to raise_error(Pgconn::ProgrammingError, /1/)
      expect { connection.execute("SELECT $1::text", ["\0"]) }.to raise_error(Pgconn::DataError)
      insert(2)
    end
    expect(ids).to eq([1, 2])
  end

  it "can be sent when a cursor is executed again before its first result was taken" do
    cursor = connection.cursor
    connection.pipeline do
      cursor.execute("SELECT 1")
      cursor.execute("SELECT 2")
    end
    expect(cursor.fetch_all.map(&:to_a)).to eq([[2]])
  end

  it "keeps what it was called with, and makes of the answers, from the collector", gc_stress: :in_part do
    values = GCMode.stressed do
      connection.pipeline { Array.new(3) { |i| connection.execute("SELECT $1::int, $2::text", [i, "x#{i}"]) } }.map(&:fetch)
    end
    expect(values.map(&:to_a)).to eq([[0, "x0"], [1, "x1"], [2, "x2"]])
  end

  it "leaves what it was called with to another connection's executes" do
    other = connect(autocommit: true)
    connection.pipeline { expect(other.execute("SELECT 5").fetch_value).to eq(5) }
  end

  it "prepares a statement that is executed often in it" do
    2.times { connection.pipeline { 5.times { |i| connection.execute("SELECT $1::int AS often", [i]) } } }
    names = connection.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%often%' AND name <> ''")
    expect(names.fetch_value).to eq(1)
  end

  it "needs a block" do
    expect { connection.pipeline }.to raise_error(ArgumentError)
  end

  it "is refused on an async connection" do
    async = connect_async
    expect { async.pipeline { nil } }.to raise_error(Pgconn::ProgrammingError)
  end

  it "is refused on a closed connection" do
    connection.close
    expect { connection.pipeline { nil } }.to raise_error(Pgconn::InterfaceError)
  end

  it "lets statements that change the session go by themselves, in their order" do
    seen = connection.pipeline do
      before = connection.execute("SELECT current_setting('application_name')")
      connection.execute("SET application_name TO 'between'")
      [before, connection.execute("SELECT current_setting('application_name')")]
    end
    expect(seen.last.fetch_value).to eq("between")
    expect(seen.first.fetch_value).not_to eq("between")
  end

  it "asks for parameter types that it must know, behind what was gathered" do
    connection.pipeline do
      connection.execute("CREATE TEMP TABLE made_in_it (list int[])")
      connection.execute("INSERT INTO made_in_it VALUES ($1)", [[1, 2]])
    end
    expect(connection.execute("SELECT list FROM made_in_it").fetch_value).to eq([1, 2])
  end

  it "makes its statements anew where a table has changed since they were prepared" do
    3.times { connection.execute("SELECT * FROM pipelined").fetch_all }
    connection.execute("ALTER TABLE pipelined ADD COLUMN more text")
    cursors = connection.pipeline { [insert(1), connection.execute("SELECT * FROM pipelined")] }
    expect(cursors.last.fetch.to_a).to eq([1, nil])
  end

  it "holds several statements in one string, too" do
    last = connection.pipeline do
      insert(1)
      connection.execute("INSERT INTO pipelined VALUES (2); SELECT count(*) FROM pipelined")
    end
    expect(last.next_result).to be(true)
    expect(last.fetch_value).to eq(2)
  end

  describe "left early" do
    it "sends nothing of what was gathered when it raises" do
      cursor = nil
      expect do
        connection.pipeline do
          cursor = insert(1)
          raise IndexError
        end
      end.to raise_error(IndexError)
      expect { cursor.rowcount }.to raise_error(Pgconn::PipelineAborted, /never sent/) { |error|
        expect(error.outcome).to eq(:not_sent)
      }
      expect(ids).to eq([])
    end

    it "sends it when it is left by break" do
      connection.pipeline do
        insert(1)
        break
      end
      expect(ids).to eq([1])
    end

    it "keeps the connection in step when it is killed in the middle of an answer" do
      thread = in_thread { connection.pipeline { [insert(1), connection.execute("SELECT pg_sleep(60)")] } }
      wait_until_running(connection.backend_pid, "pg_sleep")
      thread.kill
      expect(thread.join(ConnectionHelpers::SOON)).to be(thread)
      expect(ids).to eq([])
    end
  end

  it "isn't sent by looking at a cursor with inspect" do
    connection.pipeline do
      expect(insert(1).inspect).to eq("#<Pgconn::Cursor in a pipeline>")
      raise Pgconn::Rollback
    end
  rescue Pgconn::Rollback
    expect(ids).to eq([])
  end

  it "is cancelled, as far as it was sent together, by any of its cursors from another thread" do
    last = connection.cursor
    thread = in_thread do
      connection.pipeline do
        connection.execute("SELECT pg_sleep(60)")
        last.execute("SELECT 1")
      end
    end
    wait_until_running(connection.backend_pid, "pg_sleep")
    last.cancel
    expect(outcome_of(thread)).to be_a(Pgconn::QueryCanceledError)
  end

  it "within another one sends first what that has gathered" do
    connection.pipeline do
      insert(1)
      connection.pipeline { insert(2) }
      expect(connection.execute("SELECT count(*) FROM pipelined").fetch_value).to eq(2)
    end
  end

  it "counts against the earliest timeout of its statements" do
    expect do
      connection.pipeline do
        connection.execute("SELECT pg_sleep(60)", timeout: 30)
        connection.execute("SELECT 1", timeout: 0.2)
      end
    end.to raise_error(Pgconn::QueryCanceledError)
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "raises ConnectionLost for each of its statements when the server ends the session" do
    cursors = []
    expect do
      connection.pipeline do
        cursors << insert(1) << connection.execute("SELECT pg_terminate_backend(pg_backend_pid())") << insert(2)
      end
    end.to raise_error(Pgconn::ConnectionLost)
    expect(connection).to be_broken
    cursors.each { |cursor| expect { cursor.rowcount }.to raise_error(Pgconn::ConnectionLost) }
  end

  it "tells the tracer of each statement with its rows or its error" do
    events = []
    connection.tracer = ->(event) { events << [event.sql, event.rows, event.error&.class] }
    error_of { connection.pipeline { [insert(1), connection.execute("SELECT 1/0"), insert(2)] } }
    expect(events).to eq([["INSERT INTO pipelined VALUES ($1)", 1, nil],
                          ["SELECT 1/0", nil, Pgconn::Errors::DivisionByZero],
                          ["INSERT INTO pipelined VALUES ($1)", nil, Pgconn::PipelineAborted]])
  end

  it "isn't sent again unseen behind a procedure that has committed" do
    connection.execute("CREATE TABLE committed (id int)")
    connection.execute("CREATE PROCEDURE commits() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO committed VALUES (1); COMMIT; END $$")
    3.times { connection.execute("SELECT * FROM pipelined").fetch_all }
    connection.execute("ALTER TABLE pipelined ADD COLUMN more text")
    error_of do
      connection.pipeline { [connection.execute("CALL commits()"), connection.execute("SELECT * FROM pipelined")] }
    end
    expect(connection.execute("SELECT count(*) FROM committed").fetch_value).to be <= 1
  ensure
    connection.execute("DROP PROCEDURE IF EXISTS commits(); DROP TABLE IF EXISTS committed")
  end

  it "is encoded anew where another thread has changed the client encoding while it was gathered" do
    cursors = connection.pipeline do
      first = connection.execute("SELECT $1::text", ["é"])
      value_of(in_thread { connection.execute("SET client_encoding TO 'LATIN1'") })
      [first, connection.execute("SELECT $1::text", ["ü"])]
    end
    expect(cursors.map { |cursor| cursor.fetch_value.encode("UTF-8") }).to eq(%w[é ü])
  end

  it "can be added to by what a value's to_pg executes" do
    owner = connection
    value = Class.new { define_method(:to_pg) { owner.execute("SELECT 41").fetch_value + 1 } }.new
    cursors = connection.pipeline { [insert(1), connection.execute("SELECT $1::int", [value])] }
    expect(cursors.last.fetch_value).to eq(42)
  end

  it "lets handlers and tracers execute by themselves" do
    seen = []
    connection.on_notice { seen << connection.execute("SELECT 'handler'").fetch_value }
    connection.pipeline { [connection.execute("DO $$ BEGIN RAISE NOTICE 'x'; END $$"), insert(1)] }
    expect(seen).to eq(["handler"])
  end

  it "raises an error that nobody has got before anything further is sent" do
    expect do
      connection.pipeline do
        connection.execute("SELECT 1/0")
        first = insert(1)
        error_of { first.rowcount } # PipelineAborted
        insert(2).rowcount
      end
    end.to raise_error(Pgconn::Errors::DivisionByZero)
    expect(ids).to eq([])
  end

  it "delivers notices and notifications that came with it" do
    notices = []
    connection.on_notice { |notice| notices << notice.message }
    connection.pipeline { 3.times { |i| connection.execute("DO $$ BEGIN RAISE NOTICE 'number #{i}'; END $$") } }
    expect(notices).to eq(["number 0", "number 1", "number 2"])
  end

  it "sends more than both sides' buffers hold" do
    cursors = connection.pipeline do
      Array.new(300) { connection.execute("SELECT repeat($1::text, 20)", ["x" * 5000]) }
    end
    expect(cursors.sum { |cursor| cursor.fetch_value.size }).to eq(300 * 100_000)
  end

  it "is one caller's: what others execute meanwhile gets its answer at once, and pipelines don't mix" do
    threads = Array.new(8) do |number|
      in_thread do
        Array.new(10) do |round|
          connection.pipeline { Array.new(10) { |i| connection.execute("SELECT $1::int", [(number * 1000) + (round * 10) + i]) } }
                    .map(&:fetch_value)
        end.flatten
      end
    end
    expect(threads.map { |thread| value_of(thread) }).to eq(Array.new(8) { |number| Array.new(100) { |i| (number * 1000) + i } })
  end

  it "gathers only what the fiber that opened it executes: one that is dropped swallows nothing of others" do
    Fiber.new { connection.pipeline { Fiber.yield } }.resume
    expect(insert(1).inspect).to eq("#<Pgconn::Cursor INSERT 0 1>")
    expect(ids).to eq([1])
  end

  it "can be left to the collector in the middle, in a Fiber that is dropped" do
    Fiber.new do
      connection.pipeline do
        insert(1)
        Fiber.yield
      end
    end.resume
    GC.start
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end
end
