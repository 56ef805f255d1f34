# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Waiting for a notification" do
  let!(:connection) { connect(autocommit: true).tap { |made| made.listen("c") } }

  # A thread that waits already.
  def waiting(connection = self.connection, **options)
    thread = in_thread { connection.wait_for_notify(**options) }
    eventually("the thread waits") { thread.stop? }
    thread
  end

  def payload_of(thread)
    value_of(thread)&.payload
  end

  it "gives the oldest unread one at once" do
    %w[1 2].each { |payload| connection.notify("c", payload) }
    expect(Array.new(2) { connection.wait_for_notify.payload }).to eq(%w[1 2])
    expect(connection.notifies).to be_empty
  end

  it "gives one that lies in the socket already" do
    observer.notify("c", "1")
    expect(connection.wait_for_notify(timeout: 30).payload).to eq("1")
  end

  it "ends when one comes" do
    thread = waiting
    observer.notify("c", "1")
    expect(payload_of(thread)).to eq("1")
  end

  it "gives nil when the time has passed, and not before" do
    elapsed = Elapsed.seconds { expect(connection.wait_for_notify(timeout: 0.2)).to be_nil }
    expect(elapsed).to be_between(0.2, ConnectionHelpers::SOON)
  end

  it "isn't prolonged by what else comes" do
    connection.on_notice { nil }
    thread = waiting(timeout: 0.5)
    100.times { connection.execute("DO $$ BEGIN RAISE NOTICE 'n'; END $$") }
    expect(value_of(thread)).to be_nil
  end

  { 0 => ArgumentError, -1 => ArgumentError, Float::NAN => ArgumentError, "1" => TypeError }.each do |timeout, error|
    it "for #{timeout.inspect} seconds is a #{error}" do
      expect { connection.wait_for_notify(timeout: timeout) }.to raise_error(error, /timeout/)
    end
  end

  { "a UNIX socket" => ->(example) { example.connect(autocommit: true) },
    "TLS" => ->(example) { example.connect_tcp(sslmode: "require", autocommit: true) } }.each do |what, way|
    it "over #{what} takes nothing from other threads: they use the connection as if nobody waited" do
      connection = way.call(self)
      connection.listen("c")
      threads = Array.new(2) { waiting(connection) }
      executing = Array.new(2) do |thread|
        in_thread { Array.new(1_000) { |number| connection.execute("SELECT $1::int", [thread + number]).fetch_value } }
      end
      expect(executing.map { |thread| value_of(thread) }).to eq([(0...1_000).to_a, (1..1_000).to_a])
      expect(threads).to all(be_alive)
      2.times { |number| observer.notify("c", number) }
      expect(threads.map { |thread| payload_of(thread) }).to contain_exactly("0", "1")
    end
  end

  it "gets at once what other threads' commands bring" do
    thread = waiting
    connection.notify("c", "1")
    expect(payload_of(thread)).to eq("1")
  end

  it "ends while another thread's statement is under way, where that brings it" do
    thread = waiting
    executing = in_thread { 500.times { connection.execute("SELECT repeat('x', 50000)") } }
    observer.notify("c", "1")
    expect(payload_of(thread)).to eq("1")
    value_of(executing)
  end

  it "by two threads gives each notification to exactly one" do
    threads = Array.new(2) { waiting }
    connection.notify("c", "1")
    connection.notify("c", "2")
    expect(threads.map { |thread| payload_of(thread) }).to contain_exactly("1", "2")
  end

  it "by two threads gives two that come together to both" do
    threads = Array.new(2) { waiting }
    observer.execute("SELECT pg_notify('c', n::text) FROM generate_series(1, 2) n")
    expect(threads.map { |thread| payload_of(thread) }).to contain_exactly("1", "2")
  end

  it "works over TLS, also for more than one record holds" do
    connection = connect_tcp(sslmode: "require", autocommit: true)
    connection.listen("c")
    thread = in_thread { Array.new(100) { connection.wait_for_notify(timeout: 30)&.payload } }
    eventually("the thread waits") { thread.stop? }
    observer.execute("SELECT pg_notify('c', n || repeat('x', 7000)) FROM generate_series(1, 100) n")
    expect(value_of(thread)).to eq((1..100).map { |number| "#{number}#{"x" * 7000}" })
  end

  describe "inside a transaction" do
    it "is a ProgrammingError that says why" do
      connection = connect
      connection.execute("SELECT 1")
      expect { connection.wait_for_notify }
        .to raise_error(Pgconn::ProgrammingError, /inside a transaction.*delivers between transactions.*for ever/)
      connection.rollback
      expect(connection.wait_for_notify(timeout: 0.01)).to be_nil
    end

    it "is one also where the transaction was begun by a statement that was interrupted" do
      connection = connect
      running = in_thread { connection.execute("SELECT pg_sleep(30)") }
      wait_until_running(connection.backend_pid, "pg_sleep")
      outcome_of(running.kill)
      expect { connection.wait_for_notify }.to raise_error(Pgconn::ProgrammingError, /inside a transaction/)
    end
  end

  describe "inside a block of transaction" do
    it "is a ProgrammingError, too" do
      connection.transaction do
        expect { connection.wait_for_notify }.to raise_error(Pgconn::ProgrammingError, /inside a transaction/)
      end
    end

    it "of another thread waits for its end and the notifications behind it" do
      thread = nil
      connection.transaction do
        connection.execute("SELECT 1")
        thread = waiting
        observer.notify("c", "1")
        connection.execute("SELECT 2")
        expect(thread).to be_alive
      end
      expect(payload_of(thread)).to eq("1")
    end
  end

  describe "when it is interrupted" do
    it "by Thread#kill leaves the connection in step" do
      outcome_of(waiting.kill)
      expect(connection.execute("SELECT 'own'").fetch_value).to eq("own")
    end

    it "by Thread#raise raises that" do
      thread = waiting
      thread.raise(KeyError, "from outside")
      expect(outcome_of(thread)).to be_a(KeyError)
      expect(connection.execute("SELECT 'own'").fetch_value).to eq("own")
    end

    it "by Timeout raises that" do
      expect { Timeout.timeout(0.1) { connection.wait_for_notify } }.to raise_error(Timeout::Error)
      expect(connection.execute("SELECT 'own'").fetch_value).to eq("own")
    end

    it "by Thread#wakeup waits on" do
      thread = waiting
      thread.wakeup
      connection.execute("SELECT 1")
      expect(thread).to be_alive
      observer.notify("c", "1")
      expect(payload_of(thread)).to eq("1")
    end

    it "never loses a notification, however often" do
      taken = []
      100.times do |number|
        thread = in_thread { uninterrupted { taken << connection.wait_for_notify.payload } }
        observer.notify("c", number)
        Thread.pass until thread.stop? || rand < 0.3
        outcome_of(thread.kill)
      end
      connection.execute("SELECT 1")
      expect(taken + connection.notifies.map(&:payload)).to match_array((0...100).map(&:to_s))
    end

    # But while it waits: so that nothing comes between what is given and what is done with it.
    def uninterrupted(&block) = Thread.handle_interrupt(Object => :on_blocking, &block)
  end

  it "goes on when another thread's statement is interrupted, and reads what that has left" do
    thread = waiting
    running = in_thread { connection.execute("SELECT pg_sleep(30)") }
    wait_until_running(connection.backend_pid, "pg_sleep")
    outcome_of(running.kill)
    observer.notify("c", "1")
    expect(payload_of(thread)).to eq("1")
  end

  describe "when the connection ends" do
    it "raises ConnectionLost with the server's last words" do
      threads = Array.new(2) { waiting }
      observer.execute("SELECT pg_terminate_backend($1)", [connection.backend_pid])
      expect(threads.map { |thread| outcome_of(thread) })
        .to all(be_a(Pgconn::ConnectionLost).and(have_attributes(sqlstate: "57P01", message: /terminating connection/)))
      expect(connection).to be_broken
    end

    it "raises ConnectionLost for a network that cuts it" do
      through_proxy do |proxy|
        connection = connect_tcp(host: proxy.host, port: proxy.port, autocommit: true)
        thread = waiting(connection)
        proxy.cut
        expect(outcome_of(thread)).to be_a(Pgconn::ConnectionLost)
      end
    end

    it "raises InterfaceError for close by another thread" do
      threads = Array.new(2) { waiting }
      connection.close
      expect(threads.map { |thread| outcome_of(thread) }).to all(be_a(Pgconn::InterfaceError).and(have_attributes(message: /closed/)))
      expect { connection.wait_for_notify }.to raise_error(Pgconn::InterfaceError, /closed/)
    end

    it "raises InterfaceError in a forked child, and the parent waits on" do
      ended = RubyProcess.run(<<~RUBY, server.conninfo)
        connection = Pgconn.connect(ARGV.first, autocommit: true)
        connection.listen("c")
        waiting = Thread.new { connection.wait_for_notify }
        Thread.pass until waiting.stop?
        Process.wait(fork do
          connection.wait_for_notify
        rescue Pgconn::InterfaceError => error
          $stdout.puts error.message, connection.notifies.size
          connection.close
        end)
        connection.notify("c", "to the parent")
        puts waiting.value.payload
      RUBY
      expect(ended.output.lines(chomp: true)).to match([/parent process/, "0", "to the parent"]), ended.errors
    end
  end

  describe "with an on_notify handler" do
    let(:received) { [] }

    before { connection.on_notify { |notify| received << notify.payload } }

    it "calls it, and gives the notification all the same" do
      thread = waiting
      observer.notify("c", "1")
      expect(payload_of(thread)).to eq("1")
      expect([received, connection.notifies]).to eq([["1"], []])
    end

    it "gives what was queued before the handler was there first" do
      connection = connect(autocommit: true)
      connection.listen("c")
      connection.notify("c", "1")
      connection.on_notify { |notify| received << notify.payload }
      expect(connection.wait_for_notify.payload).to eq("1")
      expect(received).to eq([])
    end

    it "raises what the handler raises" do
      connection.on_notify { raise KeyError }
      observer.notify("c")
      expect { connection.wait_for_notify }.to raise_error(KeyError)
    end

    it "has them called once, be it by the command that brings the notification or by who waits" do
      thread = waiting(timeout: 0.5)
      connection.notify("c", "1")
      value_of(thread)
      expect(received).to eq(["1"])
    end

    it "in a handler is a ProgrammingError" do
      outcome = nil
      connection.on_notify do
        connection.wait_for_notify
      rescue Pgconn::ProgrammingError => e
        outcome = e.message
      end
      connection.notify("c")
      expect(outcome).to match(/in a handler/)
    end
  end

  it "calls handlers of notices that come meanwhile" do
    received = []
    connection.on_notice { |notice| received << notice.message }
    thread = waiting
    connection.execute("DO $$ BEGIN RAISE NOTICE 'n'; END $$")
    observer.notify("c", "1")
    expect(payload_of(thread)).to eq("1")
    expect(received).to eq(["n"])
  end

  it "leaves no thread and no descriptor behind", :no_leaks do
    5.times { outcome_of(waiting.kill) }
    connection.wait_for_notify(timeout: 0.01)
  end
end
