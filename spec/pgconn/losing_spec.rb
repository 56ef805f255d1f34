# frozen_string_literal: true

require "spec_helper"
require "async"

RSpec.describe "A connection that is lost" do
  # Ends the session from outside, as an administrator does, and waits for its end.
  def terminate(connection)
    pid = connection.backend_pid
    observe("SELECT pg_terminate_backend($1::int)", [pid])
    eventually("the session has ended") { backend_state(pid).nil? }
  end

  def running(connection, sql = "SELECT pg_sleep(30)")
    thread = in_thread { connection.execute(sql) }
    wait_until_running(connection.backend_pid, sql)
    thread
  end

  {
    "by UNIX socket" => -> { connect },
    "by TCP" => -> { connect_tcp },
    "by TLS" => -> { connect_tcp(sslmode: "require") }
  }.each do |way, connecting|
    describe way do
      let(:connection) { instance_exec(&connecting) }

      it "in the middle of a statement raises ConnectionLost with the server's last words" do
        thread = running(connection)
        elapsed = Elapsed.seconds do
          terminate(connection)
          error = outcome_of(thread)
          expect(error).to be_a(Pgconn::Errors::AdminShutdown).and be_a(Pgconn::ConnectionLost)
          expect(error.sqlstate).to eq("57P01")
          expect(error.message).to include("administrator command")
        end
        expect(elapsed).to be < ConnectionHelpers::SOON
      end

      it "while it was idle raises ConnectionLost with the server's last words at the next call" do
        terminate(connection)
        expect { connection.execute("SELECT 1") }
          .to raise_error(Pgconn::ConnectionLost, /administrator command/) { |error| expect(error.sqlstate).to eq("57P01") }
      end
    end
  end

  describe "has in its message libpq's own words, once and at the end," do
    unexpected = "server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally\n" \
                 "\tbefore or while processing the request."

    def message_of
      yield
    rescue Pgconn::ConnectionLost => e
      e.message
    end

    it "where the session has ended itself, and with each later call" do
      connection = connect(autocommit: true)
      message = message_of { connection.execute("SELECT pg_terminate_backend(pg_backend_pid())") }
      expect(message).to eq("terminating connection due to administrator command\n#{unexpected}")
      2.times do
        expect(message_of { connection.execute("SELECT 1") })
          .to eq("#{message}\nThe connection was lost before this call: close it and connect again.")
      end
    end

    it "where the network ends under a waiting call" do
      through_proxy do |proxy|
        thread = running(connect_tcp(port: proxy.port, sslmode: "disable"))
        proxy.cut
        expect(outcome_of(thread).message).to eq(unexpected)
      end
    end

    it "where the network has ended before the call" do
      through_proxy do |proxy|
        connection = connect_tcp(port: proxy.port)
        proxy.cut(reset: true)
        expect(message_of { connection.execute("SELECT 1") }).not_to match(/invalid socket|(.+)\n\1/)
      end
    end
  end

  it "is not closed before somebody talks to it, for closed? and broken? ask nobody" do
    connection = connect
    pid = connection.backend_pid
    observe("SELECT pg_terminate_backend($1::int)", [pid])
    eventually("the session has ended") { !server.backend_alive?(pid) }
    expect([connection.closed?, connection.broken?]).to eq([false, false])
    expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::ConnectionLost)
    expect([connection.closed?, connection.broken?]).to eq([true, true])
  end

  describe "afterwards" do
    let(:connection) { connect }

    def lose
      terminate(connection)
      expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::ConnectionLost)
    end

    it "is broken and closed, its status UNKNOWN" do
      lose
      expect([connection.broken?, connection.closed?, connection.alive?]).to eq([true, true, false])
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_UNKNOWN)
    end

    it "raises ConnectionLost from every call that talks until close, then InterfaceError" do
      cursor = connection.cursor
      lose
      calls = [-> { connection.execute("SELECT 1") }, -> { cursor.execute("SELECT 1") },
               -> { connection.commit }, -> { connection.rollback }]
      calls.each { |call| 2.times { expect(&call).to raise_error(Pgconn::ConnectionLost) } }
      expect(connection.close).to be_nil
      calls.each { |call| expect(&call).to raise_error(Pgconn::InterfaceError, /closed/) }
    end

    it "still knows what it knew, but no backend" do
      known = -> { [connection.server_version, connection.protocol_version, connection.parameter_status("TimeZone"), connection.dsn] }
      before = known.call
      lose
      expect(known.call).to eq(before)
      expect(connection.backend_pid).to be_nil
    end

    it "leaves rows that had arrived readable" do
      cursor = connection.execute("SELECT generate_series(1, 3)")
      cursor.fetch
      lose
      expect(cursor.fetch_all).to eq([[2], [3]])
    end

    it "leaves no descriptor open once it is closed", :no_leaks do
      lose
      connection.close
    end
  end

  it "raises ConnectionLost for every waiting caller" do
    connection = connect(autocommit: true)
    threads = [running(connection)]
    3.times { threads << in_thread { connection.execute("SELECT 1") } }
    eventually("all wait") { threads.all?(&:stop?) }
    terminate(connection)
    expect(threads.map { |thread| outcome_of(thread) }).to all(be_a(Pgconn::ConnectionLost))
  end

  describe "by a server that goes down" do
    ways = { "UNIX socket" => {}, "TCP" => { host: "127.0.0.1", sslmode: "disable" } }

    def sleeping_on(mortal, overrides)
      connection = closed_later(Pgconn.connect(mortal.conninfo(**overrides), autocommit: true))
      thread = in_thread { connection.execute("SELECT pg_sleep(30)") }
      Pgconn.connect(mortal.conninfo, autocommit: true) do |beside|
        sql = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND query ~ 'pg_sleep' AND state = 'active'"
        eventually("the statement runs") { beside.execute(sql, [connection.backend_pid]).fetch_value == 1 }
      end
      [connection, thread]
    end

    def expect_loss(connection, thread)
      elapsed = Elapsed.seconds { expect(outcome_of(thread)).to be_a(Pgconn::ConnectionLost) }
      expect(elapsed).to be < ConnectionHelpers::SOON
      expect(connection).to be_broken
    end

    # Threads, and fibers of two schedulers: some execute, some want the line for themselves.
    # @return [Array<Thread>] whose values are what the callers got, an array of errors each
    def hundred_callers(connection)
      ask = lambda do |number|
        number.even? ? connection.execute("SELECT 1") : connection.transaction { connection.execute("SELECT 1") }
      rescue StandardError => e
        e
      end
      loops = Array.new(2) { in_thread { Sync { |task| Array.new(25) { |n| task.async { ask.call(n) } }.map(&:wait) } } }
      loops + Array.new(50) { |number| in_thread { [ask.call(number)] } }
    end

    it "raises ConnectionLost for each of a hundred callers who wait, and none hangs" do
      PostgresServer.start do |mortal|
        connection, first = sleeping_on(mortal, {})
        callers = hundred_callers(connection)
        eventually("all wait") { callers.all?(&:stop?) }
        mortal.stop(mode: :immediate)
        errors = callers.flat_map { |thread| value_of(thread) }
        expect(errors.map(&:class)).to eq([Pgconn::ConnectionLost] * 100)
        expect(outcome_of(first)).to be_a(Pgconn::ConnectionLost)
      end
    end

    it "raises ConnectionLost in the middle of a statement, however it goes down" do
      PostgresServer.start do |mortal|
        ways.each_value do |overrides|
          connection, thread = sleeping_on(mortal, overrides)
          starts = mortal.log.scan("ready to accept connections").size
          Process.kill(:KILL, connection.backend_pid)
          expect_loss(connection, thread)
          # The server recovers from the crash of a session: it lets nobody in meanwhile.
          eventually("the server has recovered") do
            mortal.log.scan("ready to accept connections").size > starts
          end
        end
        sleepers = ways.each_value.map { |overrides| sleeping_on(mortal, overrides) }
        mortal.stop(mode: :immediate)
        sleepers.each { |connection, thread| expect_loss(connection, thread) }
      end
    end
  end
end
