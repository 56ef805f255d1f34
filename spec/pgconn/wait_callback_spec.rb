# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Pgconn.wait_callback" do
  after { Pgconn.wait_callback = nil }

  # Polls to the end and notes what poll has said.
  def polling(seen = [])
    lambda do |connection|
      until (events = connection.poll) == Pgconn::POLL_OK
        seen << events
        connection.to_io.wait(events, nil)
      end
    end
  end

  it "is nil at first, and gives what was set, under all its names" do
    callback = polling
    expect(Pgconn.get_wait_callback).to be_nil
    Pgconn.set_wait_callback(callback)
    expect([Pgconn.wait_callback, Pgconn.get_wait_callback]).to eq([callback, callback])
    Pgconn.wait_callback = nil
    expect(Pgconn.wait_callback).to be_nil
  end

  it "that can't be called is a TypeError, and nothing is changed" do
    callback = Pgconn.wait_callback = polling
    expect { Pgconn.wait_callback = "poll" }.to raise_error(TypeError, /String/)
    expect(Pgconn.wait_callback).to equal(callback)
  end

  it "is called with the connection, also while that is being made" do
    called = []
    Pgconn.wait_callback = lambda do |connection|
      called << connection
      polling.call(connection)
    end
    connection = connect
    expect(called.uniq).to eq([connection])
    called.clear
    connection.execute("SELECT 1")
    expect(called.uniq).to eq([connection])
  end

  it "nil restores the default" do
    called = false
    Pgconn.wait_callback = ->(_) { called = true }
    Pgconn.wait_callback = nil
    expect(connect.execute("SELECT 1").fetch_value).to eq(1)
    expect(called).to be(false)
  end

  it "is told to wait for the socket to take a large statement's bytes" do
    Pgconn.wait_callback = polling(seen = [])
    size = 30_000_000
    expect(connect.execute("SELECT length($1::text)", ["x" * size]).fetch_value).to eq(size)
    expect(seen).to include(Pgconn::POLL_READ | Pgconn::POLL_WRITE)
  end

  it "has its deadlines kept, though it knows nothing of them" do
    Pgconn.wait_callback = polling
    connection = connect(autocommit: true)
    expect { connection.execute("SELECT pg_sleep(60)", timeout: 0.2) }
      .to raise_error(Pgconn::QueryCanceledError) { |error| expect(error.outcome).to eq(:canceled) }
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "an error of the server comes out of the call, and the connection stays open" do
    Pgconn.wait_callback = polling
    connection = connect(autocommit: true)
    expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::Errors::DivisionByZero)
    expect(connection).not_to be_closed
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "may poll once more when it is done" do
    Pgconn.wait_callback = lambda do |connection|
      polling.call(connection)
      expect(connection.poll).to eq(Pgconn::POLL_OK)
    end
    expect(connect.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "gets the caller's own wait to poll while another caller reads for all" do
    Pgconn.wait_callback = polling
    connection = connect(autocommit: true)
    sleeping = in_thread { connection.execute("SELECT pg_sleep(0.5), 'first'").fetch[1] }
    wait_until_running(connection.backend_pid, "pg_sleep")
    expect(connection.execute("SELECT 'second'").fetch_value).to eq("second")
    expect(value_of(sleeping)).to eq("first")
  end

  describe "that raises" do
    let(:connection) { connect(autocommit: true) }

    def raising(error)
      lambda do |connection|
        connection.poll
        raise error
      end
    end

    it "abandons the statement, which is cancelled, and the exception comes out" do
      connection
      Pgconn.wait_callback = raising(KeyError.new("by the callback"))
      expect { connection.execute("SELECT pg_sleep(60)") }.to raise_error(KeyError, "by the callback")
      Pgconn.wait_callback = nil
      wait_until_not_running(connection.backend_pid)
      expect(connection.execute("SELECT 'in step'").fetch_value).to eq("in step")
    end

    it "rolls a transaction block back" do
      connection.execute("CREATE TEMPORARY TABLE kept (id int)")
      expect do
        connection.transaction do
          connection.execute("INSERT INTO kept VALUES (1)")
          Pgconn.wait_callback = raising(KeyError.new)
          connection.execute("SELECT 1")
        end
      end.to raise_error(KeyError)
      Pgconn.wait_callback = nil
      expect(connection.execute("SELECT count(*) FROM kept").fetch_value).to eq(0)
    end

    it "while connecting, closes the connection" do
      made = nil
      Pgconn.wait_callback = lambda do |connection|
        made = connection
        connection.poll
        raise KeyError
      end
      expect { connect }.to raise_error(KeyError)
      expect(made).to be_closed
      expect { made.execute("SELECT 1") }.to raise_error(Pgconn::InterfaceError, /closed/)
    end

    it "or throws, or is killed, leaves the connection in step, too" do
      connection
      Pgconn.wait_callback = ->(_) { throw :away }
      catch(:away) { connection.execute("SELECT pg_sleep(60)") }
      Pgconn.wait_callback = ->(_) { Thread.current.kill }
      expect(outcome_of(in_thread { connection.execute("SELECT pg_sleep(60)") })).to be_nil
      Pgconn.wait_callback = nil
      expect(connection.execute("SELECT 'in step'").fetch_value).to eq("in step")
    end
  end

  it "that returns too soon is an InterfaceError of the call" do
    connection = connect(autocommit: true)
    Pgconn.wait_callback = ->(_) {}
    expect { connection.execute("SELECT pg_sleep(60)") }.to raise_error(Pgconn::InterfaceError, /POLL_OK/)
    Pgconn.wait_callback = nil
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "that executes on the connection that it waits for gets a ProgrammingError" do
    connection = connect(autocommit: true)
    Pgconn.wait_callback = ->(conn) { conn.execute("SELECT 2") }
    expect { connection.execute("SELECT pg_sleep(60)") }.to raise_error(Pgconn::ProgrammingError, /wait callback/)
    Pgconn.wait_callback = nil
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "may execute on another connection" do
    first, second = Array.new(2) { connect(autocommit: true) }
    nested = nil
    Pgconn.wait_callback = lambda do |connection|
      nested ||= second.execute("SELECT 'nested'").fetch_value if connection == first
      polling.call(connection)
    end
    expect(first.execute("SELECT 'outer'").fetch_value).to eq("outer")
    expect(nested).to eq("nested")
  end

  it "may cancel the statement that it waits for" do
    connection = connect(autocommit: true)
    canceled = false
    Pgconn.wait_callback = lambda do |conn|
      conn.poll
      conn.cancel unless canceled
      canceled = true
      polling.call(conn)
    end
    expect { connection.execute("SELECT pg_sleep(60)") }.to raise_error(Pgconn::QueryCanceledError)
  end

  it "may close the connection, also one that is being made" do
    connection = connect
    closing = lambda do |conn|
      conn.close
      polling.call(conn)
    end
    Pgconn.wait_callback = closing
    expect { connection.execute("SELECT pg_sleep(60)") }.to raise_error(Pgconn::InterfaceError, /closed/)
    expect { connect }.to raise_error(Pgconn::InterfaceError, /closed/)
  end

  it "isn't called for async connections" do
    Pgconn.wait_callback = ->(_) { raise "called" }
    connection = connect(async: true)
    polling.call(connection)
    expect(connection.poll).to eq(Pgconn::POLL_OK)
  end

  it "of the main Ractor isn't called in another" do
    script = <<~RUBY
      Warning[:experimental] = false
      Pgconn.wait_callback = ->(_) { abort "called" }
      puts(Ractor.new(ARGV[0]) do |uri|
        Pgconn.connect(uri) { |conn| [Pgconn.wait_callback, conn.execute("SELECT 1").fetch_value] }.inspect
      end.take)
    RUBY
    ended = RubyProcess.run(script, server.conninfo)
    expect([ended.output, ended.errors]).to eq(["[nil, 1]\n", ""])
  end

  it "of the example lets fibers wait at the same time" do
    load File.expand_path("../../examples/event_loop.rb", __dir__)
    loop = EventLoop.new
    Pgconn.wait_callback = loop.method(:wait_for)
    answers = []
    3.times do |number|
      loop.start { answers << connect.execute("SELECT $1::int FROM pg_sleep(1)", [number]).fetch_value }
    end
    expect(Elapsed.seconds { loop.run }).to be < 3
    expect(answers).to contain_exactly(0, 1, 2)
  end
end
