# frozen_string_literal: true

require "spec_helper"
require "async"

RSpec.describe "Waiting for a stream" do
  let(:connection) { connect(autocommit: true) }
  let(:many) { "SELECT generate_series(1, 10000000) AS i, repeat('x', 100)" }

  # Rows of which each takes so long.
  let(:slow) { "SELECT i, repeat('x', 10000) FROM generate_series(1, 30) AS i, pg_sleep($1::float8 * (i - 1))" }

  WaysOfWaiting.all.each do |way, run|
    it "works for #{way}, to the end, to a break and to an error" do
      rows, sum, error, after = run.call(server) do |keywords|
        conn = closed_later(Pgconn.connect(**keywords, autocommit: true, cancel_timeout: 30))
        sum = conn.cursor.stream("SELECT i, repeat('x', 100) FROM generate_series(1, 20000) AS i").sum { |row| row[0] }
        rows = conn.cursor.stream("SELECT generate_series(1, 300000)").first(2)
        error = begin
          conn.cursor.stream("SELECT 1 / (10000 - i) FROM generate_series(1, 20000) AS i") { nil }
        rescue Pgconn::DataError => e
          e.class
        end
        [rows, sum, error, conn.execute("SELECT 1").fetch_value]
      end
      expect([rows, sum, error, after]).to eq([[[1], [2]], 200_010_000, Pgconn::Errors::DivisionByZero, 1])
    end
  end

  it "isn't for async connections: ProgrammingError" do
    async = connect_async
    expect { async.cursor.stream("SELECT 1") { nil } }.to raise_error(Pgconn::ProgrammingError, /async/)
  end

  # Fails where the connection is out of step, be it within a while.
  def expect_in_step
    expect(value_of(in_thread { connection.execute("SELECT 'next'").fetch_value })).to eq("next")
  end

  # A thread that streams, and stops in its block at the first row until the queue is closed.
  def streaming(sql, leave)
    thread = in_thread do
      connection.cursor.stream(sql).sum do |row|
        leave.pop if row[0] == 1
        row[0]
      end
    end
    eventually("the block runs") { leave.num_waiting.positive? }
    thread
  end

  describe "on a shared connection" do
    attr_reader :thread, :leave

    before do
      @leave = Queue.new
      @thread = streaming("SELECT generate_series(1, 1000) AS i", leave)
    end

    after { leave.close }

    it "makes other callers wait, who then get their own answers in the order of asking" do
      others = Array.new(20) { |number| in_thread { connection.execute("SELECT $1::int", [number]).fetch_value } }
      eventually("they wait") { others.all?(&:stop?) }
      leave.close
      expect(others.map { |other| value_of(other) }).to eq([*0...20])
      expect(value_of(thread)).to eq(500_500)
    end

    it "counts the wait for the line against another's timeout:, be that one a stream" do
      [-> { connection.execute("SELECT 1", timeout: 0.1) },
       -> { connection.cursor.stream("SELECT 1", timeout: 0.1) { nil } }].each do |call|
        expect { call.call }.to raise_error(Pgconn::QueryCanceledError) { |error| expect(error.outcome).to eq(:not_sent) }
      end
      leave.close
      expect(value_of(thread)).to eq(500_500)
      expect_in_step
    end

    it "goes on when one of those who wait is killed" do
      other = in_thread { connection.execute("SELECT 1") }
      eventually("it waits") { other.stop? }
      other.kill.join
      leave.close
      expect(value_of(thread)).to eq(500_500)
      expect_in_step
    end

    it "ends by Cursor#cancel and Connection#cancel of another thread" do
      connection.cancel
      leave.close
      outcome = outcome_of(thread) || thread.value
      expect(outcome).to be_a(Pgconn::QueryCanceledError).or eq(500_500) # all of it may have come
      expect_in_step
    end
  end

  it "passes the line on when the thread of an Enumerator ends, which may still be referenced" do
    rows = connection.cursor.stream(many)
    read = Queue.new
    reader = in_thread { [read << rows.next, sleep] }
    read.pop
    other = in_thread { connection.execute("SELECT 'other'").fetch_value }
    eventually("it waits") { other.stop? }
    reader.kill.join
    expect(value_of(other)).to eq("other")
    rows.rewind
    expect_in_step
  end

  it "goes on by itself where many threads stream at once, each to its own rows" do
    threads = Array.new(10) do |number|
      in_thread { connection.cursor.stream("SELECT i * $1::int FROM generate_series(1, 3000) AS i", [number]).sum { |row| row[0] } }
    end
    expect(threads.map { |thread| value_of(thread) }).to eq(Array.new(10) { |number| number * 4_501_500 })
  end

  it "lets fibers of a scheduler wait for the line" do
    sums = Sync do |task|
      Array.new(5) do |number|
        task.async do
          connection.cursor.stream("SELECT i * $1::int FROM generate_series(1, 3000) AS i", [number]).sum do |row|
            task.yield if (row[0] % 1000).zero?
            row[0]
          end
        end
      end.map(&:wait)
    end
    expect(sums).to eq(Array.new(5) { |number| number * 4_501_500 })
  end

  # The Fiber of an Enumerator knows nothing of the scheduler's fiber that reads it.
  { "a stream" => ->(conn) { conn.cursor.stream("SELECT generate_series(1, 100000) AS i") },
    "a COPY" => ->(conn) { conn.copy_out("SELECT generate_series(1, 100000) AS i") } }.each do |name, enumerator|
    it "raises at once for the fiber that has made the Enumerator of #{name} and is in the middle of it; others wait" do
      other = nil
      Sync do |task|
        rows = enumerator.call(connection)
        expect(rows.next[0]).to eq(1)
        expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::ProgrammingError, /holds the connection/)
        other = task.async { connection.execute("SELECT 'other'").fetch_value }
        expect(rows.next[0]).to eq(2)
        rows.rewind
        expect(connection.execute("SELECT 'next'").fetch_value).to eq("next")
      end
      expect(other.wait).to eq("other")
    end
  end

  it "is for other fibers what it is for other threads: they wait, and get what they asked for" do
    order = []
    Sync do |task|
      first = task.async { connection.cursor.stream("SELECT generate_series(1, 3)") { |row| [order << row[0], sleep(0)] } }
      second = task.async { order << connection.execute("SELECT 'second'").fetch_value }
      [first, second].each(&:wait)
    end
    expect(order).to eq([1, 2, 3, "second"])
  end

  describe "ends at its timeout, and the connection is in step" do
    it "in the wait for a row" do
      expect { connection.cursor.stream(slow, [30], timeout: 0.2) { nil } }
        .to raise_error(Pgconn::QueryCanceledError) { |error| expect(error.outcome).to eq(:canceled).or eq("canceled") }
      expect_in_step
    end

    it "also where it is the block that takes long, and rows are always there" do
      took = 0
      expect { connection.cursor.stream(many, timeout: 0.2) { |row| (took += 1) && (row[0] % 5000).zero? && sleep(0.02) } }
        .to raise_error(Pgconn::QueryCanceledError)
      expect(took).to be < 5_000_000
      expect_in_step
    end
  end

  describe "interrupted" do
    def waiting_for_row
      thread = in_thread { connection.cursor.stream(slow, [30]) { nil } }
      wait_until_running(connection.backend_pid, "pg_sleep")
      eventually("it waits") { thread.stop? }
      thread
    end

    it "in the wait, by Timeout or a kill, leaves the connection in step" do
      expect { Timeout.timeout(0.2) { connection.cursor.stream(slow, [30]) { nil } } }.to raise_error(Timeout::Error)
      expect_in_step
      waiting_for_row.kill.join
      expect_in_step
    end

    it "in the block, by Timeout or a kill, leaves the connection in step" do
      expect { Timeout.timeout(0.2) { connection.cursor.stream(many) { sleep } } }.to raise_error(Timeout::Error)
      expect_in_step
      entered = Queue.new
      thread = in_thread { connection.cursor.stream(many) { [entered << true, sleep] } }
      entered.pop
      thread.kill.join
      expect_in_step
    end

    it "by the end of its task, in the wait or in the block, leaves the connection in step" do
      Sync do |task|
        [-> { connection.cursor.stream(slow, [30]) { nil } }, -> { connection.cursor.stream(many) { sleep } }].each do |call|
          streaming = task.async { call.call }
          sleep(0.1)
          streaming.stop
          expect(connection.execute("SELECT 'next'").fetch_value).to eq("next")
        end
      end
    end

    it "at any moment of a hundred, leaves the connection in step" do
      random = Random.new(RSpec.configuration.seed)
      100.times do
        thread = in_thread { loop { connection.cursor.stream("SELECT generate_series(1, 3000)") { nil } } }
        random.rand(300).times { Thread.pass }
        thread.kill.join
        expect_in_step
      end
    end
  end

  it "loses no notification that arrives meanwhile, and tells handlers at its end" do
    connection.listen("streamed")
    told = []
    connection.cursor.stream("SELECT i, repeat('x', 1000) FROM generate_series(1, 10000) AS i") do |row|
      observer.notify("streamed", row[0].to_s) if (row[0] % 1000).zero?
    end
    10.times { told << connection.wait_for_notify(timeout: ConnectionHelpers::SOON)&.payload }
    expect(told).to eq((1000..10_000).step(1000).map(&:to_s))
    connection.on_notify { |notify| told << notify.payload }
    connection.cursor.stream("SELECT pg_notify('streamed', 'own')") { nil }
    connection.execute("SELECT 1")
    expect(told.last).to eq("own")
  end

  it "lets a thread that waits for notifications wait on, and have them" do
    connection.listen("beside")
    waiting = in_thread { connection.wait_for_notify(timeout: ConnectionHelpers::SOON)&.payload }
    eventually("it waits") { waiting.stop? }
    connection.cursor.stream("SELECT i, repeat('x', 1000) FROM generate_series(1, 2000) AS i") do |row|
      observer.notify("beside", "here") if row[0] == 1000
    end
    connection.execute("SELECT 1")
    expect(value_of(waiting)).to eq("here")
  end
end
