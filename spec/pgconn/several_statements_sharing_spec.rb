# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Several statements in one string, by threads that share a connection," do
  let(:connection) { connect(autocommit: true) }

  def all_of(cursor)
    values = []
    loop do
      values << cursor.fetch_value
      return values unless cursor.next_result
    end
  end

  # Every other call is a single statement.
  def ask(thread, number)
    return connection.execute("SELECT $1::int", [thread]).fetch_value if (thread + number).odd?

    all_of(connection.execute("SELECT #{thread}; SELECT #{number}; SELECT repeat('x', #{number})"))
  end

  def answer(thread, number)
    (thread + number).odd? ? thread : [thread, number, "x" * number]
  end

  it "give each of fifty threads exactly its own results" do
    answers = Array.new(50) { |thread| in_thread { Array.new(10) { |number| ask(thread, number) } } }
    expected = Array.new(50) { |thread| Array.new(10) { |number| answer(thread, number) } }
    expect(answers.map { |thread| value_of(thread) }).to eq(expected)
  end

  it "keep their errors to themselves in autocommit" do
    threads = Array.new(20) do |thread|
      in_thread { connection.execute(thread.even? ? "SELECT #{thread}; SELECT 1/0" : "SELECT 0; SELECT #{thread}").tap(&:next_result).fetch_value }
    end
    outcomes = threads.map { |thread| outcome_of(thread)&.class || thread.value }
    expect(outcomes).to eq(Array.new(20) { |thread| thread.even? ? Pgconn::Errors::DivisionByZero : thread })
  end

  it "begin the implicit transaction once" do
    connection.autocommit = false
    threads = Array.new(8) { in_thread { connection.execute("SELECT pg_current_xact_id()::text; SELECT 1").fetch_value } }
    expect(threads.map { |thread| value_of(thread) }.uniq.size).to eq(1)
    expect(connection.notices).to eq([])
  end

  it "are encoded anew where the encoding has changed while they waited" do
    lock = connect(autocommit: true)
    lock.execute("SELECT pg_advisory_lock(21)")
    changing = in_thread { connection.execute("SELECT pg_advisory_lock(21); SET client_encoding TO latin1") }
    wait_until_running(connection.backend_pid, "pg_advisory_lock(21)")
    waiting = in_thread { all_of(connection.execute("SELECT 'ä'; SELECT length('ä')")) }
    eventually("the second thread waits") { waiting.stop? }
    lock.close
    value_of(changing)
    expect(value_of(waiting)).to eq(["ä".encode("ISO-8859-1"), 1])
  end
end
