# frozen_string_literal: true

require "spec_helper"

# Pages of a named cursor that are requested while the one before them is read.
RSpec.describe "A named cursor's next page" do
  let(:connection) { connect }

  def numbers(count, conn: connection, name: "rows", itersize: 3, **options)
    named = conn.cursor(name, **options).execute("SELECT i FROM generate_series(1, $1::int) AS i", [count])
    named.itersize = itersize
    named
  end

  # Counts its rows on the server in a sequence, whose value other statements of the session can see.
  def counting(count)
    connection.execute("CREATE TEMP SEQUENCE fetched")
    named = connection.cursor("rows")
                      .execute("SELECT nextval('fetched') FROM generate_series(1, $1::int)", [count])
    named.itersize = 10
    named
  end

  def fetched = connection.execute("SELECT last_value FROM fetched").fetch_value

  WaysOfWaiting.all.each do |way, run|
    it "comes in order for #{way}" do
      rows = run.call(server) do |keywords|
        numbers(20, conn: closed_later(Pgconn.connect(**keywords))).map { |row| row[0] }
      end
      expect(rows).to eq([*1..20])
    end
  end

  it "is requested once a second page was read on from the first" do
    named = counting(100)
    named.fetch_many(10)
    expect(fetched).to eq(10)
    named.fetch_many(10)
    expect(fetched).to eq(30)
  end

  it "isn't requested for single rows, nor for more rows than a page has, nor behind the last" do
    named = counting(65)
    3.times { named.fetch }
    expect(fetched).to eq(3)
    2.times { named.fetch_many(20) }
    expect(fetched).to eq(43)
    expect([named.fetch_many(10), named.fetch_many(10), named.fetch_many(10)].map(&:size)).to eq([10, 10, 2])
    expect([fetched, named.fetch]).to eq([65, nil])
  end

  it "has its rows locked by FOR UPDATE, as those of an itersize of 1 aren't before they are fetched" do
    observer.execute("CREATE TABLE locked_ahead AS SELECT generate_series(1, 100) AS i")
    { 10 => 30, 1 => 15 }.each do |itersize, locked|
      named = connection.cursor("rows").execute("SELECT i FROM locked_ahead ORDER BY i FOR UPDATE")
      named.itersize = itersize
      named.each { |(i)| break if i == 15 }
      eventually("#{locked} rows are locked") do
        observe("SELECT count(*) FROM (SELECT FROM locked_ahead FOR UPDATE SKIP LOCKED) AS free") == 100 - locked
      end
      connection.rollback
    end
  ensure
    connection.rollback
    observer.execute("DROP TABLE IF EXISTS locked_ahead")
  end

  it "leaves an itersize of 1 the row that WHERE CURRENT OF means" do
    connection.execute("CREATE TEMP TABLE marked AS SELECT i, false AS seen FROM generate_series(1, 5) AS i")
    named = connection.cursor("rows").execute("SELECT i FROM marked FOR UPDATE")
    named.itersize = 1
    named.each do |(i)|
      connection.execute("UPDATE marked SET seen = true WHERE CURRENT OF rows") if i.odd?
    end
    expect(connection.execute("SELECT i FROM marked WHERE seen ORDER BY i").column(0)).to eq([1, 3, 5])
  end

  it "is read before scrolling, which so finds its way" do
    named = numbers(30, scrollable: true)
    3.times { named.fetch_many(3) }
    expect(named.scroll(2).fetch_value).to eq(12)
    3.times { named.fetch_many(3) }
    expect(named.scroll(20, :absolute).fetch_value).to eq(21)
    2.times { named.fetch_many(3) }
    expect([named.scroll(-5).rownumber, named.fetch_value]).to eq([22, 23])
  end

  it "comes before the rows of fetch_all, column and other sizes" do
    named = numbers(30)
    2.times { named.fetch_many(3) }
    expect(named.fetch_many(5).map { |row| row[0] }).to eq([*7..11])
    2.times { named.fetch_many(3) }
    expect(named.column(0)).to eq([*18..30])
  end

  it "raises its error when it is asked for, whatever was done in between" do
    named = connection.cursor("rows").execute("SELECT 1 / (8 - i) FROM generate_series(1, 20) AS i")
    named.itersize = 3
    expect([named.fetch_many(3).size, named.fetch_many(3).size]).to eq([3, 3])
    expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
    expect { named.fetch_many(3) }.to raise_error(Pgconn::Errors::DivisionByZero)
  end

  it "isn't given any more when the transaction has ended" do
    named = numbers(30)
    2.times { named.fetch_many(3) }
    connection.commit
    expect { named.fetch_many(3) }.to raise_error(Pgconn::ProgrammingError, /isn't valid anymore/)
    expect(named.close).to be_nil
  end

  it "is given after the commit where the cursor is withhold" do
    named = numbers(12, withhold: true)
    2.times { named.fetch_many(3) }
    connection.commit
    expect(Array.new(3) { named.fetch_many(3).flat_map(&:to_a) }).to eq([[7, 8, 9], [10, 11, 12], []])
    named.close
  end

  it "is dropped where the cursor is closed, or collected, and the connection goes on" do
    numbers(30).tap { |named| 2.times { named.fetch_many(3) } }.close
    20.times do |number|
      collected = numbers(30, name: "row #{number}")
      2.times { collected.fetch_many(3) }
    end
    GC.start
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
    connection.commit
  end

  it "is given up with the connection" do
    named = numbers(30)
    2.times { named.fetch_many(3) }
    connection.close
    expect { named.fetch_many(3) }.to raise_error(Pgconn::InterfaceError)
  end

  it "raises ConnectionLost where the server has ended the session" do
    named = numbers(3_000_000, itersize: 1_000_000)
    named.fetch_many(1_000_000)
    observe("SELECT pg_terminate_backend($1)", [connection.backend_pid])
    expect { 3.times { named.fetch_many(1_000_000) } }.to raise_error(Pgconn::ConnectionLost)
  end

  it "isn't taken from who waits in a forked child, where it is refused", if: Process.respond_to?(:fork) do
    named = numbers(30)
    2.times { named.fetch_many(3) }
    pid = fork do
      named.fetch_many(3)
    rescue Pgconn::InterfaceError
      exit!(0)
    ensure
      exit!(1)
    end
    expect([Process.wait2(pid)[1].exitstatus, named.fetch_many(3).flat_map(&:to_a)]).to eq([0, [7, 8, 9]])
  end

  it "is each cursor's own where several threads share a connection" do
    connection.execute("SELECT 1")
    threads = Array.new(4) { |n| in_thread { numbers(200, name: "shared #{n}", itersize: 5).sum { |row| row[0] } } }
    expect(threads.map { |thread| value_of(thread) }).to eq([20_100] * 4)
  end

  it "isn't requested in a pipeline, but taken there" do
    named = numbers(12)
    2.times { named.fetch_many(3) }
    rows = connection.pipeline { Array.new(2) { connection.execute("SELECT 0") && named.fetch_many(3).size } }
    expect(rows).to eq([3, 3])
  end

  it "is read by who waits for a notification behind it" do
    named = numbers(30, withhold: true)
    connection.execute("LISTEN news")
    connection.commit
    2.times { named.fetch_many(3) }
    observe("SELECT pg_notify('news', 'told')")
    expect(connection.wait_for_notify(timeout: ConnectionHelpers::SOON)&.payload).to eq("told")
    expect(named.fetch_many(3).flat_map(&:to_a)).to eq([7, 8, 9])
    named.close
  end
end
