# frozen_string_literal: true

require "spec_helper"

RSpec.describe "A connection shared by threads" do
  let(:connection) { connect(autocommit: true) }

  # A session that holds a lock which other statements wait for, until it is closed.
  def lock(number)
    connect(autocommit: true).tap { |holder| holder.execute("SELECT pg_advisory_lock($1::int)", [number]) }
  end

  # A statement under way that can't end before the lock is free.
  def blocked(connection, number)
    thread = in_thread { connection.execute("SELECT 'first' FROM pg_advisory_lock(#{number})").fetch_value }
    wait_until_running(connection.backend_pid, "'first'")
    thread
  end

  it "gives each of them exactly its own results" do
    answers = Array.new(8) do |thread|
      in_thread do
        Array.new(100) do |number|
          connection.execute("SELECT $1::int, $2::int, repeat('x', $2::int)", [thread, number]).fetch.to_a
        end
      end
    end
    expected = Array.new(8) { |thread| Array.new(100) { |number| [thread, number, "x" * number] } }
    expect(answers.map { |thread| value_of(thread) }).to eq(expected)
  end

  it "executes in the order of asking" do
    connection.execute("CREATE TEMP SEQUENCE turns")
    holder = lock(11)
    first = blocked(connection, 11)
    others = Array.new(5) do
      in_thread { connection.execute("SELECT nextval('turns')").fetch_value }
        .tap { |thread| eventually("the thread waits") { thread.stop? } }
    end
    holder.close
    expect(value_of(first)).to eq("first")
    expect(others.map { |thread| value_of(thread) }).to eq([1, 2, 3, 4, 5])
  end

  it "keeps one caller's error to itself in autocommit" do
    failing = in_thread do
      Array.new(100) do
        connection.execute("SELECT 1/0")
      rescue Pgconn::DataError => e
        e.sqlstate
      end
    end
    fine = in_thread { Array.new(100) { |number| connection.execute("SELECT $1::int", [number]).fetch_value } }
    expect(value_of(failing).uniq).to eq(["22012"])
    expect(value_of(fine)).to eq((0...100).to_a)
  end

  it "lets a statement that is badly called disturb nobody" do
    holder = lock(12)
    first = blocked(connection, 12)
    expect { connection.execute("SELECT $1::int", []) }.to raise_error(Pgconn::ProgrammingError)
    expect { connection.execute("SELECT $1::text", ["\0"]) }.to raise_error(Pgconn::DataError)
    holder.close
    expect(value_of(first)).to eq("first")
  end

  it "goes on when a waiting thread is killed" do
    holder = lock(13)
    first = blocked(connection, 13)
    killed, last = Array.new(2) { |number| in_thread { connection.execute("SELECT $1::int", [number]).fetch_value } }
    eventually("both wait") { killed.stop? && last.stop? }
    outcome_of(killed.kill)
    holder.close
    expect([value_of(first), value_of(last)]).to eq(["first", 1])
  end

  it "goes on when the thread whose statement is under way is killed" do
    lock(14)
    first = blocked(connection, 14)
    others = Array.new(3) { |number| in_thread { connection.execute("SELECT $1::int", [number]).fetch_value } }
    eventually("all wait") { others.all?(&:stop?) }
    outcome_of(first.kill)
    expect(others.map { |thread| value_of(thread) }).to eq([0, 1, 2])
  end

  it "reads its own state without waiting for the statement under way" do
    holder = lock(15)
    first = blocked(connection, 15)
    pid = in_thread { [connection.backend_pid, connection.closed?, connection.broken?, connection.autocommit, connection.dsn] }
    expect(value_of(pid).first(4)).to eq([connection.backend_pid, false, false, true])
    holder.close
    value_of(first)
  end

  describe "with the implicit transaction" do
    let(:connection) { connect }

    before { observer.execute("CREATE TABLE sharing (id int)") }

    after do
      connection.close
      connect(autocommit: true).execute("DROP TABLE sharing")
    end

    it "has one transaction: one's commit commits for all" do
      4.times.map { |number| in_thread { connection.execute("INSERT INTO sharing VALUES ($1)", [number]) } }
       .each { |thread| value_of(thread) }
      expect(observe("SELECT count(*) FROM sharing")).to eq(0)
      value_of(in_thread { connection.commit })
      expect(observe("SELECT count(*) FROM sharing")).to eq(4)
    end

    it "has one transaction: one's error fails it for all" do
      connection.execute("INSERT INTO sharing VALUES (1)")
      expect(outcome_of(in_thread { connection.execute("SELECT 1/0") })).to be_a(Pgconn::DataError)
      expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
    end

    it "begins it once, however many threads have the first statement" do
      threads = Array.new(8) { in_thread { connection.execute("SELECT pg_current_xact_id()::text").fetch_value } }
      expect(threads.map { |thread| value_of(thread) }.uniq.size).to eq(1)
      expect(connection.notices).to eq([]) # "there is already a transaction in progress"
    end

    it "begins the next one after another thread's commit" do
      threads = Array.new(4) do
        in_thread do
          20.times do
            connection.execute("INSERT INTO sharing VALUES (1)")
            connection.commit
          end
        end
      end
      threads.each { |thread| value_of(thread) }
      connection.commit
      expect(observe("SELECT count(*) FROM sharing")).to eq(80)
    end
  end

  it "may be used from an Enumerator's fiber" do
    rows = Enumerator.new do |yielder|
      2.times { |number| yielder << connection.execute("SELECT $1::int", [number]).fetch_value }
    end
    expect([rows.next, connection.execute("SELECT 'between'").fetch_value, rows.next]).to eq([0, "between", 1])
  end

  it "is one of many that can be made at the same time" do
    conninfo = server.conninfo
    threads = Array.new(10) { |number| in_thread { connect(conninfo).execute("SELECT $1::int", [number]).fetch_value } }
    expect(threads.map { |thread| value_of(thread) }).to eq((0...10).to_a)
  end
end
