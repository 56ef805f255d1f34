# frozen_string_literal: true

require "spec_helper"
require "timeout"

RSpec.describe "transaction(retries:)" do
  let(:connection) { connect(autocommit: true) }
  let(:rival) { connect }

  before { observer.execute("CREATE TABLE accounts AS SELECT id, 100 AS balance FROM generate_series(1, 2) AS id") }

  after do
    close_connections
    observer.execute("DROP TABLE accounts")
  end

  def balance(conn, id) = conn.execute("SELECT balance FROM accounts WHERE id = $1", [id]).fetch_value

  def set(conn, id, value) = conn.execute("UPDATE accounts SET balance = $1 WHERE id = $2", [value, id])

  def withdraw(conn, id, value) = set(conn, id, balance(conn, id) - value)

  # Another session gets in between, the given number of times.
  def disturbed(times, **options)
    runs = 0
    connection.transaction(isolation: :repeatable_read, **options) do
      runs += 1
      before = balance(connection, 1)
      withdraw(rival, 1, 1) && rival.commit if runs <= times
      set(connection, 1, before - 10)
      runs
    end
  end

  it "runs the block again after a serialization failure, and gives its value" do
    expect(disturbed(2, retries: 3)).to eq(3)
    expect(balance(observer, 1)).to eq(88)
  end

  it "raises the last error when all retries have failed" do
    expect { disturbed(2, retries: 1) }.to raise_error(Pgconn::Errors::SerializationFailure) { |error|
      expect(error).to be_retryable
    }
    expect(balance(observer, 1)).to eq(98)
  end

  it "runs the block once by default" do
    expect { disturbed(1) }.to raise_error(Pgconn::Errors::SerializationFailure)
  end

  it "runs the block again after a failure at COMMIT" do
    runs = 0
    connection.transaction(isolation: :serializable, retries: 1) do
      runs += 1
      sum = balance(connection, 1) + balance(connection, 2)
      if runs == 1 # write skew: each reads both and writes one
        rival.isolation_level = :serializable
        others = balance(rival, 1) + balance(rival, 2)
        set(rival, 2, others - 150)
      end
      set(connection, 1, sum - 150)
      rival.commit if runs == 1
    end
    expect(runs).to eq(2)
    expect([balance(observer, 1), balance(observer, 2)]).to eq([0, 50])
  end

  it "runs the block again after a deadlock" do
    set(rival, 2, 50)
    runs = 0
    waiting = nil
    observer
    connection.transaction(retries: 1) do
      runs += 1
      connection.execute("SET LOCAL deadlock_timeout TO '10ms'")
      set(connection, 1, 10)
      waiting ||= in_thread { set(rival, 1, 20) && rival.commit }
      wait_until_running(rival.backend_pid, "UPDATE accounts") if runs == 1
      set(connection, 2, 10)
    end
    value_of(waiting)
    expect([runs, balance(observer, 1), balance(observer, 2)]).to eq([2, 10, 10])
  end

  it "runs nothing again after another error, a Rollback or the loss of the connection" do
    [-> { raise IndexError }, -> { connection.execute("SELECT 1/0") }, -> { raise Pgconn::Rollback },
     -> { connection.execute("SELECT pg_terminate_backend(pg_backend_pid())") }].each do |ending|
      runs = 0
      begin
        connection.transaction(retries: 3) { (runs += 1) && ending.call }
      rescue IndexError, Pgconn::DataError, Pgconn::ConnectionLost
        nil
      end
      expect(runs).to eq(1)
    end
  end

  it "runs the block again for an error of the user's that says it is retryable" do
    runs = 0
    connection.transaction(retries: 2) do
      runs += 1
      raise Pgconn::OperationalError.new("again", retryable: true) if runs < 3
    end
    expect(runs).to eq(3)
  end

  it "pauses in a way that Timeout can end, outside of the transaction" do
    allow_all = Class.new(Pgconn::Connection) do
      def pausing = @pausing ||= Queue.new

      def sleep(*)
        pausing << transaction_status
        super()
      end
    end
    connection = connect(autocommit: true, connection_factory: allow_all)
    expect do
      Timeout.timeout(0.3) do
        connection.transaction(retries: 1) { connection.execute("SELECT 1") && raise(Pgconn::OperationalError.new("again", retryable: true)) }
      end
    end.to raise_error(Timeout::Error)
    expect(connection.pausing.pop(true)).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  [-1, 1.5, "3", nil, true].each do |wrong|
    it "takes no #{wrong.inspect}" do
      expect { connection.transaction(retries: wrong) { nil } }.to raise_error(ArgumentError, /retries must be an Integer, 0 or more/)
    end
  end
end
