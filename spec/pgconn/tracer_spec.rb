# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Pgconn::Connection#tracer=" do
  let(:connection) { connect }
  let(:events) { [] }

  def trace
    connection.tracer = ->(event) { events << event }
  end

  it "is nil at first, and gives back what was set" do
    expect(connection.tracer).to be_nil
    tracer = trace
    expect(connection.tracer).to be(tracer)
    connection.tracer = nil
    connection.execute("SELECT 1")
    expect(events).to eq([])
  end

  it "raises TypeError for what can't be called" do
    expect { connection.tracer = Object.new }.to raise_error(TypeError, /call/)
    expect(connection.tracer).to be_nil
  end

  it "is told of each command with its SQL, rows and seconds" do
    trace
    connection.execute("SELECT generate_series(1, $1::int)", [3])
    connection.execute("CREATE TEMP TABLE t (id int)")
    connection.execute("INSERT INTO t VALUES (:a), (:b)", a: 1, b: 2)
    expect(events.map { |event| [event.sql, event.rows, event.error] }).to eq(
      [["SELECT generate_series(1, $1::int)", 3, nil], ["CREATE TEMP TABLE t (id int)", nil, nil],
       ["INSERT INTO t VALUES (:a), (:b)", 2, nil]]
    )
    expect(events.map(&:connection).uniq).to eq([connection])
  end

  it "gets frozen events, with a readable inspect and without the values of parameters" do
    trace
    connection.execute("SELECT $1::text AS t", ["secret"])
    expect(events).to all(be_frozen)
    expect(events.first.inspect).to match(/\A#<Pgconn::TraceEvent "SELECT \$1::text AS t" 1 rows, \d+\.\d{6} s>\z/)
    readers = events.first.public_methods(false) - [:connection]
    expect(readers.map { |reader| events.first.public_send(reader).inspect }.join).not_to include("secret")
  end

  it "is told when a command began by the monotonic clock, and how long it took with all waiting" do
    trace
    before = Elapsed.now
    connection.execute("SELECT pg_sleep(0.05)")
    after = Elapsed.now
    event = events.first
    expect(event.seconds).to be_between(0.05, after - before)
    expect(event.started).to be >= before
    expect(event.started + event.seconds).to be <= after
  end

  it "is told of the COMMIT and ROLLBACK that were sent; BEGIN belongs to its statement" do
    trace
    connection.execute("SELECT 1")
    connection.commit
    connection.execute("SELECT 2")
    connection.rollback
    connection.commit
    connection.rollback
    expect(events.map(&:sql)).to eq(["SELECT 1", "COMMIT", "SELECT 2", "ROLLBACK"])
  end

  it "is told of what tpc_prepare, tpc_commit, reset and client_encoding= send" do
    trace
    connection.tpc_begin("tracer")
    connection.execute("SELECT 1")
    connection.tpc_prepare
    connection.tpc_commit
    connection.client_encoding = "LATIN1"
    connection.reset
    expect(events.map(&:sql)).to eq(["SELECT 1", "PREPARE TRANSACTION 'tracer'", "COMMIT PREPARED 'tracer'",
                                     "SET client_encoding TO 'LATIN1'", "DISCARD ALL"])
    expect(connection.tracer).not_to be_nil # a reset leaves it
  end

  it "is told of callproc and of composed SQL as of the SQL that is sent" do
    trace
    connection.cursor.callproc("upper", ["a"])
    connection.execute(Pgconn::SQL.format("SELECT {}", Pgconn::SQL::Literal.new(1)))
    expect(events.map(&:sql)).to eq(['SELECT * FROM "upper"($1)', "SELECT 1"])
  end

  it "is told once of a statement that asks for its types first, or is prepared again" do
    connection.autocommit = true
    connection.execute("CREATE TEMP TABLE t (id int, list int[])")
    trace
    connection.execute("INSERT INTO t VALUES (1, $1)", [[1, 2]])
    3.times { connection.execute("SELECT * FROM t") }
    connection.execute("ALTER TABLE t ADD name text")
    connection.execute("SELECT * FROM t")
    expect(events.size).to eq(6)
  end

  it "isn't told of what the driver sends for itself" do
    connection.autocommit = true
    connection.execute("CREATE TYPE pg_temp.mood AS ENUM ('sad', 'happy')")
    trace
    connection.alive?
    connection.types.register_enum("mood")
    connection.autocommit = false
    expect(events).to eq([])
  end

  it "runs in the caller, after the result is with the cursor" do
    cursor = connection.cursor
    seen = nil
    connection.tracer = ->(_) { seen = [Thread.current, cursor.fetch_value] }
    cursor.execute("SELECT 7")
    expect(seen).to eq([Thread.current, 7])
  end

  describe "after an error" do
    it "is told of the exception, which then comes out" do
      trace
      expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::Errors::DivisionByZero) { |error|
        expect(events.map { |event| [event.sql, event.rows, event.error] }).to eq([["SELECT 1/0", nil, error]])
      }
    end

    it "is told of a COMMIT that the server made a ROLLBACK" do
      expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::DataError)
      trace
      expect { connection.commit }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
      expect(events.map { |event| [event.sql, event.error.class] }).to eq([["COMMIT", Pgconn::Errors::InFailedSqlTransaction]])
    end

    it "is told of a PREPARE TRANSACTION that the server made a ROLLBACK" do
      connection.tpc_begin("tracer")
      expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::DataError)
      trace
      expect { connection.tpc_prepare }.to raise_error(Pgconn::Errors::InFailedSqlTransaction, /nothing is prepared/)
      expect(events.map { |event| event.error.class }).to eq([Pgconn::Errors::InFailedSqlTransaction])
    end

    it "is told of deadlines and of what interrupts a command" do
      trace
      expect { connection.execute("SELECT pg_sleep(30)", timeout: 0.05) }.to raise_error(Pgconn::QueryCanceledError)
      connection.rollback
      thread = in_thread { connection.execute("SELECT pg_sleep(31)") }
      wait_until_running(connection.backend_pid, "pg_sleep(31)")
      thread.raise(IOError, "enough")
      expect(outcome_of(thread)).to be_a(IOError)
      expect(events.filter_map(&:error)).to match([Pgconn::QueryCanceledError, IOError])
    end

    it "keeps the command's own error where the tracer raises, too" do
      connection.tracer = ->(_) { raise IOError, "tracer" }
      expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::Errors::DivisionByZero)
    end
  end

  describe "a tracer that raises" do
    it "raises out of the command, which is done: its result is with the cursor" do
      cursor = connection.cursor
      connection.tracer = ->(_) { raise IOError, "tracer" }
      expect { cursor.execute("SELECT 7") }.to raise_error(IOError, "tracer")
      expect(cursor.fetch_value).to eq(7)
      expect { connection.commit }.to raise_error(IOError, "tracer")
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
    end

    it "leaves the connection in step when it throws or is killed" do
      connection.tracer = ->(_) { throw :out, :thrown }
      expect(catch(:out) { connection.execute("SELECT 1") }).to eq(:thrown)
      connection.tracer = ->(_) { Thread.current.kill }
      in_thread { connection.execute("SELECT 2") }.join
      trace
      expect(connection.execute("SELECT 3").fetch_value).to eq(3)
      expect(events.map(&:sql)).to eq(["SELECT 3"])
    end
  end

  describe "a tracer that uses the connection" do
    it "works, and isn't told of what it does itself" do
      connection.tracer = lambda do |event|
        events << [event.sql, connection.execute("SELECT 1").fetch_value]
        connection.rollback
      end
      connection.execute("SELECT 2")
      expect(events).to eq([["SELECT 2", 1]])
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
    end

    it "isn't told of what it does on another connection that it traces" do
      other = connect
      tracer = lambda do |event|
        events << event.sql
        other.execute("SELECT 'traced'")
      end
      connection.tracer = other.tracer = tracer
      connection.execute("SELECT 1")
      other.execute("SELECT 2")
      expect(events).to eq(["SELECT 1", "SELECT 2"])
    end

    it "may set another tracer, or none" do
      connection.tracer = lambda do |event|
        events << event.sql
        connection.tracer = nil
      end
      2.times { connection.execute("SELECT 1") }
      expect(events).to eq(["SELECT 1"])
    end

    it "may close it" do
      connection.tracer = ->(event) { event.connection.close }
      expect(connection.execute("SELECT 1").rowcount).to eq(1)
      expect(connection).to be_closed
    end
  end

  it "is told by each thread of its own commands, also while another thread's tracer runs" do
    entered = Queue.new
    leave = Queue.new
    told = Queue.new
    connection.autocommit = true
    connection.tracer = lambda do |event|
      told << event.sql
      if event.sql == "SELECT 1"
        entered << true
        leave.pop
      end
    end
    slow = in_thread { connection.execute("SELECT 1") }
    entered.pop
    connection.execute("SELECT 2")
    leave << true
    value_of(slow)
    expect(Array.new(told.size) { told.pop }).to eq(["SELECT 1", "SELECT 2"])
  end

  it "survives garbage collections that move objects", :gc_stress do
    trace
    GC.start
    GC.compact if GC.respond_to?(:compact)
    connection.execute("SELECT 1")
    expect(events.size).to eq(1)
  end
end
