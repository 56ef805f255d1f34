# frozen_string_literal: true

require "spec_helper"
require "async"

RSpec.describe "Under a Fiber scheduler" do
  let(:parameters) do
    { host: server.host, port: server.port, dbname: server.database, user: server.user, sslmode: "disable" }
  end

  # Stops a fiber: no StandardError, so that nothing rescues it by the way.
  let(:stop) { Class.new(Exception) } # rubocop:disable Lint/InheritException

  # @yield [scheduler, connection] in a fiber of a gate scheduler
  def in_gate(**keywords)
    GateScheduler.run(server.host, server.port) do |scheduler|
      connection = Pgconn.connect(nil, **parameters, port: scheduler.port, autocommit: true, **keywords)
      yield scheduler, connection
    ensure
      connection&.close
    end
  end

  # @yield [task, connection] in a task of async
  def in_async(**keywords)
    thread = Thread.new do
      Sync do |task|
        connection = Pgconn.connect(nil, **parameters, autocommit: true, **keywords)
        yield task, connection
      ensure
        connection&.close
      end
    end
    thread.report_on_exception = false
    value_of(thread)
  ensure
    thread&.kill
  end

  def sleeping?(connection) = backend_state(connection.backend_pid) == "active"

  it "a query lets other fibers run" do
    ticks = in_gate do |_, connection|
      count = 0
      done = false
      Fiber.schedule do
        until done
          sleep 0.01
          count += 1
        end
      end
      connection.execute("SELECT pg_sleep(0.3)")
      done = true
      count
    end
    expect(ticks).to be > 3
  end

  it "queries of several connections run at the same time" do
    seconds = in_async do |task, _|
      connections = Array.new(4) { Pgconn.connect(nil, **parameters) }
      Elapsed.seconds do
        connections.map { |connection| task.async { connection.execute("SELECT pg_sleep(1)") } }.each(&:wait)
      end.tap { connections.each(&:close) }
    end
    expect(seconds).to be < 3
  end

  it "resolving a name lets other fibers run" do
    script = <<~RUBY
      require "async"
      Sync do |task|
        entered, writer = IO.pipe
        ENV["HANGING_RESOLVER_FD"] = writer.fileno.to_s
        connecting = task.async { Pgconn.connect(host: "db.example.com", connect_timeout: 60) }
        entered.read(1)
        puts "another fiber ran"
        connecting.stop
      end
      puts "the connect was stopped"
      $stdout.flush
      exit!(0)
    RUBY
    ended = RubyProcess.run(script, env: { "LD_PRELOAD" => HangingResolver.preload })
    expect(ended.output).to eq("another fiber ran\nthe connect was stopped\n")
  end

  describe "a fiber that is stopped in a statement" do
    def stop_sleeping(connection)
      raised = nil
      fiber = Fiber.schedule do
        connection.execute("SELECT pg_sleep(60)")
      rescue Exception => e # rubocop:disable Lint/RescueException
        raised = e
      end
      eventually { sleeping?(connection) }
      fiber.raise(stop)
      raised
    end

    it "gets what it was stopped with, the server cancels, and the connection is in step" do
      in_gate do |_, connection|
        expect(stop_sleeping(connection)).to be_a(stop)
        expect(Array.new(3) { |number| connection.execute("SELECT $1::int", [number]).fetch_value }).to eq([0, 1, 2])
      end
    end

    it "leaves a transaction that a rollback ends" do
      in_gate(autocommit: false) do |_, connection|
        stop_sleeping(connection)
        expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
        connection.rollback
        expect(connection.execute("SELECT 1").fetch_value).to eq(1)
      end
    end

    it "rolls its transaction block back" do
      in_gate do |_, connection|
        connection.execute("CREATE TEMPORARY TABLE kept (id int)")
        fiber = Fiber.schedule do
          connection.transaction { connection.execute("INSERT INTO kept VALUES (1)") && connection.execute("SELECT pg_sleep(60)") }
        rescue stop
          nil
        end
        eventually { sleeping?(connection) }
        fiber.raise(stop)
        expect(connection.execute("SELECT count(*) FROM kept").fetch_value).to eq(0)
      end
    end

    it "while it waits for its turn, takes its statement out of the queue" do
      in_gate do |_, connection|
        connection.execute("CREATE TEMPORARY TABLE kept (id int)")
        first = nil
        Fiber.schedule do
          connection.transaction { first = connection.execute("SELECT pg_sleep(0.3), 1").fetch[1] }
        end
        second = Fiber.schedule do
          connection.execute("INSERT INTO kept VALUES (1)")
        rescue stop
          nil
        end
        second.raise(stop)
        expect(connection.execute("SELECT count(*) FROM kept").fetch_value).to eq(0)
        expect(first).to eq(1)
      end
    end

    it "in connecting, leaves nothing behind" do
      SilentHost.open do |silent|
        GateScheduler.run(server.host, server.port) do
          fiber = Fiber.schedule do
            Pgconn.connect(host: silent.host, port: silent.port, sslmode: "disable")
          rescue stop
            nil
          end
          socket = silent.accept
          fiber.raise(stop)
          expect(silent.hung_up?(socket)).to be(true)
        end
      end
    end

    it "in cancel, leaves the request on its way" do
      in_gate do |_, connection|
        sleeper = Fiber.schedule do
          connection.execute("SELECT pg_sleep(60)")
        rescue Pgconn::QueryCanceledError
          nil
        end
        eventually { sleeping?(connection) }
        cancelling = Fiber.schedule do
          connection.cancel
        rescue stop
          nil
        end
        cancelling.raise(stop) if cancelling.alive?
        eventually { sleep(0.01) && !sleeper.alive? }
        expect(connection.execute("SELECT 1").fetch_value).to eq(1)
      end
    end

    it "in wait_for_notify, leaves the connection to others" do
      in_gate do |_, connection|
        connection.listen("news")
        fiber = Fiber.schedule do
          connection.wait_for_notify
        rescue stop
          nil
        end
        fiber.raise(stop)
        connection.notify("news", "still")
        expect(connection.wait_for_notify(timeout: ConnectionHelpers::SOON).payload).to eq("still")
      end
    end
  end

  it "async's timeouts and stopped tasks leave the connection in step" do
    in_async do |task, connection|
      expect { task.with_timeout(0.2) { connection.execute("SELECT pg_sleep(60)") } }.to raise_error(Async::TimeoutError)
      expect(connection.execute("SELECT 1").fetch_value).to eq(1)
      sleeping = task.async { connection.execute("SELECT pg_sleep(60)") }
      eventually { sleeping?(connection) }
      sleeping.stop
      expect(connection.execute("SELECT 2").fetch_value).to eq(2)
    end
  end

  it "a transaction block belongs to its fiber: what others execute waits until it ends" do
    order = in_gate do |_, connection|
      found = []
      Fiber.schedule do
        connection.transaction do
          connection.execute("SELECT pg_sleep(0.2)")
          found << :block
        end
      end
      connection.execute("SELECT 1")
      found << :other
    end
    expect(order).to eq(%i[block other])
  end

  it "a handler's own statement doesn't count as another fiber's" do
    answers = in_gate do |_, connection|
      found = []
      connection.on_notice { found << connection.execute("SELECT 'handler' FROM pg_sleep(0.1)").fetch_value }
      raising = "DO $$ BEGIN RAISE NOTICE 'heard'; END $$"
      Fiber.schedule { connection.execute(raising) }
      connection.execute(raising)
      eventually { found.size == 2 || connection.execute("SELECT 1").nil? }
      found
    end
    expect(answers).to eq(%w[handler handler])
  end

  describe "fibers and threads that share a connection" do
    it "get each its own answers" do
      in_async do |task, connection|
        threads = Array.new(3) do |number|
          Thread.new { Array.new(20) { connection.execute("SELECT $1::int", [number]).fetch_value }.uniq }
        end
        tasks = Array.new(3) do |number|
          task.async { Array.new(20) { connection.execute("SELECT $1::int", [10 + number]).fetch_value }.uniq }
        end
        expect(tasks.map(&:wait)).to eq([[10], [11], [12]])
        expect(threads.map(&:value)).to eq([[0], [1], [2]])
      end
    end

    it "don't wait for a loop that is busy: a thread takes over the reading" do
      in_async do |task, connection|
        sleeping = task.async { connection.execute("SELECT pg_sleep(0.3), 'fiber'").fetch[1] }
        other = in_thread { connection.execute("SELECT 'thread'").fetch_value }
        # A blocking fiber holds up the whole loop.
        expect(Fiber.new(blocking: true) { value_of(other) }.resume).to eq("thread")
        expect(sleeping.wait).to eq("fiber")
      end
    end

    it "don't wait for a cancel request whose end a thread has seen in their place" do
      gate = Queue.new
      requests = Queue.new
      cancel = [80_877_102].pack("N") # what begins a cancel request, in place of a protocol's version
      to_server = ->(bytes, _) { bytes.tap { bytes.include?(cancel) && (requests << true) && gate.pop } }
      locker = connect(autocommit: true)
      locker.execute("SELECT pg_advisory_lock(71)")
      answers = Queue.new
      to_client = ->(bytes, _) { bytes.tap { answers << true } }
      through_proxy(to_server: to_server, to_client: to_client) do |proxy|
        in_async(port: proxy.port, cancel_timeout: 60) do |task, connection|
          stopped = task.async { connection.execute("SELECT pg_advisory_lock(71)") }
          eventually { sleep(0.01) && sleeping?(connection) }
          stopped.stop
          eventually { sleep(0.01) && !requests.empty? }
          waiting = task.async { connection.execute("SELECT 'fiber'").fetch_value }
          answers.clear
          locker.close # its answer comes, and nothing is sent before the request has ended
          # The loop turns until it has read the answer, and only the request is waited for.
          eventually { sleep(0.01) && !answers.empty? && !connection.to_io.wait_readable(0) }
          other = in_thread { connection.execute("SELECT 'thread'").fetch_value }
          eventually { other.stop? }
          # The loop is held up while the request ends.
          expect(Fiber.new(blocking: true) { gate.close && value_of(other) }.resume).to eq("thread")
          expect(task.with_timeout(ConnectionHelpers::SOON) { waiting.wait }).to eq("fiber")
        ensure
          gate.close
        end
      end
    end

    it "may be of one thread: a blocking fiber takes over from a task of its own loop" do
      in_async do |task, connection|
        sleeping = task.async { connection.execute("SELECT pg_sleep(0.3), 'fiber'").fetch[1] }
        rows = Enumerator.new { |rows| rows << connection.execute("SELECT 'enumerator'").fetch_value }
        expect(rows.next).to eq("enumerator")
        expect(sleeping.wait).to eq("fiber")
      end
    end

    it "may be of two schedulers" do
      in_async do |task, connection|
        sleeping = task.async { connection.execute("SELECT pg_sleep(0.3), 'here'").fetch[1] }
        other = in_thread { Sync { connection.execute("SELECT 'there'").fetch_value } }
        expect(Fiber.new(blocking: true) { value_of(other) }.resume).to eq("there")
        expect(sleeping.wait).to eq("here")
      end
    end
  end

  it "a fiber that its scheduler has forgotten does no harm to others" do
    connection = connect(autocommit: true)
    # Its io_wait comes back to nobody.
    forgetful = Class.new do
      def fiber(&block) = Fiber.new(blocking: false, &block).tap(&:resume)
      def io_wait(*) = Fiber.yield
      def block(*) = Fiber.yield
      def unblock(*) = nil
      def kernel_sleep(*) = Fiber.yield
      def close = nil
    end
    Thread.new do
      Fiber.set_scheduler(forgetful.new)
      Fiber.schedule { connection.execute("SELECT 'forgotten'") }
    end.join
    GC.start
    expect(connection.execute("SELECT 'others'").fetch_value).to eq("others")
  end

  it "what a scheduler raises in its wait comes out, and the connection is in step" do
    connection = connect(autocommit: true)
    raising = Class.new(GateScheduler) do
      def io_wait(*) = raise(KeyError, "by the scheduler")
    end
    expect { raising.run(server.host, server.port) { connection.execute("SELECT pg_sleep(60)") } }
      .to raise_error(KeyError, "by the scheduler")
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "a scheduler that executes on the very connection whose answer it waits for gets a ProgrammingError" do
    connection = connect(autocommit: true)
    using = Class.new(GateScheduler) do
      define_method(:io_wait) { |*| connection.execute("SELECT 2") }
    end
    expect { using.run(server.host, server.port) { connection.execute("SELECT pg_sleep(60)") } }
      .to raise_error(Pgconn::ProgrammingError, /waits for a connection/)
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "fibers that share a connection don't wait for each other's round trips" do
    trips = through_proxy(delay: 0.05) do |proxy|
      in_async(port: proxy.port) do |task, connection|
        connection.execute("SELECT 1")
        proxy.round_trips do
          Array.new(10) { |number| task.async { connection.execute("SELECT $1::int", [number]) } }.each(&:wait)
        end
      end
    end
    expect(trips).to be < 5
  end

  it "only one fiber waits for the socket, however many share the connection" do
    waits = in_gate do |scheduler, connection| # which fails where two wait for one descriptor
      before = scheduler.io_waits
      fibers = Array.new(20) { Fiber.schedule { connection.execute("SELECT pg_sleep(0.01)") } }
      eventually { sleep(0.01) && fibers.none?(&:alive?) }
      scheduler.io_waits - before
    end
    expect(waits).to be > 20
  end
end
