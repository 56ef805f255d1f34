# frozen_string_literal: true

require "spec_helper"
require "stringio"

# How streams and COPY end where their callers take longer than they may, or somebody cancels them.
RSpec.describe "What comes or goes in pieces" do
  let(:connection) { connect(autocommit: true) }
  let(:entered) { Queue.new }
  let(:leave) { Queue.new }

  after { leave.close }

  # More than the client's buffer holds, yet so little that the server has soon sent all of it.
  few = "SELECT i FROM generate_series(1, 20000) AS i"

  # An IO that does that for each write.
  sink = ->(&taken) { StringIO.new.tap { |io| io.define_singleton_method(:write) { |data| taken.call(data) && super(data) } } }

  reads = {
    "a stream" => ->(conn, **options, &block) { conn.cursor.stream(few, **options, &block) },
    "a COPY OUT of rows" => ->(conn, **options, &block) { conn.copy_out(few, **options, &block) },
    "a COPY OUT to an IO" => ->(conn, **options, &block) { conn.copy_out(few, sink.call(&block), **options) }
  }

  before { connection.execute("CREATE TEMP TABLE filled (i int)") }

  # In its block or source until leave is closed.
  def stay
    entered << true
    leave.pop || self
  end

  def expect_in_step
    expect(value_of(in_thread { connection.execute("SELECT 'next'").fetch_value })).to eq("next")
  end

  reads.each do |name, read|
    describe name do
      it "raises when its time is over, though the server was done in time, and yields nothing more" do
        times = 0
        expect { read.call(connection, timeout: 0.1) { (times += 1) && sleep(0.15) } }
          .to raise_error(Pgconn::QueryCanceledError, /0\.1 s passed/) { |error| expect(error.outcome).to eq(:unknown) }
        expect(times).to be <= 1
        expect_in_step
      end

      it "that is cancelled when the server is done raises, or yields all" do
        rows = 0
        error = begin
          read.call(connection) do |row|
            rows += row.is_a?(String) ? row.count("\n") : 1
            next true if @canceled

            eventually("the server is done, or waits for us") do
              observe("SELECT state = 'idle' OR wait_event_type = 'Client' FROM pg_stat_activity WHERE pid = $1",
                      [connection.backend_pid])
            end
            @canceled = in_thread { connection.cancel }.join
          end
          nil
        rescue Pgconn::QueryCanceledError => e
          e
        end
        expect(error || rows).to be_a(Pgconn::QueryCanceledError).or eq(20_000)
        expect_in_step
      end

      it "lets others go on once its time is over, though its caller is still busy" do
        thread = in_thread { read.call(connection, timeout: 0.1) { stay } }
        entered.pop
        expect_in_step
        leave.close
        expect(outcome_of(thread)).to be_a(Pgconn::QueryCanceledError)
        expect_in_step
      end
    end
  end

  it "a stream of a statement that has done something says that it isn't known what became of that" do
    connection.execute("INSERT INTO filled SELECT generate_series(1, 20000)")
    expect { connection.cursor.stream("DELETE FROM filled RETURNING i", timeout: 0.1) { sleep(0.15) } }
      .to raise_error(Pgconn::QueryCanceledError) { |error| expect(error.outcome).to eq(:unknown) }
    expect_in_step
  end

  describe "a COPY IN whose source takes long" do
    # Its source gives a row, and another when leave is closed.
    def filling(**options)
      thread = in_thread { connection.copy_in("filled", **options) { |copy| (copy << [1]) && stay && (copy << [2]) } }
      entered.pop
      thread
    end

    it "lets others go on once its time is over, has stored nothing, and raises" do
      thread = filling(timeout: 0.1)
      expect(value_of(in_thread { connection.execute("SELECT count(*) FROM filled").fetch_value })).to eq(0)
      leave.close
      expect(outcome_of(thread)).to be_a(Pgconn::QueryCanceledError)
      expect_in_step
    end

    it "doesn't keep from those who wait that the connection was lost" do
      thread = filling
      other = in_thread { connection.execute("SELECT 1") }
      eventually("it waits") { other.stop? }
      observe("SELECT pg_terminate_backend($1::int)", [connection.backend_pid])
      expect(outcome_of(other)).to be_a(Pgconn::ConnectionLost)
      leave.close
      expect(outcome_of(thread)).to be_a(Pgconn::ConnectionLost)
    end
  end

  { "stream" => ->(conn) { conn.cursor.stream(few).next }, "COPY" => ->(conn) { conn.copy_out(few).next } }.each do |name, read|
    it "an Enumerator of a #{name} that was left half-way and collected doesn't lock out its own thread" do
      in_dropped_fiber { read.call(connection) }
      answer = eventually("it is collected") do
        GC.start
        connection.execute("SELECT 'next'").fetch_value
      rescue Pgconn::ProgrammingError => e
        expect(e.message).to match(/holds the connection/)
        false
      end
      expect(answer).to eq("next")
    end
  end
end
