# frozen_string_literal: true

require "async"
require "spec_helper"
require "timeout"

# However the wait for what was sent together ends, nothing of it is committed, and the next caller has its own answer.
RSpec.describe "A pipeline whose wait is interrupted" do
  let(:connection) { connect_tcp(autocommit: true) }

  before do
    connection.execute("CREATE TABLE interrupted (id int)")
    @cursors = []
  end

  after do
    observer.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)' AND state = 'active'")
    observer.execute("DROP TABLE interrupted")
  end

  def run
    connection.pipeline do
      @cursors << connection.execute("INSERT INTO interrupted VALUES (1)") << connection.execute("SELECT pg_sleep(60)")
    end
  end

  def wait_until_sent = wait_until_running(connection.backend_pid, "pg_sleep")

  def expect_undone
    expect(Array.new(3) { |number| connection.execute("SELECT $1::int", [number]).fetch_value }).to eq([0, 1, 2])
    expect(observe("SELECT count(*) FROM interrupted")).to eq(0)
    expect { @cursors.last.rowcount }.to raise_error(Pgconn::Error)
  end

  it "by an exception from another thread" do
    thread = in_thread { run }
    wait_until_sent
    thread.raise(KeyError, "from outside")
    expect(outcome_of(thread)).to be_a(KeyError)
    expect_undone
    expect { @cursors.first.rowcount }.to raise_error(Pgconn::PipelineAborted) { |error| expect(error.outcome).to eq(:unknown) }
  end

  it "by Timeout" do
    expect { Timeout.timeout(0.2) { run } }.to raise_error(Timeout::Error)
    expect_undone
  end

  it "by a kill, while others wait behind it" do
    thread = in_thread { run }
    wait_until_sent
    others = Array.new(5) { |number| in_thread { connection.pipeline { connection.execute("SELECT $1::int", [number]) }.fetch_value } }
    thread.kill
    expect(others.map { |other| value_of(other) }).to eq([0, 1, 2, 3, 4])
    expect_undone
  end

  it "by the stop of its task" do
    stopped = in_thread do
      Sync do |task|
        running = task.async { run }
        eventually { sleep(0.01) && backend_state(connection.backend_pid) == "active" }
        running.stop
        running.stopped?
      end
    end
    expect(value_of(stopped)).to be(true)
    expect_undone
  end

  it "by a wait callback that raises" do
    connection
    Pgconn.wait_callback = ->(_) { raise KeyError, "by the callback" }
    expect { run }.to raise_error(KeyError)
    Pgconn.wait_callback = nil
    expect_undone
  ensure
    Pgconn.wait_callback = nil
  end

  it "by cancel" do
    thread = in_thread { run }
    wait_until_sent
    connection.cancel
    expect(outcome_of(thread)).to be_a(Pgconn::QueryCanceledError)
    expect_undone
  end

  it "by close, of which each of its statements knows" do
    thread = in_thread { run }
    wait_until_sent
    connection.close
    expect(outcome_of(thread)).to be_a(Pgconn::InterfaceError)
    @cursors.each { |cursor| expect { cursor.rowcount }.to raise_error(Pgconn::InterfaceError) }
  end

  it "by a handler that raises, which takes no result away" do
    connection.on_notice { raise KeyError, "by the handler" }
    first = last = nil
    expect do
      connection.pipeline do
        first = connection.execute("DO $$ BEGIN RAISE NOTICE 'x'; END $$")
        last = connection.execute("SELECT 2")
      end
    end.to raise_error(KeyError)
    expect([first.statusmessage, last.fetch_value]).to eq(["DO", 2])
  end
end
