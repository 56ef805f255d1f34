# frozen_string_literal: true

require "spec_helper"

# PostgreSQL's cancel request names a session, not a statement: one that arrives late hits what is
# executed then.
RSpec.describe "A statement behind one that is to be cancelled" do
  # The bytes that every cancel request begins with: its length, and the code in place of a version.
  cancel_request = [16, 80_877_102].pack("NN")

  # The connection's cancel requests wait in the proxy until the gate is opened.
  around do |example|
    @gate = Queue.new
    to_server = ->(bytes, _) { bytes.tap { @gate.pop if bytes.start_with?(cancel_request) } }
    through_proxy(to_server: to_server) do |proxy|
      @port = proxy.port
      example.run
    ensure
      @gate.close
    end
  end

  # Sessions that hold the locks 61 and 62, until they are closed.
  let!(:first_lock) { lock(61) }
  let!(:second_lock) { lock(62) }
  let(:connection) { connect_tcp(port: @port, autocommit: true) }

  def lock(number)
    connect(autocommit: true).tap { |holder| holder.execute("SELECT pg_advisory_lock($1::int)", [number]) }
  end

  # Runs the SQL behind a statement whose cancel request comes too late, and hits the SQL instead, which
  # has 'behind' in it. Gives its thread.
  def strike(sql)
    canceled = connection.cursor
    first = in_thread { canceled.execute("SELECT 'first' FROM pg_advisory_lock(61)").fetch_value }
    wait_until_running(connection.backend_pid, "'first'")
    behind = in_thread { connection.execute(sql) }
    eventually("the second thread waits") { behind.stop? }
    canceling = in_thread { canceled.cancel }
    eventually("the request is on its way") { @gate.num_waiting == 1 }
    first_lock.close
    expect(value_of(first)).to eq("first")
    wait_until_running(connection.backend_pid, "'behind'")
    @struck = query_start
    @gate.close
    value_of(canceling)
    behind
  end

  def query_start
    observe("SELECT query_start FROM pg_stat_activity WHERE pid = $1", [connection.backend_pid])
  end

  it "is executed again where it was hit and committed by itself, and its caller sees nothing of it" do
    behind = strike("SELECT 'behind' FROM pg_advisory_lock(62)")
    eventually("it was hit and sent again") { query_start > @struck }
    second_lock.close
    expect(value_of(behind).fetch_value).to eq("behind")
  end

  it "raises an error that is retryable where it was hit and may have committed a part" do
    error = outcome_of(strike("DO $$BEGIN PERFORM 'behind' FROM pg_advisory_lock(62); END$$"))
    expect(error).to be_a(Pgconn::QueryCanceledError)
    expect([error.outcome, error.retryable?]).to eq([:canceled, true])
  end

  it "raises an error that is retryable where it was hit in a transaction" do
    connection.autocommit = false
    connection.execute("SELECT 1")
    error = outcome_of(strike("SELECT 'behind' FROM pg_advisory_lock(62)"))
    expect(error).to be_a(Pgconn::QueryCanceledError)
    expect([error.outcome, error.retryable?]).to eq([:canceled, true])
    connection.rollback
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "isn't sent before the request has ended, and is right then" do
    canceled = connection.cursor
    first = in_thread { canceled.execute("SELECT 'first' FROM pg_advisory_lock(61)") }
    wait_until_running(connection.backend_pid, "'first'")
    canceling = in_thread { canceled.cancel }
    eventually("the request is on its way") { @gate.num_waiting == 1 }
    others = Array.new(3) { |number| in_thread { connection.execute("SELECT $1::int", [number]).fetch_value } }
    eventually("they wait") { others.all?(&:stop?) }
    first_lock.close
    value_of(first)
    expect(others).to all(be_alive)
    @gate.close
    value_of(canceling)
    expect(others.map { |thread| value_of(thread) }).to eq([0, 1, 2])
  end
end
