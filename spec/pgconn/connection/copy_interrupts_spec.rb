# frozen_string_literal: true

require "spec_helper"
require "stringio"

RSpec.describe "COPY, interrupted:" do
  let(:connection) { connect(autocommit: true).tap { |connection| connection.execute("CREATE TEMP TABLE things (id int)") } }
  let(:endless) { "SELECT generate_series(1, 1000000000)" }

  def expect_usable(connection)
    3.times { |number| expect(connection.execute("SELECT $1::int", [number]).fetch_value).to eq(number) }
    expect(connection.execute("SELECT count(*) FROM things").fetch_value).to eq(0)
    expect(connection).not_to be_broken
  end

  def feed(connection, **options)
    connection.copy_in("things", **options) { |copy| loop { copy << [1] } }
  end

  it "by Thread#kill in the middle of its rows, both ways" do
    { feed: -> { feed(connection) }, out: -> { connection.copy_out(endless) { nil } } }.each_value do |work|
      thread = in_thread(&work)
      wait_until_running(connection.backend_pid, "COPY")
      expect(outcome_of(thread.kill)).to be_nil
      expect_usable(connection)
    end
  end

  it "by Timeout, both ways" do
    expect { Timeout.timeout(0.2) { feed(connection) } }.to raise_error(Timeout::Error)
    expect_usable(connection)
    expect { Timeout.timeout(0.2) { connection.copy_out(endless) { nil } } }.to raise_error(Timeout::Error)
    expect_usable(connection)
  end

  it "by Timeout while its source or its sink is slow" do
    expect { Timeout.timeout(0.2) { connection.copy_in("things") { sleep } } }.to raise_error(Timeout::Error)
    expect { Timeout.timeout(0.2) { connection.copy_out(endless) { sleep } } }.to raise_error(Timeout::Error)
    expect_usable(connection)
  end

  describe "whose source gives few small rows now and then, hears soon of" do
    def trickle(table = "things")
      in_thread { connection.copy_in(table) { |copy| loop { (copy << [1]) && sleep(0.01) } } }
    end

    def trickling = trickle.tap { wait_until_running(connection.backend_pid, "COPY") }

    it "conn.cancel" do
      thread = trickling
      connection.cancel
      expect(outcome_of(thread)).to be_a(Pgconn::QueryCanceledError)
      expect_usable(connection)
    end

    it "an error of the server's" do
      connection.execute("CREATE TEMP TABLE positive (id int CHECK (id < 0))")
      expect(outcome_of(trickle("positive"))).to be_a(Pgconn::Errors::CheckViolation)
      expect_usable(connection)
    end

    it "the end of its session" do
      thread = trickling
      observe("SELECT pg_terminate_backend($1::int)", [connection.backend_pid])
      expect(outcome_of(thread)).to be_a(Pgconn::ConnectionLost)
    end
  end

  it "and left, leaves a transaction_status that is right once the server has answered" do
    catch(:out) { connection.copy_in("things") { |copy| (copy << [1]) && throw(:out) } }
    eventually("nothing is under way") { connection.transaction_status == Pgconn::TRANSACTION_STATUS_IDLE }
    expect_usable(connection)
  end

  it "while it waits for a lock" do
    observer.execute("CREATE TABLE IF NOT EXISTS copy_locked (id int)")
    observer.transaction do
      observer.execute("LOCK copy_locked")
      expect { Timeout.timeout(0.2) { connection.copy_in("COPY copy_locked FROM STDIN", StringIO.new("1\n")) } }
        .to raise_error(Timeout::Error)
      expect { connection.copy_in("COPY copy_locked FROM STDIN", StringIO.new("1\n"), timeout: 0.2) }
        .to raise_error(Pgconn::QueryCanceledError)
      expect_usable(connection)
    end
    expect(observe("SELECT count(*) FROM copy_locked")).to eq(0)
  ensure
    observer.execute("DROP TABLE copy_locked")
  end

  it "while the server is busy with the rows that it has" do
    connection.execute(<<~SQL)
      CREATE TEMP TABLE busy (id int);
      CREATE FUNCTION pg_temp.sleep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$;
      CREATE TRIGGER sleeps BEFORE INSERT ON busy FOR EACH ROW EXECUTE FUNCTION pg_temp.sleep();
    SQL
    [-> { connection.copy_in("busy") { |copy| loop { copy << [1] } } },
     -> { connection.copy_in("busy") { |copy| 20_000.times { copy << [1] } && sleep } }].each do |work|
      thread = in_thread(&work)
      eventually("it sleeps") { observe("SELECT wait_event FROM pg_stat_activity WHERE pid = $1", [connection.backend_pid]) == "PgSleep" }
      thread.kill
      expect_usable(connection)
    end
  end

  it "by a deadline that passes in its block" do
    [->(copy) { copy << [1] }, ->(_) {}].each do |last|
      expect { connection.copy_in("things", timeout: 0.1) { |copy| (copy << [1]) && sleep(0.2) && last.call(copy) } }
        .to raise_error(Pgconn::QueryCanceledError, /timeout of 0.1 s passed/) { |error| expect(error.outcome).to eq(:canceled) }
      expect_usable(connection)
    end
    expect { connection.copy_out("SELECT 1", timeout: 0.1) { sleep 0.2 } }.to raise_error(Pgconn::QueryCanceledError)
    expect_usable(connection)
  end

  it "by throw, both ways" do
    expect(catch(:out) { connection.copy_in("things") { |copy| (copy << [1]) && throw(:out, 5) } }).to eq(5)
    expect(catch(:out) { connection.copy_out(endless) { throw :out, 5 } }).to eq(5)
    expect_usable(connection)
  end

  it "by the collector, of a fiber that has left off sending" do
    in_dropped_fiber { connection.copy_in("things") { |copy| 20_000.times { copy << [1] } && Fiber.yield } }
    thread = in_thread { connection.execute("SELECT 7").fetch_value }
    eventually("it is collected") { GC.start || thread.join(0.05) }
    expect(value_of(thread)).to eq(7)
    expect_usable(connection)
  end

  it "by the rewind of its Enumerator, which begins anew, and from within raises" do
    rows = connection.copy_out(endless)
    first = rows.next
    rows.rewind
    expect_usable(connection)
    expect(rows.next).to eq(first)
    rows.rewind
    expect { rows.each { rows.rewind } }.to raise_error(Pgconn::ProgrammingError, /rewind/)
    expect_usable(connection)
  end

  it "by the end of a thread whose Enumerator is still referenced" do
    rows = connection.copy_out(endless)
    in_thread { rows.next }.join
    expect(value_of(in_thread { connection.execute("SELECT 7").fetch_value })).to eq(7)
    expect(rows).to be_an(Enumerator)
    expect_usable(connection)
  end

  it "while fifty threads wait for the line, who get their answers" do
    others = nil
    start = -> { others ||= Array.new(50) { |i| in_thread { connection.execute("SELECT $1::int", [i]).fetch_value } } }
    [-> { connection.copy_out(endless) { start.call } }, -> { connection.copy_in("things") { |copy| loop { (copy << [1]) && start.call } } }].each do |work|
      others = nil
      thread = in_thread(&work)
      eventually("they wait") { others && others.size == 50 }
      thread.kill
      expect(others.map { |other| value_of(other) }).to eq((0...50).to_a)
    end
    expect_usable(connection)
  end

  it "by its deadline, both ways" do
    expect { feed(connection, timeout: 0.2) }.to raise_error(Pgconn::QueryCanceledError)
    expect_usable(connection)
    expect { connection.copy_out(endless, timeout: 0.2) { nil } }.to raise_error(Pgconn::QueryCanceledError)
    expect_usable(connection)
  end

  it "by Connection#cancel, both ways" do
    { feed: -> { feed(connection) }, out: -> { connection.copy_out(endless) { nil } } }.each_value do |work|
      thread = in_thread(&work)
      wait_until_running(connection.backend_pid, "COPY")
      connection.cancel
      expect(outcome_of(thread)).to be_a(Pgconn::QueryCanceledError)
      expect_usable(connection)
    end
  end

  it "by the end of the session" do
    [->(lost) { feed(lost) }, ->(lost) { lost.copy_out(endless) { nil } }].each do |work|
      lost = connect(autocommit: true)
      lost.execute("CREATE TEMP TABLE things (id int)")
      thread = in_thread { work.call(lost) }
      wait_until_running(lost.backend_pid, "COPY")
      observe("SELECT pg_terminate_backend($1::int)", [lost.backend_pid])
      expect(outcome_of(thread)).to be_a(Pgconn::ConnectionLost)
      expect(lost).to be_broken
    end
  end

  it "at any moment, however often, with other callers on the connection" do
    random = Random.new(RSpec.configuration.seed)
    40.times do |number|
      work = number.even? ? -> { feed(connection) } : -> { connection.copy_out(endless) { nil } }
      thread = in_thread(&work)
      other = in_thread { connection.execute("SELECT $1::int", [number]).fetch_value }
      Elapsed.now.then { |start| Thread.pass until Elapsed.now > start + random.rand * 0.02 }
      outcome_of(thread.kill)
      expect(value_of(other)).to eq(number)
    end
    expect_usable(connection)
  end

  it "in a transaction block, which is rolled back" do
    expect do
      connection.transaction do
        connection.copy_in("things", [[1]])
        connection.copy_in("things") { |copy| raise KeyError if copy << [2] }
      end
    end.to raise_error(KeyError)
    expect_usable(connection)
  end

  it "loses no notification that arrives meanwhile" do
    connection.listen("copies")
    connection.copy_in("things") do |copy|
      50_000.times { copy << [1] }
      observer.notify("copies", "hello")
      50_000.times { copy << [1] }
    end
    expect(connection.wait_for_notify(timeout: 5).payload).to eq("hello")
  end

  it "loses no notification that arrives while rows come" do
    connection.listen("copies")
    connection.copy_out("SELECT i FROM generate_series(1, 200000) i") do |row|
      observer.notify("copies", "hello") if row[:i] == 1000
    end
    expect(connection.wait_for_notify(timeout: 5).payload).to eq("hello")
  end

  it "harms no parent when a fork inherits it" do
    connection.copy_in("things") do |copy|
      copy << [1]
      pid = fork do
        20_000.times { copy << [2] }
      rescue Pgconn::InterfaceError
        exit!(0)
      ensure
        exit!(1)
      end
      copy << [3]
      expect(Process.wait2(pid)[1]).to be_success
    end
    expect(connection.execute("SELECT sum(id) FROM things").fetch_value).to eq(4)
  end
end
