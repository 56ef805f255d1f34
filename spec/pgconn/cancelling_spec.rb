# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Cancelling" do
  let(:connection) { connect(autocommit: true) }

  # A statement that would run for 30 seconds, under way in a thread of its own.
  def sleeping(connection)
    thread = in_thread { connection.execute("SELECT pg_sleep(30)") }
    wait_until_running(connection.backend_pid, "pg_sleep(30)")
    thread
  end

  it "makes the cancelled call raise QueryCanceledError, long before the statement's end" do
    running = sleeping(connection)
    elapsed = Elapsed.seconds do
      expect(connection.cancel).to be_nil
      error = outcome_of(running)
      expect(error).to be_a(Pgconn::QueryCanceledError)
      expect([error.sqlstate, error.outcome]).to eq(["57014", :canceled])
    end
    expect(elapsed).to be < ConnectionHelpers::SOON
  end

  it "leaves the connection usable at once in autocommit" do
    running = sleeping(connection)
    connection.cancel
    outcome_of(running)
    expect(connection.execute("SELECT 'own'").fetch_value).to eq("own")
  end

  it "leaves a transaction to be rolled back" do
    connection = connect
    connection.execute("CREATE TEMP TABLE t (id int)")
    connection.commit
    connection.execute("INSERT INTO t VALUES (1)")
    running = sleeping(connection)
    connection.cancel
    outcome_of(running)
    expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INERROR)
    expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
    connection.rollback
    expect(connection.execute("SELECT count(*) FROM t").fetch_value).to eq(0)
  end

  it "does nothing to an idle connection, and nothing to its next statement" do
    20.times do |number|
      connection.cancel
      expect(connection.execute("SELECT $1::int", [number]).fetch_value).to eq(number)
    end
  end

  it "reaches the statement under way and never the one that waits behind it" do
    running = sleeping(connection)
    waiting = in_thread { connection.execute("SELECT 'behind'").fetch_value }
    eventually("the second thread waits") { waiting.stop? }
    connection.cancel
    expect(outcome_of(running)).to be_a(Pgconn::QueryCanceledError)
    expect(value_of(waiting)).to eq("behind")
  end

  it "may be asked for by many threads at once" do
    running = sleeping(connection)
    Array.new(8) { in_thread { connection.cancel } }.each { |thread| value_of(thread) }
    expect(outcome_of(running)).to be_a(Pgconn::QueryCanceledError)
    20.times { |number| expect(connection.execute("SELECT $1::int", [number]).fetch_value).to eq(number) }
  end

  it "may come in the middle of anything, and each call has its own answer or is cancelled" do
    canceling = Thread.new { loop { connection.cancel } }
    answers = Array.new(60) do |number|
      connection.execute("SELECT $1::int, repeat('x', 20000)", [number]).fetch[0]
    rescue Pgconn::QueryCanceledError
      number
    end
    expect(answers).to eq((0...60).to_a)
  ensure
    canceling.kill.join
    expect(connection.execute("SELECT 'own'").fetch_value).to eq("own")
  end

  it "works by TCP and through TLS" do
    [connect_tcp(autocommit: true), connect_tcp(sslmode: "require", autocommit: true)].each do |connection|
      running = sleeping(connection)
      connection.cancel
      expect(outcome_of(running)).to be_a(Pgconn::QueryCanceledError)
      expect(connection.execute("SELECT 'own'").fetch_value).to eq("own")
    end
  end

  it "leaves no descriptor open", :no_leaks do
    3.times do
      running = sleeping(connection)
      connection.cancel
      outcome_of(running)
    end
  end

  it "raises InterfaceError on a closed connection" do
    connection.close
    expect { connection.cancel }.to raise_error(Pgconn::InterfaceError)
  end

  it "has the same error for a statement that the server's own time-out ends" do
    connection.execute("SET statement_timeout = '50ms'")
    expect { connection.execute("SELECT pg_sleep(30)") }
      .to raise_error(Pgconn::QueryCanceledError, /statement timeout/)
  end
end
