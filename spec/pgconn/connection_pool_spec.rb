# frozen_string_literal: true

require "spec_helper"
require "connection_pool"

RSpec.describe "Connections in a ConnectionPool" do
  let(:pool) { ConnectionPool.new(size: 3, timeout: ConnectionHelpers::SOON) { Pgconn.connect(server.conninfo) } }

  after { pool.shutdown(&:close) }

  # As docs/guides/sharing.md has it.
  def with_connection
    pool.with do |conn|
      yield conn
    ensure
      clean_up(conn)
    end
  end

  def clean_up(conn)
    conn.reset unless conn.closed?
  rescue Pgconn::Error
    conn.close
  ensure
    pool.discard_current_connection(&:close) if conn.closed?
  end

  # A pool of one, so that it is known whose connection the next user gets.
  def one = ConnectionPool.new(size: 1, timeout: ConnectionHelpers::SOON) { connect }

  it "give each of many threads its own results, from few sessions" do
    results = Array.new(12) do |n|
      in_thread { Array.new(10) { with_connection { |conn| [n, *conn.execute("SELECT $1::int, pg_backend_pid()", [n]).fetch] } } }
    end
    rows = results.flat_map { |thread| value_of(thread) }
    expect(rows.map { |n, read, _| [n, read] }).to all(satisfy { |n, read| n == read })
    expect(rows.map(&:last).uniq.size).to be_between(1, 3)
  end

  it "keep a transaction for the thread that has the connection" do
    pids = Array.new(3) do |n|
      in_thread do
        with_connection do |conn|
          conn.transaction do
            conn.execute("CREATE TEMP TABLE mine (n int)")
            conn.execute("INSERT INTO mine VALUES ($1)", [n])
          end
          conn.execute("SELECT n FROM mine").column(:n)
        end
      end
    end
    expect(pids.map { |thread| value_of(thread) }).to eq([[0], [1], [2]])
  end

  it "come back usable after an error of the server" do
    3.times do
      expect { with_connection { |conn| conn.execute("SELECT 1/0") } }.to raise_error(Pgconn::Errors::DivisionByZero)
    end
    expect(with_connection { |conn| conn.execute("SELECT 1").fetch_value }).to eq(1)
    expect(pool.idle).to eq(1)
  end

  it "come back as new: without the transaction, the settings and the locks of their last user" do
    with_connection do |conn|
      conn.execute("SET search_path TO nowhere")
      conn.commit
      conn.listen("pooled")
      conn.isolation_level = :serializable
      conn.execute("SELECT pg_advisory_lock(7)")
      conn.execute("CREATE TEMP TABLE left_over ()")
    end
    found = with_connection do |conn|
      status = conn.transaction_status
      [status, *conn.execute(<<~SQL).fetch]
        SELECT current_setting('search_path') = 'nowhere', to_regclass('left_over'), current_setting('transaction_isolation'),
               (SELECT count(*) FROM pg_listening_channels()),
               (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())
      SQL
    end
    expect(found).to eq([Pgconn::TRANSACTION_STATUS_IDLE, false, nil, "read committed", 0, 0])
    expect(pool.idle).to eq(1)
  end

  it "are replaced once they are lost" do
    lost = nil
    expect do
      with_connection do |conn|
        lost = conn
        conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")
      end
    end.to raise_error(Pgconn::Errors::AdminShutdown)
    expect(lost).to be_broken.and be_closed
    expect(with_connection { |conn| [conn.equal?(lost), conn.execute("SELECT 1").fetch_value] }).to eq([false, 1])
  end

  it "are replaced by who asks alive? first, when the server has ended them while they lay there" do
    first = with_connection(&:itself)
    pid = first.backend_pid
    observe("SELECT pg_terminate_backend($1::int)", [pid])
    eventually("the session has ended") { backend_state(pid).nil? }
    expect(first.broken?).to be(false)
    pool.with { |conn| pool.discard_current_connection(&:close) unless conn.alive? }
    expect(first).to be_broken
    expect(with_connection { |conn| [conn.equal?(first), conn.alive?] }).to eq([false, true])
  end

  it "come back usable from a thread that was killed while it waited" do
    single = one
    pid = single.with(&:backend_pid)
    thread = in_thread { single.with { |conn| conn.execute("SELECT pg_sleep(600)") } }
    wait_until_running(pid, "pg_sleep")
    thread.kill.join
    value = single.with do |conn|
      conn.rollback
      conn.execute("SELECT pg_backend_pid()").fetch_value
    end
    expect(value).to eq(pid)
  end

  it "are handed on after somebody has waited for one in vain" do
    single = one
    held = Queue.new
    release = Queue.new
    holder = in_thread { single.with { held << release.pop } }
    Thread.pass until holder.stop?
    expect { single.with(timeout: 0.01) { nil } }.to raise_error(ConnectionPool::TimeoutError)
    release << :go
    expect(value_of(holder)).to equal(held)
    expect(single.with { |conn| conn.execute("SELECT 1").fetch_value }).to eq(1)
  end

  it "are made anew in a forked child, whose pool does not end the parent's sessions" do
    ended = RubyProcess.run(<<~RUBY, server.conninfo)
      require "connection_pool"
      pool = ConnectionPool.new(size: 1) { Pgconn.connect(ARGV.first, autocommit: true) }
      pid = pool.with(&:backend_pid)
      child = fork do
        other = pool.with { |conn| conn.execute("SELECT pg_backend_pid()").fetch_value }
        exit!(other == pid ? 1 : 0)
      end
      Process.wait(child)
      p $?.success?, pool.with { |conn| conn.execute("SELECT pg_backend_pid()").fetch_value } == pid
    RUBY
    expect(ended).to have_attributes(output: "true\ntrue\n", errors: "")
  end

  it "are closed when they have lain there for too long, and at the end" do
    conn = with_connection(&:itself)
    pool.reap(0, &:close)
    expect(conn).to be_closed
    other = with_connection(&:itself)
    pool.shutdown(&:close)
    expect(other).to be_closed
  end
end
