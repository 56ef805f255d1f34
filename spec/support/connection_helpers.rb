# frozen_string_literal: true

require "timeout"

# What the examples use to talk to the servers of the run.
module ConnectionHelpers
  # How long anything may take that a working driver does at once. What the specs interrupt or
  # wait for would take three times as long by itself, so that a machine under load fails nothing.
  SOON = ENV.key?("PGCONN_VALGRIND") ? 120 : 10

  def server
    SharedServers.main
  end

  # @return [Pgconn::Connection] by UNIX socket to the run's server, closed after the example
  def connect(conninfo = server.conninfo, **keywords)
    closed_later(Pgconn.connect(conninfo, **keywords))
  end

  # @return [Pgconn::Connection] by TCP and, unless asked for, without TLS
  def connect_tcp(**keywords)
    connect(nil, host: server.host, port: server.port, dbname: server.database, user: server.user,
                 sslmode: "disable", **keywords)
  end

  # @return [Pgconn::Connection] an async one, which has connected
  def connect_async(**keywords)
    connect(server.conninfo, async: true, **keywords).tap { |connection| poll_to_end(connection) }
  end

  # Polls until POLL_OK.
  # @return [Array<Integer>] what poll has said before
  def poll_to_end(connection)
    seen = []
    until (events = connection.poll) == Pgconn::POLL_OK
      seen << events
      connection.to_io.wait(events, SOON) or raise "nothing has come"
    end
    seen
  end

  # A session beside the one under test, to look at it from outside.
  def observer
    @observer ||= connect(autocommit: true, application_name: "observer")
  end

  def closed_later(connection)
    (@opened_connections ||= []) << connection
    connection
  end

  def close_connections
    @opened_connections&.each(&:close)
    @observer = @opened_connections = nil
  end

  # What {#observer} reads in the only column of the only row.
  def observe(sql, params = nil)
    observer.execute(sql, params).fetch_value
  end

  # "active", "idle", "idle in transaction", ... or nil where there is no such session.
  def backend_state(pid)
    observe("SELECT state FROM pg_stat_activity WHERE pid = $1::int", [pid])
  end

  # Waits until the session runs a statement that contains the text.
  def wait_until_running(pid, text)
    eventually("the session runs #{text}") do
      observe(<<~SQL, [pid, text])
        SELECT count(*) FROM pg_stat_activity
        WHERE pid = $1::int AND state = 'active' AND strpos(query, $2::text) > 0
      SQL
        .positive?
    end
  end

  # Waits until the session runs nothing any more; true also where it has ended.
  def wait_until_not_running(pid)
    eventually("the server has stopped the statement") { backend_state(pid) != "active" }
  end

  # Repeats the block until it gives something true, which is returned; fails after {SOON}.
  def eventually(what = "the condition holds")
    deadline = Elapsed.now + SOON
    loop do
      result = yield
      return result if result
      raise "waited #{SOON} seconds in vain: #{what}" if Elapsed.now > deadline

      Thread.pass
    end
  end

  # A thread whose exception comes out of #value, unprinted.
  def in_thread(&block)
    Thread.new do
      Thread.current.report_on_exception = false
      block.call
    end
  end

  # Runs the block in a Fiber that nobody holds on to where it yields. It is resumed from another one, with
  # whose stack the last reference goes: on the example's own, the collector may take it for held.
  def in_dropped_fiber(&block)
    Fiber.new { Fiber.new(&block).resume }.resume
  end

  # The exception that the thread died of, or nil. Fails if the thread doesn't end soon.
  def outcome_of(thread)
    return if thread.join(SOON)
  rescue StandardError => e
    e
  else
    raise "the thread still runs after #{SOON} seconds"
  end

  # What the thread's block gave. Fails if the thread doesn't end soon; never waits for ever.
  def value_of(thread)
    error = outcome_of(thread)
    raise error if error

    thread.value
  end

  # Runs the block with environment variables that libpq reads.
  def with_environment(variables)
    before = variables.keys.to_h { |name| [name, ENV[name]] }
    ENV.update(variables)
    yield
  ensure
    ENV.update(before)
  end

  # A TCP port of this machine where nobody listens.
  def closed_port
    listener = TCPServer.new("127.0.0.1", 0)
    listener.addr[1]
  ensure
    listener.close
  end

  # @yield [TcpProxy] between the connection and the run's server
  def through_proxy(**options, &block)
    TcpProxy.open(server.host, server.port, **options, &block)
  end
end
