# frozen_string_literal: true

require "spec_helper"
require "English"
require "timeout"

# What happens where two things meet that rarely do.
RSpec.describe "A rare moment" do
  it "signals while the network connects: connect_timeout still holds" do
    CrowdedHost.open do |address|
      script = <<~RUBY
        trap(:USR1) { $stdout.syswrite("signal\\n") }
        puts "ready"
        $stdout.flush
        begin
          Pgconn.connect(host: "127.0.0.1", port: ARGV[0], connect_timeout: 3)
        rescue Pgconn::OperationalError => error
          puts error.message
        end
      RUBY
      RubyProcess.start(script, address.ip_port) do |child|
        expect(child.line).to eq("ready")
        3.times do
          child.signal(:USR1)
          expect(child.line).to eq("signal")
        end
        expect(child.line).to match(/timeout expired/)
      end
    end
  end

  it "callers with short deadlines behind a silent peer: it is noticed all the same" do
    through_proxy do |proxy|
      connection = connect_tcp(port: proxy.port, autocommit: true, cancel_timeout: 0.5)
      proxy.stall
      interrupted = in_thread { connection.execute("SELECT 1") }
      eventually("it waits") { interrupted.stop? }
      interrupted.kill.join
      tries = Array.new(10) do
        connection.execute("SELECT 2", timeout: 0.1)
      rescue Pgconn::OperationalError => e
        e.class
      end
      expect(tries.first).to eq(Pgconn::QueryCanceledError)
      expect(tries.last).to eq(Pgconn::ConnectionLost)
      expect(connection).to be_broken
    end
  end

  it "a fork while another thread is in libpq: the child can ask and close, and harms nothing" do
    connection = connect(autocommit: true)
    sender = in_thread { loop { connection.execute("SELECT length($1)", ["x" * 30_000_000]) } }
    10.times do
      child = fork do
        connection.parameter_status("TimeZone")
        connection.notices
        connection.close
        exit!(0)
      end
      Timeout.timeout(ConnectionHelpers::SOON) { Process.wait(child) }
      expect($CHILD_STATUS).to be_success
    end
    sender.kill.join
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "a client_encoding that changes while a statement waits: the statement is encoded again" do
    connection = connect(autocommit: true)
    changing = in_thread do
      connection.execute("SELECT set_config('client_encoding', 'LATIN1', false), pg_sleep(0.5)").fetch_all
    end
    wait_until_running(connection.backend_pid, "set_config")
    row = connection.execute("SELECT length($1::text) AS length, $1::text AS text", ["é"]).fetch
    value_of(changing)
    expect(row[:length]).to eq(1)
    expect(row[:text]).to eq("é".encode("ISO-8859-1"))
  end

  it "a block of Pgconn.connect left while the peer is silent: the exception comes out at once" do
    through_proxy do |proxy|
      elapsed = Elapsed.seconds do
        expect do
          Pgconn.connect(host: proxy.host, port: proxy.port, user: "postgres", sslmode: "disable", cancel_timeout: 30) do |own|
            own.execute("SELECT 1")
            proxy.stall
            raise IndexError, "mine"
          end
        end.to raise_error(IndexError, "mine")
      end
      expect(elapsed).to be < ConnectionHelpers::SOON
    end
  end

  it "a connection given up for lost: the server lets go of its transaction, before close" do
    through_proxy do |proxy|
      connection = connect_tcp(port: proxy.port, cancel_timeout: 0.2)
      pid = connection.execute("SELECT pg_backend_pid()").fetch_value
      proxy.stall
      expect { connection.execute("SELECT 1", timeout: 0.1) }.to raise_error(Pgconn::QueryCanceledError)
      proxy.resume
      eventually("the session has ended") { backend_state(pid).nil? }
      expect(connection).to be_broken
    end
  end

  # So many requests that within seconds some hit a ROLLBACK, and not the statement ahead of it.
  it "cancel requests that hit the end of a block: its transaction, or its savepoint, ends all the same" do
    connection = connect(autocommit: true)
    hammer = connect(autocommit: true)
    over = false
    hammering = in_thread do
      sql = "SELECT count(pg_cancel_backend($1)) FROM generate_series(1, 50)"
      hammer.execute(sql, [connection.backend_pid]) until over
    end
    leave_blocks(connection, seconds: 4) { expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE) }
    over = true
    value_of(hammering)
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  # Blocks in blocks, each of which is rolled back.
  def leave_blocks(connection, seconds:)
    deadline = Elapsed.now + seconds
    while Elapsed.now < deadline
      begin
        connection.transaction do
          connection.transaction { connection.execute("SELECT 1") && raise(Pgconn::Rollback) }
          raise Pgconn::Rollback
        end
      rescue Pgconn::QueryCanceledError
        nil
      end
      yield
    end
  end

  it "a value whose to_pg closes the connection: nothing is sent" do
    connection = connect
    value = Object.new
    value.define_singleton_method(:to_pg) { connection.close || "1" }
    expect { connection.execute("SELECT $1", [value]) }
      .to raise_error(Pgconn::InterfaceError) { |error| expect(error.outcome).to eq(:not_sent) }
  end

  it "a row that can't be read: the rows behind it can" do
    connection = connect
    connection.execute("SET DateStyle TO German")
    cursor = connection.execute("SELECT now()::date UNION ALL SELECT NULL")
    expect { cursor.fetch_all }.to raise_error(Pgconn::DataError, /DateStyle/)
    expect(cursor.fetch_all.map(&:to_a)).to eq([[nil]])
  end
end
