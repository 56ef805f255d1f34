# frozen_string_literal: true

require "spec_helper"
require "async"
require "async/variable"

# In each call that waits.
RSpec.describe "A task of async that is stopped" do
  # Runs the block in a task of a thread of its own; what it raises comes out.
  def in_async(&block)
    thread = in_thread { Sync(&block) }
    value_of(thread)
  ensure
    thread&.kill
  end

  # Starts the call in a task, waits until `once` gives true, and stops the task.
  def stop(task, call, once:)
    calling = task.async { call.call }
    eventually { sleep(0.01) && once.call }
    expect(calling).to be_running
    calling.stop
    expect(calling).to be_stopped
  end

  def expect_in_step(connection)
    expect(Array.new(3) { |number| connection.execute("SELECT $1::int", [number]).fetch_value }).to eq([0, 1, 2])
  end

  def active?(connection) = backend_state(connection.backend_pid) == "active"

  it "in COPY, either way, ends it" do
    in_async do |task|
      connection = connect_tcp(autocommit: true)
      connection.execute("CREATE TEMP TABLE things (id int)")
      { in: -> { connection.copy_in("things") { |copy| loop { (copy << [1]) && sleep(0.001) } } },
        out: -> { connection.copy_out("SELECT generate_series(1, 1000000000)") { sleep 0.001 } } }.each_value do |call|
        stop(task, call, once: -> { active?(connection) })
        expect_in_step(connection)
        expect(connection.execute("SELECT count(*) FROM things").fetch_value).to eq(0)
      end
    end
  end

  it "in connect hangs up" do
    SilentHost.open do |silent|
      in_async do |task|
        connecting = -> { Pgconn.connect(host: silent.host, port: silent.port, sslmode: "disable") }
        stop(task, connecting, once: -> { silent.called? })
      end
      expect(silent.hung_up?(silent.accept)).to be(true)
    end
  end

  it "in execute has its statement cancelled" do
    connection = connect_tcp(autocommit: true)
    in_async do |task|
      stop(task, -> { connection.execute("SELECT pg_sleep(60)") }, once: -> { active?(connection) })
      expect_in_step(connection)
    end
  end

  it "in commit has the transaction rolled back" do
    connection = connect_tcp
    in_async do |task|
      SlowCommit.begin(connection)
      stop(task, -> { connection.commit }, once: -> { active?(connection) })
      connection.rollback
      expect_in_step(connection)
      expect(connection.execute("SELECT count(*) FROM kept").fetch_value).to eq(0)
    end
  end

  it "in the commit of a block has the transaction rolled back" do
    connection = connect_tcp(autocommit: true)
    in_async do |task|
      SlowCommit.begin(connection)
      connection.execute("ROLLBACK")
      block = -> { connection.transaction { connection.execute("INSERT INTO kept VALUES (1)") } }
      stop(task, block, once: -> { active?(connection) })
      expect_in_step(connection)
      expect(connection.execute("SELECT count(*) FROM kept").fetch_value).to eq(0)
    end
  end

  it "in cancel leaves the connection, and the statement that it meant, to others" do
    through_proxy do |proxy|
      connection = connect_tcp(port: proxy.port, autocommit: true)
      in_async do |task|
        sleeping = task.async { connection.execute("SELECT 'own' FROM pg_sleep(1)").fetch_value }
        eventually { sleep(0.01) && active?(connection) }
        proxy.stall # so that the request gets no answer
        before = proxy.connections
        stop(task, -> { connection.cancel }, once: -> { proxy.connections > before })
        proxy.resume
        begin
          expect(sleeping.wait).to eq("own")
        rescue Pgconn::QueryCanceledError
          nil # the request has arrived all the same
        end
        expect_in_step(connection)
      end
    end
  end

  it "in wait_for_notify leaves the notification to others" do
    connection = connect_tcp(autocommit: true)
    in_async do |task|
      connection.listen("news")
      stop(task, -> { connection.wait_for_notify }, once: -> { true })
      observer.notify("news", "still")
      expect(connection.wait_for_notify(timeout: ConnectionHelpers::SOON).payload).to eq("still")
      expect_in_step(connection)
    end
  end

  it "while it waits for another's block never enters its own" do
    connection = connect_tcp(autocommit: true)
    in_async do |task|
      leave = Async::Variable.new
      block = task.async { connection.transaction { leave.wait } }
      stop(task, -> { connection.transaction { raise "entered" } }, once: -> { true })
      leave.resolve
      block.wait
      expect_in_step(connection)
    end
  end

  it "after close, which doesn't wait, finds it done, and whoever waited has its InterfaceError" do
    connection = connect_tcp(autocommit: true)
    in_async do |task|
      waiting = task.async do
        connection.execute("SELECT pg_sleep(60)")
      rescue Pgconn::InterfaceError => e
        e
      end
      eventually { sleep(0.01) && active?(connection) }
      closing = task.async { connection.close }
      closing.stop
      expect(connection).to be_closed
      expect(waiting.wait).to be_a(Pgconn::InterfaceError)
    end
  end
end
