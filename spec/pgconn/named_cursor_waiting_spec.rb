# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Waiting for a named cursor" do
  include HeldAnswers

  let(:connection) { connect }

  # A cursor each of whose rows takes so long.
  def slow(seconds, **options)
    connection.cursor("slow", **options)
              .execute("SELECT i FROM generate_series(1, 3) AS i, pg_sleep($1::float8)", [seconds])
  end

  WaysOfWaiting.all.each do |way, run|
    it "works for #{way}" do
      rows, scrolled, held = run.call(server) do |keywords|
        conn = closed_later(Pgconn.connect(**keywords))
        named = conn.cursor("rows", scrollable: true).execute("SELECT i FROM generate_series(1, 5) AS i")
        named.itersize = 2
        rows = [named.fetch_value, *named.column(0)]
        scrolled = named.scroll(1, :absolute).fetch_many(2).map(&:to_a)
        kept = conn.cursor("held", withhold: true).execute("SELECT 7")
        named.close
        conn.commit
        [rows, scrolled, kept.fetch_value.tap { kept.close }]
      end
      expect([rows, scrolled, held]).to eq([[1, 2, 3, 4, 5], [[2], [3]], 7])
    end
  end

  it "isn't for async connections: ProgrammingError" do
    async = connect_async
    expect { async.cursor("rows") }.to raise_error(Pgconn::ProgrammingError, /async/)
    expect(async.cursor).to be_a(Pgconn::Cursor)
  end

  it "leaves cursors of several threads on a shared connection their own rows" do
    connection.execute("SELECT 1")
    sums = Array.new(5) do |number|
      in_thread do
        named = connection.cursor("number #{number}").execute("SELECT i * $1::int FROM generate_series(1, 100) AS i", [number])
        named.itersize = 7
        named.sum { |row| row[0] }
      end
    end
    expect(sums.map { |thread| value_of(thread) }).to eq([0, 5050, 10_100, 15_150, 20_200])
  end

  it "is done also in a pipeline, behind what was gathered there" do
    connection.pipeline do
      gathered = connection.execute("CREATE TEMP TABLE piped AS SELECT 3 AS i")
      named = connection.cursor("rows").execute("SELECT i FROM piped")
      expect(named.fetch_value).to eq(3)
      expect(gathered.statusmessage).to eq("SELECT 1")
    end
  end

  it "ends at the cursor's timeout, which fails the transaction" do
    named = slow(30, timeout: 0.1)
    expect { named.fetch }.to raise_error(Pgconn::QueryCanceledError) { |error| expect(error.outcome).to eq("canceled").or eq(:canceled) }
    expect { named.fetch }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
    connection.rollback
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "ends by Cursor#cancel" do
    named = slow(30)
    fetching = in_thread { named.fetch }
    wait_until_running(connection.backend_pid, "FETCH")
    named.cancel
    expect(outcome_of(fetching)).to be_a(Pgconn::QueryCanceledError)
  end

  describe "when it is interrupted" do
    it "by Timeout or a kill leaves the connection in step" do
      named = slow(30)
      expect { Timeout.timeout(0.1) { named.fetch } }.to raise_error(Timeout::Error)
      connection.rollback
      named = slow(30)
      fetching = in_thread { named.fetch }
      wait_until_running(connection.backend_pid, "FETCH")
      fetching.kill.join
      connection.rollback
      expect(connection.execute("SELECT 1").fetch_value).to eq(1)
      expect { named.fetch }.to raise_error(Pgconn::Error)
    end

    # The server has sent the rows, of which nobody has taken note.
    it "in the wait for rows that the server had sent never skips them: it says that its place isn't known" do
      holding_answers_to("FETCH FORWARD 1") do |far, gate|
        named = far.cursor("rows", scrollable: true, withhold: true).execute("SELECT i FROM generate_series(1, 5) AS i")
        far.commit
        fetching = in_thread { named.fetch }
        eventually("the server has answered") { gate.num_waiting.positive? }
        fetching.kill.join
        gate.close
        expect { named.fetch }.to raise_error(Pgconn::OperationalError, /lost its place/)
        expect { named.scroll(1) }.to raise_error(Pgconn::OperationalError, /lost its place/)
        expect(named.scroll(0, :absolute).fetch_value).to eq(1)
      end
    end

    it "before its fetch could be sent goes on where it was" do
      shared = connect(autocommit: true)
      named = shared.cursor("rows", withhold: true).execute("SELECT generate_series(1, 3)")
      holding = Queue.new
      ending = Queue.new
      holder = in_thread { shared.transaction { shared.execute("SELECT 1") && (holding << true) && ending.pop } }
      holding.pop
      expect { Timeout.timeout(0.1) { named.fetch } }.to raise_error(Timeout::Error)
      ending << true
      value_of(holder)
      expect(named.fetch).to eq([1])
    end

    it "in an execute that the server has done leaves nothing behind once it is closed" do
      [true, false].each do |answered|
        holding_answers_to("DECLARE") do |far, gate|
          far.autocommit = true
          named = far.cursor("held", withhold: true)
          executing = in_thread { named.execute("SELECT 1") }
          eventually("the server has answered") { gate.num_waiting.positive? }
          executing.kill.join
          gate.close if answered
          closing = in_thread { named.close }
          gate.close
          value_of(closing)
          expect(far.execute("SELECT count(*) FROM pg_cursors WHERE name = 'held'").fetch_value).to eq(0)
        end
      end
    end
  end

  it "calls handlers, whose exceptions lose no row" do
    connection.execute(<<~SQL)
      CREATE FUNCTION pg_temp.told(i int) RETURNS int LANGUAGE plpgsql AS $$
      BEGIN RAISE NOTICE 'row %', i; RETURN i; END $$
    SQL
    named = connection.cursor("rows").execute("SELECT pg_temp.told(i) FROM generate_series(1, 3) AS i")
    handler = connection.on_notice { raise IndexError, "handler" }
    expect { named.fetch }.to raise_error(IndexError)
    handler.remove
    expect(named.fetch_many(2)).to eq([[1], [2]])
  end

  it "is told to the tracer, statement by statement" do
    told = []
    connection.tracer = ->(event) { told << [event.sql, event.rows] }
    named = connection.cursor("rows").execute("SELECT 1")
    named.fetch
    named.close
    expect(told).to eq([['DECLARE "rows" CURSOR WITHOUT HOLD FOR SELECT 1', nil], ['FETCH FORWARD 1 FROM "rows"', 1],
                        ['CLOSE "rows"', nil]])
  end
end
