# frozen_string_literal: true

require "spec_helper"
require "weakref"

# What InFailedSqlTransaction has as its cause.
RSpec.describe "An error that has failed the transaction" do
  include LargeObjectHelpers

  let(:connection) { connect }

  many = "SELECT generate_series(1, 10000000)"

  # What the block raises, which must be that.
  def in_failed
    yield
  rescue Pgconn::Errors::InFailedSqlTransaction => e
    e
  else
    raise "nothing was raised"
  end

  # The cause of what a statement raises.
  def cause(conn = connection) = in_failed { conn.execute("SELECT 'in vain'") }.cause

  # Fails the transaction by an error that nobody sees any more.
  def swallow(sql = "SELECT 1/0", conn = connection)
    conn.execute(sql)
  rescue Pgconn::Error => e
    e
  end

  # A page requested ahead has an error, and isn't asked for.
  def read_up_to_error(sql = "SELECT 1 / (8 - i) FROM generate_series(1, 20) AS i", conn: connection)
    named = conn.cursor("rows").execute(sql)
    named.itersize = 3
    named.each.with_index(1) { |_, count| break if count == 5 }
    named
  end

  # The server refuses what ends past 4 TB.
  def write_in_vain(conn = connection)
    object = conn.lobject(committed(" "), "rw")
    object.write("x")
    object.seek(0x7FFF_FFFF * 2048)
    object.write("x")
    object
  end

  def division = have_attributes(class: Pgconn::Errors::DivisionByZero, message: "division by zero")
  def canceled = have_attributes(class: Pgconn::Errors::QueryCanceled, outcome: :canceled)

  describe "and that nobody saw" do
    WaysOfWaiting.all.each do |name, way|
      it "is the cause where it came with a page that was requested ahead, in #{name}" do
        error = way.call(server) do |keywords|
          conn = closed_later(Pgconn.connect(**keywords))
          in_failed { conn.transaction { read_up_to_error(conn: conn) } }
        end
        expect(error).to have_attributes(message: /nothing is committed/, cause: division)
      end

      it "is the cause where it was that of a large object's write, in #{name}" do
        error = way.call(server) do |keywords|
          conn = closed_later(Pgconn.connect(**keywords))
          write_in_vain(conn)
          in_failed { conn.commit }
        end
        expect(error.cause).to be_a(Pgconn::Error).and have_attributes(message: /write request/)
      end
    end

    it "is the cause on an async connection" do
      async = connect_async
      async.cursor.execute("BEGIN")
      poll_to_end(async)
      [["SELECT 1/0", Pgconn::DataError], ["SELECT 1", Pgconn::Errors::InFailedSqlTransaction]].each do |sql, error|
        async.cursor.execute(sql)
        expect { poll_to_end(async) }.to raise_error(error) { |raised| @last = raised }
      end
      expect(@last.cause).to(division)
    end

    it "is the cause of each such error, as the same object" do
      read_up_to_error
      causes = [cause, cause, in_failed { connection.commit }.cause]
      expect(causes).to all(division)
      expect(causes.map(&:object_id).uniq.size).to eq(1)
    end

    it "has the server's fields in the client's encoding" do
      connection.client_encoding = "LATIN1"
      read_up_to_error("SELECT CASE WHEN i < 8 THEN 0 ELSE ('é' || i)::int END FROM generate_series(1, 20) AS i")
      expect(cause.diag.message).to include("\"é8\"".encode("ISO-8859-1"))
    end

    it "is the cause where a thread was killed, or timed out, in its statement" do
      killed = in_thread { connection.execute("SELECT pg_sleep(30)") }
      wait_until_running(connection.backend_pid, "pg_sleep")
      killed.kill.join
      expect(cause).to(canceled)
      connection.rollback
      expect { Timeout.timeout(0.1) { connection.execute("SELECT pg_sleep(30)") } }.to raise_error(Timeout::Error)
      expect(cause).to(canceled)
    end

    it "is the cause where a stream, or its Enumerator, was left" do
      connection.cursor.stream(many) { break }
      expect(cause).to(canceled)
      connection.rollback
      connection.cursor.stream(many).first(2)
      expect(cause).to(canceled)
    end

    it "is the cause where the block of copy_out was left" do
      expect(connection.copy_out(many) { |row| break row }).not_to be_nil
      expect(cause).to(canceled)
    end

    it "is the cause where the source of a copy_in raised" do
      connection.execute("CREATE TEMP TABLE things (id int)")
      connection.commit
      expect { connection.copy_in("things") { |copy| (copy << [1]) && raise(KeyError) } }.to raise_error(KeyError)
      expect(cause).to(canceled)
    end

    it "is the cause where one of several statements had it" do
      swallow("SELECT 1; SELECT 1/0; SELECT 2")
      expect(cause).to(division)
    end

    it "is the cause where one of many executions had it" do
      expect { connection.execute_many("SELECT 1/$1::int", [[1], [0], [2]]) }.to raise_error(Pgconn::DataError)
      expect(cause.message).to eq("division by zero\nIt was row 1, counted from 0.")
    end
  end

  describe "and that was rescued" do
    it "is the cause, as it was raised" do
      error = swallow
      expect(cause).to equal(error)
      expect(in_failed { connection.commit }.cause).to equal(error)
      expect(error).to have_attributes(query: "SELECT 1/0", backtrace: include(/swallow/))
    end

    it "is the cause where the end of a block raises, and of what its tracer is told" do
      errors = []
      connection.tracer = ->(event) { errors << event.error }
      expect { connection.transaction { @swallowed = swallow } }.to raise_error(Pgconn::Errors::InFailedSqlTransaction) { |error|
        expect(error.cause).to equal(@swallowed)
        expect(errors.last).to equal(error)
      }
    end

    it "is the cause where a transaction can't be prepared" do
      connection.tpc_begin("failed")
      error = swallow
      expect(in_failed { connection.tpc_prepare }.cause).to equal(error)
    end

    it "was raised to the caller of the page requested ahead, once that was asked for" do
      named = read_up_to_error
      expect(cause).to(division)
      named.fetch_many(1)
      expect { named.fetch_many(3) }.to raise_error(Pgconn::DataError) { |error| expect(cause).to equal(error) }
    end

    it "is the cause where it was that of another caller of the connection" do
      error = value_of(in_thread { swallow })
      expect(cause).to equal(error)
      expect(in_failed { connection.commit }.cause).to equal(error)
    end

    it "is the cause of errors of those whose statements were on their way behind it" do
      connection.execute("SELECT 1")
      threads = Array.new(8) { |index| in_thread { connection.execute(index == 2 ? "SELECT 1/0" : "SELECT pg_sleep(0.02)") } }
      errors = threads.filter_map { |thread| outcome_of(thread) }.group_by(&:class)
      expect(errors.delete(Pgconn::Errors::DivisionByZero).size).to eq(1)
      expect([cause, *errors.values.flatten.map(&:cause)]).to all(division)
    end

    it "is no cause of other errors, which aren't one either" do
      error = swallow
      expect(swallow("SELEC")).to be_a(Pgconn::Errors::SyntaxError).and have_attributes(cause: nil)
      expect(cause).to equal(error)
    end

    it "is the cause in a pipeline, too" do
      error = nil
      connection.pipeline do
        one = connection.cursor.execute("SELECT 1/0")
        two = connection.cursor.execute("SELECT 2")
        expect { two.fetch }.to raise_error(Pgconn::PipelineAborted)
        expect { one.fetch }.to raise_error(Pgconn::DataError) { |raised| error = raised }
        three = connection.cursor.execute("SELECT 3")
        four = connection.cursor.execute("SELECT 4")
        expect { three.fetch }.to raise_error(Pgconn::Errors::InFailedSqlTransaction) { |raised| expect(raised.cause).to equal(error) }
        expect { four.fetch }.to raise_error(Pgconn::PipelineAborted) { |raised| expect(raised.cause.cause).to equal(error) }
      end
      expect(in_failed { connection.commit }.cause).to equal(error)
    end

    it "doesn't change where the later error was raised, and what it says" do
      swallow
      line = nil
      error = in_failed { (line = __LINE__) && connection.execute("SELECT 1") }
      expect(error.message).to start_with("current transaction is aborted")
      expect([error.backtrace_locations.find { |location| location.path == __FILE__ }.lineno, error.backtrace.size])
        .to eq([line, error.backtrace_locations.size])
      expect(error.full_message(highlight: false)).to include("division by zero")
    end
  end

  describe "while another is handled" do
    # What a statement raises while that is handled.
    def handling(handled)
      raise handled
    rescue StandardError
      in_failed { connection.execute("SELECT 1") }
    end

    it "is the cause, also as the very one that is handled" do
      error = swallow
      expect(handling(KeyError.new("mine")).cause).to equal(error)
      expect(handling(error).cause).to equal(error)
    end

    it "leaves the place to what it is the cause of" do
      error = swallow
      wrapper = begin
        raise IndexError, "mine", cause: error
      rescue IndexError => e
        e
      end
      expect(handling(wrapper).cause).to equal(wrapper)
    end

    it "makes no circle where it is raised once more" do
      error = swallow
      later = in_failed { connection.execute("SELECT 1") }
      expect { handle(later) { raise error } }.to raise_error(Pgconn::DataError)
      expect([later.cause, error.cause]).to eq([error, nil])
    end

    def handle(error)
      raise error
    rescue Pgconn::Error
      yield
    end
  end

  describe "until it was rolled back" do
    it "isn't the cause in the next transaction" do
      swallow
      connection.rollback
      other = swallow("SELECT 'x'::int")
      expect(cause).to equal(other)
      in_failed { connection.commit }
      expect(cause_of_next).to equal(@swallowed)
    end

    def cause_of_next
      @swallowed = swallow("SELECT sqrt(-1)")
      cause
    end

    it "isn't the cause behind ROLLBACK TO, nor in several statements that begin with it" do
      connection.execute("SAVEPOINT one")
      swallow
      connection.execute("ROLLBACK TO one")
      other = swallow("SELECT 'x'::int")
      expect(cause).to equal(other)
      third = swallow("ROLLBACK TO one; SELECT sqrt(-1)")
      expect(cause).to equal(third)
    end

    it "stays the cause where a ROLLBACK TO fails" do
      error = swallow
      swallow("ROLLBACK TO nowhere")
      expect(cause).to equal(error)
    end

    it "is that of its own block only, and what fails the outer one is another" do
      inner = outer = nil
      error = in_failed do
        connection.transaction do
          connection.execute("SELECT 1")
          raised = in_failed { connection.transaction { inner = swallow } }
          expect(raised.cause).to equal(inner)
          connection.transaction { swallow && raise(Pgconn::Rollback) }
          expect(connection.execute("SELECT 1").fetch_value).to eq(1)
          outer = swallow("SELECT 'x'::int")
        end
      end
      expect(error.cause).to equal(outer)
    end

    it "isn't the cause of anything where it failed no transaction" do
      auto = connect(autocommit: true)
      swallow("SELECT 1/0", auto)
      auto.execute("BEGIN")
      other = swallow("SELECT 'x'::int", auto)
      expect(cause(auto)).to equal(other)
    end

    # How many of what the block makes are soon left.
    def expect_collected
      references = Array.new(20) { in_dropped_fiber { WeakRef.new(yield) } }
      eventually("they are collected") { GC.start || references.count(&:weakref_alive?) < 10 }
    end

    it "isn't kept by the connection any longer" do
      expect_collected { swallow.tap { connection.rollback } }
    end

    it "doesn't keep a connection that nobody has" do
      expect_collected { Pgconn.connect(server.conninfo).tap { |conn| swallow("SELECT 1/0", conn) } }
    end
  end

  it "is kept from the collector, wherever it moves objects to", gc_stress: :in_part do
    GCMode.stressed do
      read_up_to_error
      2.times { expect(cause.message).to eq("division by zero") }
    end
    GC.compact
    expect(cause).to(division)
    expect(in_failed { connection.commit }.cause).to division
  end

  it "doesn't outlast the connection" do
    swallow
    observe("SELECT pg_terminate_backend($1::int)", [connection.backend_pid])
    expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::ConnectionLost) { |error| expect(error.cause).to be_nil }
    expect(connection.close).to be_nil
  end
end
