# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Connection#pipeline" do
  let(:connection) { connect(autocommit: true) }

  before { connection.execute("CREATE TEMP TABLE pipelined (id int PRIMARY KEY)") }

  def insert(id)
    connection.execute("INSERT INTO pipelined VALUES ($1)", [id])
  end

  def ids
    connection.execute("SELECT id FROM pipelined ORDER BY id").column(0)
  end

  # The error that the block raises.
  def error_of
    yield
    nil
  rescue StandardError => e
    e
  end

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
    async = connect(async: true)
    nil until async.poll == Pgconn::POLL_OK
    expect { async.pipeline { nil } }.to raise_error(Pgconn::ProgrammingError)
  end

  it "is refused on a closed connection" do
    connection.close
    expect { connection.pipeline { nil } }.to raise_error(Pgconn::InterfaceError)
  end

  describe "with an error" do
    def failing
      connection.pipeline do
        @cursors = [insert(1), connection.execute("SELECT 1/0"), insert(2)]
        yield(*@cursors) if block_given?
      end
    end

    it "raises it at the end of the block if nobody has asked" do
      expect { failing }.to raise_error(Pgconn::Errors::DivisionByZero) { |error|
        expect(error.query).to eq("SELECT 1/0")
        expect(error.cursor).to be(@cursors[1])
      }
    end

    it "undoes what was sent with it in autocommit" do
      error_of { failing }
      expect(ids).to eq([])
    end

    it "raises it where its result is asked for, and not again at the end" do
      failing do |_, failed|
        expect { failed.fetch }.to raise_error(Pgconn::Errors::DivisionByZero)
      end
    end

    it "gives the results of the statements before it, and PipelineAborted for those behind it" do
      expect { failing }.to raise_error(Pgconn::Errors::DivisionByZero)
      expect(@cursors[0].rowcount).to eq(1)
      expect { @cursors[1].rowcount }.to raise_error(Pgconn::Errors::DivisionByZero)
      expect { @cursors[2].rowcount }.to raise_error(Pgconn::PipelineAborted) { |error|
        expect(error.cause).to be_a(Pgconn::Errors::DivisionByZero)
        expect(error.query).to start_with("INSERT")
      }
    end

    it "raises PipelineAborted where a skipped statement's result is asked for first, then the error at the end" do
      expect do
        failing { |_, _, skipped| expect { skipped.fetch }.to raise_error(Pgconn::PipelineAborted) }
      end.to raise_error(Pgconn::Errors::DivisionByZero)
    end

    it "counts the error's position in the user's own text" do
      error = error_of { connection.pipeline { connection.execute("SELECT :a::int, nowhere", a: 1) } }
      expect(error.diag.position).to eq("SELECT :a::int, n".length)
    end

    it "raises it before a statement that goes by itself, which isn't executed" do
      expect do
        connection.pipeline do
          connection.execute("SELECT 1/0")
          connection.execute("SET application_name TO 'changed'")
        end
      end.to raise_error(Pgconn::Errors::DivisionByZero)
      expect(connection.parameter_status("application_name")).not_to eq("changed")
    end

    it "raises that of a deferred constraint, which comes when all have been answered" do
      connection.execute("CREATE TEMP TABLE deferred (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
      expect do
        connection.pipeline { 2.times { connection.execute("INSERT INTO deferred VALUES (1)") } }
      end.to raise_error(Pgconn::Errors::UniqueViolation)
    end

    it "gives that of a deferred constraint to the last statement, with which all of them commit" do
      connection.execute("CREATE TEMP TABLE deferred (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
      cursors = []
      error = error_of do
        connection.pipeline do
          2.times { cursors << connection.execute("INSERT INTO deferred VALUES (1)") }
          cursors << connection.execute("SELECT 1")
        end
      end
      expect(cursors[0..1].map(&:rowcount)).to eq([1, 1])
      expect { cursors[2].fetch }.to raise_error(error)
      expect(connection.execute("SELECT count(*) FROM deferred").fetch_value).to eq(0)
    end

    it "leaves the connection usable, also for another pipeline" do
      error_of { failing }
      expect(connection.pipeline { connection.execute("SELECT 6") }.fetch_value).to eq(6)
    end

    it "fails an open transaction" do
      connection.autocommit = false
      error_of { failing }
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INERROR)
      connection.rollback
    end
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

  describe "with a statement that the server executes by itself only" do
    before { connection.execute("CREATE TABLE maintained (id int)") }

    after do
      connection.execute("DROP TABLE maintained")
      connection.execute("DROP DATABASE IF EXISTS pgconn_made_in_a_pipeline")
    end

    ["VACUUM maintained", "/* all */ cluster", "CREATE DATABASE pgconn_made_in_a_pipeline",
     ";DROP TABLESPACE IF EXISTS nowhere", "DROP DATABASE IF EXISTS pgconn_made_in_a_pipeline",
     "CREATE INDEX CONCURRENTLY ON maintained (id)", "DROP INDEX CONCURRENTLY IF EXISTS nowhere",
     "REINDEX TABLE CONCURRENTLY maintained", "ALTER SYSTEM RESET work_mem"].each do |sql|
      it "lets #{sql} go by itself, in its order" do
        seen = connection.pipeline do
          connection.execute("INSERT INTO maintained VALUES (1)")
          connection.execute(sql)
          connection.execute("SELECT count(*) FROM maintained")
        end
        expect(seen.fetch_value).to eq(1)
      end
    end

    it "keeps what was executed before it, should what comes behind it fail" do
      error_of do
        connection.pipeline do
          insert(1)
          connection.execute("VACUUM maintained")
          connection.execute("SELECT 1/0")
        end
      end
      expect(ids).to eq([1])
    end

    it "keeps other definitions together with the rest" do
      error_of do
        connection.pipeline do
          connection.execute("CREATE TABLE undone (concurrent int DEFAULT 1, \"concurrently\" int)")
          connection.execute("SELECT 1/0")
        end
      end
      expect(connection.execute("SELECT to_regclass('undone')").fetch_value).to be_nil
    end
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

  describe "and transactions" do
    it "commits what it has gathered before with commit" do
      connection.autocommit = false
      connection.pipeline do
        insert(1)
        connection.commit
        insert(2)
      end
      connection.rollback
      expect(ids).to eq([1])
    end

    {
      "rollback" => :rollback.to_proc,
      "reset" => :reset.to_proc,
      "ROLLBACK" => ->(conn) { conn.execute("ROLLBACK") },
      "ROLLBACK TO" => ->(conn) { conn.execute("ROLLBACK TO before") }
    }.each do |name, undo|
      it "rolls back with #{name} also what has failed, whose error comes out at the end" do
        connection.execute("BEGIN; SAVEPOINT before")
        failed = nil
        error = error_of do
          connection.pipeline do
            failed = connection.execute("SELECT 1/0")
            undo.call(connection)
            expect(connection.transaction_status).not_to eq(Pgconn::TRANSACTION_STATUS_INERROR)
          end
        end
        expect(error).to be_a(Pgconn::Errors::DivisionByZero)
        expect { failed.fetch }.to raise_error(error)
      end
    end

    it "sends nothing behind an error that nobody has got, but rolls back" do
      connection.autocommit = false
      unsent = nil
      expect do
        connection.pipeline do
          connection.execute("SELECT 1/0")
          error_of { insert(1).fetch } # PipelineAborted
          unsent = insert(2)
          connection.rollback
          expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
        end
      end.to raise_error(Pgconn::Errors::DivisionByZero)
      expect { unsent.fetch }.to raise_error(Pgconn::PipelineAborted, /never sent/)
    end

    it "doesn't raise at the end what was raised before rollback" do
      connection.autocommit = false
      connection.pipeline do
        expect { connection.execute("SELECT 1/0").fetch }.to raise_error(Pgconn::Errors::DivisionByZero)
        connection.rollback
        insert(1)
        connection.commit
      end
      expect(ids).to eq([1])
    end

    it "rolls back a two-phase transaction in which something gathered has failed" do
      connection.autocommit = false
      expect do
        connection.pipeline do
          connection.tpc_begin("in a pipeline")
          connection.execute("SELECT 1/0")
          connection.tpc_rollback
          expect(connection.status).to eq(Pgconn::STATUS_READY)
        end
      end.to raise_error(Pgconn::Errors::DivisionByZero)
    end

    it "sends nothing of a block that is left by an exception, for a subclass's rollback neither" do
      calls = []
      subclass = Class.new(Pgconn::Connection) do
        define_method(:rollback) { super().tap { calls << :rollback } }
      end
      own = connect(autocommit: true, connection_factory: subclass)
      cursor = nil
      error_of do
        own.pipeline do
          own.transaction do
            cursor = own.execute("SELECT 1/0")
            raise IndexError
          end
        end
      end
      expect { cursor.fetch }.to raise_error(Pgconn::PipelineAborted, /never sent/)
      expect(calls).to eq([:rollback])
    end

    it "can be in a block" do
      connection.transaction { connection.pipeline { insert(1) } }
      expect(ids).to eq([1])
    end

    it "can have blocks in it, of which each takes its own statements" do
      connection.pipeline do
        insert(1)
        connection.transaction { insert(2) }
        error_of do
          connection.transaction do
            insert(3)
            raise "stop"
          end
        end
        insert(4)
      end
      expect(ids).to eq([1, 2, 4])
    end

    it "commits the block in which its error was told only if it was left well" do
      expect do
        connection.transaction { connection.pipeline { [insert(1), connection.execute("SELECT 1/0")] } }
      end.to raise_error(Pgconn::Errors::DivisionByZero)
      expect(ids).to eq([])
    end
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
