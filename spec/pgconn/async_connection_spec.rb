# frozen_string_literal: true

require "spec_helper"

RSpec.describe "An async connection" do
  let(:connection) { connect_async }
  let(:cursor) { connection.cursor }

  describe "while connecting" do
    it "is executing, not closed, and can't be used, until poll says POLL_OK" do
      connection = connect(async: true)
      expect([connection.executing?, connection.closed?, connection.status]).to eq([true, false, Pgconn::STATUS_SETUP])
      expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::ProgrammingError, /poll/)
      poll_to_end(connection)
      expect([connection.executing?, connection.closed?, connection.status]).to eq([false, false, Pgconn::STATUS_READY])
    end

    it "has to wait until the socket can be written, and nothing else" do
      connection = connect_tcp(async: true)
      expect(connection.poll).to eq(Pgconn::POLL_WRITE).or eq(Pgconn::POLL_READ)
      expect(IO.select([connection.to_io], [connection.to_io], nil, ConnectionHelpers::SOON)).not_to be_nil
      expect(poll_to_end(connection)).to all(eq(Pgconn::POLL_READ).or(eq(Pgconn::POLL_WRITE)))
    end

    it "goes on to the next host, where to_io follows the descriptor" do
      SilentHost.open do |silent|
        connection = connect(nil, async: true, host: "#{silent.host},#{server.host}", port: "#{silent.port},#{server.port}",
                                  dbname: server.database, user: server.user, sslmode: "disable", connect_timeout: 0.3)
        poll_to_end(connection)
        expect(connection.info.port).to eq(server.port)
      end
    end

    it "raises in poll when no host can be connected to, and is closed then" do
      SilentHost.open do |silent|
        connection = Pgconn.connect(host: silent.host, port: silent.port, async: true, sslmode: "disable")
        2.times { connection.to_io.wait(connection.poll, 1) }
        silent.accept.close
        expect { poll_to_end(connection) }.to raise_error(Pgconn::OperationalError, /127\.0\.0\.1/)
        expect(connection).to be_closed
        expect { connection.poll }.to raise_error(Pgconn::InterfaceError, /closed/)
      end
    end

    it "can be closed, which hangs up" do
      SilentHost.open do |silent|
        connection = Pgconn.connect(host: silent.host, port: silent.port, async: true, sslmode: "disable")
        connection.to_io.wait(connection.poll, 1)
        connection.poll
        socket = silent.accept
        connection.close
        expect(silent.hung_up?(socket)).to be(true)
      end
    end

    it "and forgotten is cleaned up by the garbage collector" do
      SilentHost.open do |silent|
        10.times do
          connection = Pgconn.connect(host: silent.host, port: silent.port, async: true, sslmode: "disable")
          connection.poll
        end
        GC.start # what it leaves open, the spec's own check of descriptors finds
        expect(silent).to be_called
      end
    end

    it "uses TLS" do
      connection = connect(nil, async: true, host: "localhost", port: server.port, dbname: server.database,
                                user: server.user, sslmode: "require")
      poll_to_end(connection)
      connection.execute("SELECT repeat('x', 5000000)").tap do |cursor|
        poll_to_end(connection)
        expect(cursor.fetch_value.bytesize).to eq(5_000_000)
      end
    end
  end

  it "says so" do
    expect([connection.async?, connect.async?]).to eq([true, false])
  end

  it "can't be had for a block" do
    expect { Pgconn.connect(server.conninfo, async: true) { nil } }.to raise_error(ArgumentError, /block/)
  end

  describe "that executes" do
    it "returns at once, and the cursor has its result once poll says POLL_OK" do
      expect(cursor.execute("SELECT pg_sleep(0.2), 'answer'")).to equal(cursor)
      expect(connection.executing?).to be(true)
      expect(connection.poll).to eq(Pgconn::POLL_READ)
      poll_to_end(connection)
      expect(connection.executing?).to be(false)
      expect(cursor.fetch[1]).to eq("answer")
    end

    it "has isexecuting as another name, which is false of connections that wait" do
      cursor.execute("SELECT 1")
      expect([connection.isexecuting, connect.isexecuting]).to eq([true, false])
      poll_to_end(connection)
    end

    it "raises the server's error in poll, and stays usable" do
      cursor.execute("SELECT 1/0")
      expect { poll_to_end(connection) }.to raise_error(Pgconn::Errors::DivisionByZero) { |error| expect(error.cursor).to equal(cursor) }
      expect(connection.executing?).to be(false)
      cursor.execute("SELECT 'usable'")
      poll_to_end(connection)
      expect(cursor.fetch_value).to eq("usable")
    end

    it "refuses a second execute meanwhile, which doesn't disturb the first" do
      cursor.execute("SELECT pg_sleep(0.1), 'first'")
      expect { connection.execute("SELECT 'second'") }.to raise_error(Pgconn::ProgrammingError, /underway/)
      expect { connection.cursor.callproc("now") }.to raise_error(Pgconn::ProgrammingError, /underway/)
      poll_to_end(connection)
      expect(cursor.fetch[1]).to eq("first")
    end

    it "says where nothing can be fetched yet that it is underway" do
      cursor.execute("SELECT 1")
      expect { cursor.fetch }.to raise_error(Pgconn::ProgrammingError, /underway: poll/)
      poll_to_end(connection)
      expect(cursor.fetch.to_a).to eq([1])
    end

    it "has nothing to fetch before it is done" do
      cursor.execute("SELECT pg_sleep(0.1), 1")
      expect { cursor.fetch }.to raise_error(Pgconn::ProgrammingError)
      expect { cursor.scroll(1) }.to raise_error(Pgconn::ProgrammingError)
      poll_to_end(connection)
      expect(cursor.fetch[1]).to eq(1)
    end

    it "sends a large statement as the socket takes it" do
      size = 100_000_000
      cursor.execute("SELECT length($1::text)", ["x" * size])
      expect(poll_to_end(connection)).to include(Pgconn::POLL_READ | Pgconn::POLL_WRITE)
      expect(cursor.fetch_value).to eq(size)
    end

    it "asks for types first by itself" do
      cursor.execute("SELECT $1::int[]", [[1, nil, 3]])
      poll_to_end(connection)
      expect(cursor.fetch_value).to eq([1, nil, 3])
    end

    it "learns its statements as other connections do" do
      values = Array.new(4) do |number|
        cursor.execute("SELECT $1::int, '2024-02-29'::date", [number])
        poll_to_end(connection)
        cursor.fetch.to_a
      end
      expect(values).to eq(Array.new(4) { |number| [number, Date.new(2024, 2, 29)] })
    end

    it "commits each statement by itself" do
      expect(connection.autocommit).to be(true)
      table = "async_#{Process.pid}"
      cursor.execute("CREATE TABLE #{table} AS SELECT 1 AS id")
      poll_to_end(connection)
      expect(observe("SELECT id FROM #{table}")).to eq(1)
    ensure
      observer.execute("DROP TABLE IF EXISTS #{table}")
    end

    it "executes several statements, the first error of which is raised" do
      cursor.execute("SELECT 1; SELECT 2")
      poll_to_end(connection)
      expect([cursor.fetch_value, cursor.next_result, cursor.fetch_value]).to eq([1, true, 2])
      cursor.execute("SELECT 1; SELECT 1/0; SELECT nothing")
      expect { poll_to_end(connection) }.to raise_error(Pgconn::Errors::DivisionByZero)
      cursor.execute("SELECT 3")
      poll_to_end(connection)
      expect(cursor.fetch_value).to eq(3)
    end

    it "calls functions, scrolls, and shows statements" do
      cursor.callproc("regexp_split_to_table", ["a,b,c", ","])
      poll_to_end(connection)
      cursor.scroll(1)
      expect(cursor.fetch_all.map(&:first)).to eq(%w[b c])
      expect(cursor.mogrify("SELECT $1", [5])).to match(/5/)
    end

    it "refuses COPY at once" do
      expect { cursor.execute("COPY pg_class TO STDOUT") }.to raise_error(Pgconn::ProgrammingError, /COPY/)
      expect(connection.executing?).to be(false)
    end

    it "refuses values that can't be sent at once" do
      expect { cursor.execute("SELECT $1::text", ["a\0b"]) }.to raise_error(Pgconn::DataError)
      cursor.execute("SELECT 1")
      poll_to_end(connection)
      expect(cursor.fetch_value).to eq(1)
    end

    it "takes a burst of notices" do
      cursor.execute("DO $$ BEGIN FOR i IN 1..20000 LOOP RAISE NOTICE '%', repeat('x', 100); END LOOP; END $$")
      poll_to_end(connection)
      expect(connection.notices.size).to eq(50)
    end

    it "cancels the statement at its deadline" do
      cursor.execute("SELECT pg_sleep(60)", timeout: 0.2)
      expect { poll_to_end(connection) }.to raise_error(Pgconn::QueryCanceledError) { |error| expect(error.outcome).to eq(:canceled) }
      cursor.execute("SELECT 1")
      poll_to_end(connection)
      expect(cursor.fetch_value).to eq(1)
    end

    it "can be cancelled" do
      cursor.execute("SELECT pg_sleep(60)")
      connection.cancel
      expect { poll_to_end(connection) }.to raise_error(Pgconn::QueryCanceledError)
      cursor.execute("SELECT pg_sleep(60)")
      finish_soon = -> { poll_to_end(connection) }
      eventually { connection.poll && backend_state(connection.backend_pid) == "active" }
      cursor.cancel
      expect(&finish_soon).to raise_error(Pgconn::QueryCanceledError)
    end

    it "can be closed meanwhile: the session ends" do
      pid = connection.backend_pid
      cursor.execute("SELECT pg_sleep(60)")
      connection.close
      expect(connection).to be_closed
      expect { connection.poll }.to raise_error(Pgconn::InterfaceError, /closed/)
      expect { cursor.execute("SELECT 1") }.to raise_error(Pgconn::InterfaceError, /closed/)
      observer.execute("SELECT pg_terminate_backend($1::int)", [pid])
    end

    it "raises ConnectionLost in poll when the connection is lost" do
      cursor.execute("SELECT pg_sleep(60)")
      observer.execute("SELECT pg_terminate_backend($1::int)", [connection.backend_pid])
      expect { poll_to_end(connection) }.to raise_error(Pgconn::ConnectionLost)
      expect(connection).to be_broken
      expect { connection.poll }.to raise_error(Pgconn::ConnectionLost)
    end

    it "is traced when it is done" do
      events = []
      connection.tracer = ->(event) { events << event }
      cursor.execute("SELECT 1 FROM pg_sleep(0.05)")
      expect(events).to eq([])
      poll_to_end(connection)
      expect(events.map { |event| [event.sql, event.rows] }).to eq([["SELECT 1 FROM pg_sleep(0.05)", 1]])
    end

    it "isn't a forked child's to poll or to close" do
      cursor.execute("SELECT pg_sleep(0.2), 'the parent''s'")
      child = fork do
        connection.poll
      rescue Pgconn::InterfaceError
        connection.close
        exit!(connection.closed? ? 0 : 1)
      ensure
        exit!(2)
      end
      expect(Process.wait2(child).last.exitstatus).to eq(0)
      poll_to_end(connection)
      expect(cursor.fetch[1]).to eq("the parent's")
    end

    it "and is forgotten meanwhile is cleaned up by the garbage collector" do
      pids = Array.new(5) do
        forgotten = Pgconn.connect(server.conninfo, async: true)
        poll_to_end(forgotten)
        forgotten.execute("SELECT pg_sleep(60)").connection.backend_pid
      end
      GC.start
      observer.execute("SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid", [pids])
      expect(observe("SELECT 1")).to eq(1)
    end

    it "is polled in the thread that has called execute" do
      cursor.execute("SELECT pg_sleep(0.1), 1")
      expect(outcome_of(in_thread { connection.poll })).to be_a(Pgconn::ProgrammingError)
      poll_to_end(connection)
      expect(cursor.fetch[1]).to eq(1)
    end
  end

  describe "poll while nothing is under way" do
    it "says POLL_OK" do
      expect([connection.poll, connect.poll]).to eq([Pgconn::POLL_OK, Pgconn::POLL_OK])
    end

    it "takes in notifications, for which to_io is readable, and calls handlers" do
      heard = []
      connection.on_notify { |notify| heard << notify.payload }
      cursor.execute("LISTEN news")
      poll_to_end(connection)
      observer.notify("news", "heard")
      expect(connection.to_io.wait_readable(ConnectionHelpers::SOON)).not_to be_nil
      expect(connection.poll).to eq(Pgconn::POLL_OK)
      expect(heard).to eq(["heard"])
    end

    it "queues notifications where there is no handler" do
      cursor.execute("LISTEN news")
      poll_to_end(connection)
      observer.notify("news", "queued")
      connection.to_io.wait_readable(ConnectionHelpers::SOON)
      connection.poll
      expect(connection.notifies.map(&:payload)).to eq(["queued"])
    end

    it "lets a handler execute" do
      answer = nil
      connection.on_notify { answer = connection.execute("SELECT 'by the handler'") }
      cursor.execute("LISTEN news")
      poll_to_end(connection)
      observer.notify("news")
      connection.to_io.wait_readable(ConnectionHelpers::SOON)
      connection.poll
      poll_to_end(connection)
      expect(answer.fetch_value).to eq("by the handler")
    end

    it "notices that the connection is lost" do
      observer.execute("SELECT pg_terminate_backend($1::int)", [connection.backend_pid])
      connection.to_io.wait_readable(ConnectionHelpers::SOON)
      expect { eventually { connection.poll.nil? } }.to raise_error(Pgconn::ConnectionLost)
    end

    it "raises for a closed connection, and so do to_io and fileno" do
      connection.close
      %i[poll to_io fileno].each do |method|
        expect { connection.public_send(method) }.to raise_error(Pgconn::InterfaceError, /closed/)
      end
    end
  end

  it "has a descriptor, the same as its IO's, and can be selected itself" do
    io = connection.to_io
    expect(io).to be_a(IO).and have_attributes(fileno: connection.fileno)
    expect(connection.to_io).to equal(io)
    expect(IO.select([connection], [connection]).last(2)).to eq([[connection], []])
  end

  {
    "commit" => :commit.to_proc,
    "rollback" => :rollback.to_proc,
    "reset" => :reset.to_proc,
    "autocommit=" => ->(conn) { conn.autocommit = false },
    "isolation_level=" => ->(conn) { conn.isolation_level = :serializable },
    "set_isolation_level" => ->(conn) { conn.set_isolation_level(1) },
    "read_only=" => ->(conn) { conn.read_only = true },
    "deferrable=" => ->(conn) { conn.deferrable = true },
    "set_session" => ->(conn) { conn.set_session(read_only: true) },
    "client_encoding=" => ->(conn) { conn.client_encoding = "LATIN1" },
    "tpc_begin" => ->(conn) { conn.tpc_begin("x") },
    "tpc_prepare" => :tpc_prepare.to_proc,
    "tpc_commit" => ->(conn) { conn.tpc_commit("x") },
    "tpc_rollback" => ->(conn) { conn.tpc_rollback("x") },
    "tpc_recover" => :tpc_recover.to_proc,
    "transaction" => ->(conn) { conn.transaction { nil } },
    "pipeline" => ->(conn) { conn.pipeline { nil } },
    "execute_many" => ->(conn) { conn.execute_many("SELECT $1::int", [[1]]) },
    "Cursor#execute_many" => ->(conn) { conn.cursor.execute_many("SELECT $1::int", [[1]]) },
    "Cursor#stream" => ->(conn) { conn.cursor.stream("SELECT 1") { nil } },
    "a named cursor" => ->(conn) { conn.cursor("named").execute("SELECT 1") },
    "copy_in" => ->(conn) { conn.copy_in("nowhere", [[1]]) },
    "copy_out" => ->(conn) { conn.copy_out("SELECT 1") { nil } },
    "Cursor#copy_from" => ->(conn) { conn.cursor.copy_from(StringIO.new, "nowhere") },
    "Cursor#copy_to" => ->(conn) { conn.cursor.copy_to(StringIO.new, "nowhere") },
    "Cursor#copy_expert" => ->(conn) { conn.cursor.copy_expert("COPY nowhere TO STDOUT", StringIO.new) },
    "lobject" => :lobject.to_proc,
    "listen" => ->(conn) { conn.listen("a") },
    "unlisten" => :unlisten.to_proc,
    "notify" => ->(conn) { conn.notify("a") },
    "wait_for_notify" => ->(conn) { conn.wait_for_notify(timeout: 1) },
    "alive?" => :alive?.to_proc,
    "types.register_enum" => ->(conn) { conn.types.register_enum("mood") }
  }.each do |name, call|
    it "doesn't have #{name}, which would wait: ProgrammingError, also while executing" do
      expect { call.call(connection) }.to raise_error(Pgconn::ProgrammingError)
      cursor.execute("SELECT pg_sleep(0.05), 1")
      expect { call.call(connection) }.to raise_error(Pgconn::ProgrammingError)
      poll_to_end(connection)
      expect(cursor.fetch[1]).to eq(1)
    end
  end

  it "has readers" do
    expect(connection).to have_attributes(backend_pid: Integer, server_version: Integer, isolation_level: 0,
                                          encoding: Encoding::UTF_8, transaction_status: Pgconn::TRANSACTION_STATUS_IDLE)
  end
end
