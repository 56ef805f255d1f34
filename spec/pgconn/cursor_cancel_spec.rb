# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Cursor#cancel" do
  let(:connection) { connect(autocommit: true) }
  let(:cursor) { connection.cursor }

  # The statement of a cursor, under way in a thread of its own.
  def sleeping(cursor, text = "pg_sleep(30)")
    thread = in_thread { cursor.execute("SELECT #{text}") }
    wait_until_running(connection.backend_pid, text)
    thread
  end

  # A statement that waits behind the one under way.
  def waiting(cursor, sql)
    in_thread { cursor.execute(sql).fetch_value }.tap { |thread| eventually("the thread waits") { thread.stop? } }
  end

  def expect_canceled(thread, outcome)
    expect(outcome_of(thread)).to be_a(Pgconn::QueryCanceledError).and have_attributes(outcome: outcome)
  end

  it "makes the call raise QueryCanceledError, from another thread" do
    running = sleeping(cursor)
    elapsed = Elapsed.seconds do
      expect(cursor.cancel).to be_nil
      error = outcome_of(running)
      expect(error).to be_a(Pgconn::QueryCanceledError)
      expect([error.sqlstate, error.outcome, error.cursor]).to eq(["57014", :canceled, cursor])
    end
    expect(elapsed).to be < ConnectionHelpers::SOON
    expect(cursor.execute("SELECT 'own'").fetch_value).to eq("own")
  end

  it "takes a statement that wasn't sent yet out of the queue: it never runs, the other goes on" do
    connection.execute("CREATE TEMP TABLE t (id int)")
    other = connection.cursor
    running = sleeping(other, "pg_sleep(30); SELECT 'sent alone'")
    behind = waiting(cursor, "INSERT INTO t VALUES (1) RETURNING id")
    last = waiting(connection.cursor, "SELECT 'last'")
    cursor.cancel
    expect_canceled(behind, :not_sent)
    expect(running).to be_alive
    other.cancel
    expect_canceled(running, :canceled)
    expect(value_of(last)).to eq("last")
    expect(connection.execute("SELECT count(*) FROM t").fetch_value).to eq(0)
  end

  it "marks a statement that was sent behind another, which goes on: it is cancelled when its turn comes" do
    holder = connect(autocommit: true)
    holder.execute("SELECT pg_advisory_lock(51)")
    running = sleeping(connection.cursor, "'first' FROM pg_advisory_lock(51)")
    behind = waiting(cursor, "SELECT pg_sleep(30)")
    last = waiting(connection.cursor, "SELECT 'last'")
    expect(cursor.cancel).to be_nil
    expect([running, behind]).to all(be_alive)
    holder.close
    expect(value_of(running).fetch_value).to eq("first")
    expect_canceled(behind, :canceled)
    expect(value_of(last)).to eq("last")
  end

  it "does nothing to a cursor that executes nothing" do
    running = sleeping(connection.cursor)
    5.times { cursor.cancel }
    expect(running).to be_alive
    connection.cancel
    expect_canceled(running, :canceled)
    cursor.execute("SELECT 1")
    cursor.cancel
    expect([cursor.fetch_value, cursor.execute("SELECT 2").fetch_value]).to eq([1, 2])
  end

  it "ends all of several statements in one string" do
    thread = in_thread { cursor.execute("SELECT 1; SELECT pg_sleep(30); SELECT 2") }
    wait_until_running(connection.backend_pid, "pg_sleep(30)")
    cursor.cancel
    expect_canceled(thread, :canceled)
    expect(cursor.execute("SELECT 'own'").fetch_value).to eq("own")
  end

  it "leaves a transaction to be rolled back" do
    connection = connect
    cursor = connection.cursor
    thread = in_thread { cursor.execute("SELECT pg_sleep(30)") }
    wait_until_running(connection.backend_pid, "pg_sleep(30)")
    cursor.cancel
    expect_canceled(thread, :canceled)
    expect { cursor.execute("SELECT 1") }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
    connection.rollback
    expect(cursor.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "at any moment cancels its own statement or none" do
    canceling = Thread.new { loop { cursor.cancel } }
    others = in_thread { Array.new(60) { |number| connection.execute("SELECT $1::int", [number]).fetch_value } }
    60.times do |number|
      expect(cursor.execute("SELECT $1::int", [number]).fetch_value).to eq(number)
    rescue Pgconn::QueryCanceledError => e
      expect(%i[not_sent canceled]).to include(e.outcome)
    end
    expect(value_of(others)).to eq((0...60).to_a)
  ensure
    canceling.kill.join
  end

  it "may be asked for by many threads at once, and leaves no descriptor open", :no_leaks do
    3.times do
      running = sleeping(cursor)
      Array.new(8) { in_thread { cursor.cancel } }.each { |thread| value_of(thread) }
      expect_canceled(running, :canceled)
    end
  end

  it "raises InterfaceError once the cursor or the connection is closed, ConnectionLost once it is lost" do
    other = connection.cursor
    cursor.close
    expect { cursor.cancel }.to raise_error(Pgconn::InterfaceError)
    observe("SELECT pg_terminate_backend($1)", [connection.backend_pid])
    expect { other.execute("SELECT 1") }.to raise_error(Pgconn::ConnectionLost)
    expect { other.cancel }.to raise_error(Pgconn::ConnectionLost)
    connection.close
    expect { other.cancel }.to raise_error(Pgconn::InterfaceError)
  end
end
