# frozen_string_literal: true

require "spec_helper"

RSpec.describe "An interrupted statement" do
  let(:connection) { connect(autocommit: true) }

  def wait_until_sleeping(connection)
    wait_until_running(connection.backend_pid, "pg_sleep(30)")
  end

  def sleeping(connection)
    thread = in_thread { connection.execute("SELECT pg_sleep(30)") }
    wait_until_sleeping(connection) # this thread runs on while the other one waits
    thread
  end

  shared_examples "usable" do
    it "leaves the server without it and the connection in step" do
      wait_until_not_running(connection.backend_pid)
      5.times { |number| expect(connection.execute("SELECT $1::int", [number]).fetch_value).to eq(number) }
      expect(connection).not_to be_broken
    end
  end

  describe "by Thread#kill" do
    before do
      running = sleeping(connection)
      elapsed = Elapsed.seconds { expect(outcome_of(running.kill)).to be_nil }
      expect(elapsed).to be < ConnectionHelpers::SOON
    end

    include_examples "usable"
  end

  describe "by Thread#raise" do
    before do
      running = sleeping(connection)
      running.raise(KeyError, "from outside")
      expect(outcome_of(running)).to be_a(KeyError).and have_attributes(message: "from outside")
    end

    include_examples "usable"
  end

  describe "by Timeout" do
    before do
      elapsed = Elapsed.seconds do
        expect { Timeout.timeout(0.2) { connection.execute("SELECT pg_sleep(30)") } }.to raise_error(Timeout::Error)
      end
      expect(elapsed).to be < ConnectionHelpers::SOON
    end

    include_examples "usable"
  end

  it "is followed at once by the next one, which gets its own answer" do
    running = sleeping(connection)
    elapsed = Elapsed.seconds do
      running.kill
      expect(connection.execute("SELECT 'own'").fetch_value).to eq("own")
    end
    expect(elapsed).to be < ConnectionHelpers::SOON
  end

  it "leaves a transaction to be rolled back" do
    connection = connect
    outcome_of(sleeping(connection).kill)
    expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
    connection.rollback
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "lets the killed thread's ensure use the connection" do
    connection = connect
    answer = nil
    running = in_thread do
      connection.execute("SELECT pg_sleep(30)")
    ensure
      connection.rollback
      answer = connection.execute("SELECT 'from ensure'").fetch_value
    end
    wait_until_sleeping(connection)
    outcome_of(running.kill)
    expect(answer).to eq("from ensure")
  end

  describe "that waits behind another" do
    let(:lock) { connect(autocommit: true).tap { |holder| holder.execute("SELECT pg_advisory_lock(2)") } }

    # Kills a thread that waits with the SQL while the first, which is given, is under way.
    def killed_behind(first, sql)
      lock
      connection.execute("CREATE TEMP TABLE t (id int)")
      running = in_thread { connection.execute(first).fetch_value }
      wait_until_running(connection.backend_pid, "'first'")
      waiting = in_thread { connection.execute(sql) }
      eventually("the second thread waits") { waiting.stop? }
      outcome_of(waiting.kill)
      running
    end

    def expect_nothing_inserted(running)
      elapsed = Elapsed.seconds do
        lock.close
        expect(value_of(running)).to eq("first")
        expect(connection.execute("SELECT count(*) FROM t").fetch_value).to eq(0)
      end
      expect(elapsed).to be < ConnectionHelpers::SOON
    end

    it "never runs if it wasn't sent, and the other goes on" do
      first = "SELECT 'first' FROM pg_advisory_lock(2); SELECT 'sent alone'"
      expect_nothing_inserted(killed_behind(first, "INSERT INTO t VALUES (1)"))
    end

    it "is cancelled when its turn comes if it was sent, and the other goes on" do
      first = "SELECT 'first' FROM pg_advisory_lock(2)"
      expect_nothing_inserted(killed_behind(first, "INSERT INTO t SELECT 1 FROM pg_sleep(30)"))
    end
  end

  it "at any moment leaves the connection in step, however often" do
    random = Random.new(RSpec.configuration.seed)
    100.times do |number|
      running = in_thread { loop { connection.execute("SELECT $1::int, repeat('x', 100000)", [-number]).fetch_all } }
      Elapsed.now.then { |start| Thread.pass until Elapsed.now > start + random.rand * 0.01 }
      outcome_of(running.kill)
      expect(connection.execute("SELECT $1::int", [number]).fetch_value).to eq(number)
    end
  end

  it "leaves no thread and no descriptor behind", :no_leaks do
    connection
    observer
    before = Thread.list.size
    5.times { outcome_of(sleeping(connection).kill) }
    connection.execute("SELECT 1")
    expect(Thread.list.size).to eq(before)
  end

  it "isn't one where a signal's handler returns" do
    handled = 0
    previous = trap("USR1") { handled += 1 }
    lock = connect(autocommit: true)
    lock.execute("SELECT pg_advisory_lock(3)")
    running = in_thread { connection.execute("SELECT 'whole' FROM pg_advisory_lock(3)").fetch_value }
    wait_until_running(connection.backend_pid, "'whole'")
    5.times do |number|
      Process.kill(:USR1, Process.pid)
      eventually("the handler ran") { handled > number }
    end
    lock.close
    expect(value_of(running)).to eq("whole")
  ensure
    trap("USR1", previous || "DEFAULT")
  end

  describe "in a program that gets Ctrl-C" do
    # Waits in the main thread, where Ruby delivers signals.
    def interrupting(script)
      RubyProcess.start(script, server.conninfo) do |child|
        pid = Integer(child.line)
        wait_until_running(pid, "pg_sleep(30)")
        ended = nil
        elapsed = Elapsed.seconds do
          child.signal(:INT)
          ended = child.wait
        end
        expect(elapsed).to be < ConnectionHelpers::SOON
        yield ended, pid
      end
    end

    it "raises Interrupt, and the connection is usable" do
      interrupting(<<~'RUBY') { |ended, _| expect(ended.output).to eq("Interrupt, then 42\n"), ended.errors }
        connection = Pgconn.connect(ARGV.first, autocommit: true)
        $stdout.sync = true
        puts connection.backend_pid
        begin
          connection.execute("SELECT pg_sleep(30)")
        rescue Interrupt => error
          puts "#{error.class}, then #{connection.execute('SELECT 42').fetch_value}"
        end
      RUBY
    end

    it "ends the program by the signal, and the server's session with it" do
      interrupting(<<~RUBY) do |ended, pid|
        connection = Pgconn.connect(ARGV.first)
        $stdout.sync = true
        puts connection.backend_pid
        connection.execute("SELECT pg_sleep(30)")
      RUBY
        expect(ended.status.termsig).to eq(Signal.list.fetch("INT"))
        eventually("the session has ended") { backend_state(pid).nil? }
      end
    end

    it "doesn't hold up the end of a program whose other thread still waits" do
      elapsed = Elapsed.seconds do
        ended = RubyProcess.run(<<~RUBY, server.conninfo)
          connection = Pgconn.connect(ARGV.first, autocommit: true)
          waiting = Thread.new { connection.execute("SELECT pg_sleep(30)") }
          Pgconn.connect(ARGV.first, autocommit: true) do |observer|
            sql = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND state = 'active'"
            Thread.pass until observer.execute(sql, [connection.backend_pid]).fetch_value == 1
          end
          puts "end"
        RUBY
        expect(ended.output).to eq("end\n"), ended.errors
      end
      expect(elapsed).to be < ConnectionHelpers::SOON
    end
  end
end
