# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Deadlines" do
  let(:connection) { connect(autocommit: true) }

  it "raise QueryCanceledError, and the statement is stopped on the server" do
    elapsed = Elapsed.seconds do
      expect { connection.execute("SELECT pg_sleep(30)", timeout: 0.1) }
        .to raise_error(Pgconn::QueryCanceledError) { |error| expect(error.outcome).to eq(:canceled) }
    end
    expect(elapsed).to be_between(0.1, ConnectionHelpers::SOON)
    expect(backend_state(connection.backend_pid)).to eq("idle")
  end

  it "leave the connection usable at once in autocommit" do
    expect { connection.execute("SELECT pg_sleep(30)", timeout: 0.1) }.to raise_error(Pgconn::QueryCanceledError)
    20.times { |number| expect(connection.execute("SELECT $1::int", [number]).fetch_value).to eq(number) }
  end

  it "leave a transaction to be rolled back, also the one that began with the statement" do
    connection = connect
    expect { connection.execute("SELECT pg_sleep(30)", timeout: 0.1) }.to raise_error(Pgconn::QueryCanceledError)
    expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
    connection.rollback
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "do nothing to a statement that is quicker" do
    expect(connection.execute("SELECT 1", timeout: 30).fetch_value).to eq(1)
    expect(connection.execute("SELECT $1::int", [2], timeout: 30).fetch_value).to eq(2)
    expect(connection.execute("SELECT :a::int", timeout: 30, a: 3).fetch_value).to eq(3)
    expect(connection.cursor.execute("SELECT 4", timeout: 30).fetch_value).to eq(4)
  end

  it "hold for the one call only" do
    connection.execute("SELECT 1", timeout: 0.05)
    expect(connection.execute("SELECT 'slow' FROM pg_sleep(0.1)").fetch_value).to eq("slow")
  end

  it "may be any positive number" do
    [Rational(1, 10), 0.1].each do |timeout|
      expect { connection.execute("SELECT pg_sleep(30)", timeout: timeout) }.to raise_error(Pgconn::QueryCanceledError)
    end
    expect(connection.execute("SELECT 1", timeout: 10**9).fetch_value).to eq(1)
  end

  it "raise ArgumentError when they aren't positive, TypeError when they aren't numbers" do
    [0, -1, -0.1, Float::NAN].each do |timeout|
      expect { connection.execute("SELECT 1", timeout: timeout) }.to raise_error(ArgumentError), timeout.inspect
    end
    ["1", :soon].each do |timeout|
      expect { connection.execute("SELECT 1", timeout: timeout) }.to raise_error(TypeError), timeout.inspect
    end
  end

  describe "statement_timeout:" do
    let(:connection) { connect(autocommit: true, statement_timeout: 0.2) }

    it "holds for each statement" do
      2.times do
        expect { connection.execute("SELECT pg_sleep(30)") }.to raise_error(Pgconn::QueryCanceledError)
      end
      expect(connection.execute("SELECT 1").fetch_value).to eq(1)
    end

    it "is seconds, any positive number" do
      [0, -1, Float::NAN].each { |timeout| expect { connect(statement_timeout: timeout) }.to raise_error(ArgumentError), timeout.inspect }
      ["1", :soon, false].each { |timeout| expect { connect(statement_timeout: timeout) }.to raise_error(TypeError), timeout.inspect }
      expect { connect(statement_timeout: Rational(1, 10)).execute("SELECT pg_sleep(30)") }.to raise_error(Pgconn::QueryCanceledError)
    end

    it "gives way to a cursor's timeout:, and that to a statement's own" do
      patient = connection.cursor(timeout: 30)
      expect(patient.execute("SELECT 'slow' FROM pg_sleep(0.4)").fetch_value).to eq("slow")
      expect { patient.execute("SELECT pg_sleep(30)", timeout: 0.1) }.to raise_error(Pgconn::QueryCanceledError)
      hasty = connect(autocommit: true).cursor(timeout: 0.1)
      expect { hasty.execute("SELECT pg_sleep(30)") }.to raise_error(Pgconn::QueryCanceledError)
      expect(hasty.execute("SELECT 'slow' FROM pg_sleep(0.3)", timeout: 30).fetch_value).to eq("slow")
    end

    it "gives way to a statement's own timeout:" do
      expect(connection.execute("SELECT 'slow' FROM pg_sleep(0.4)", timeout: 30).fetch_value).to eq("slow")
    end
  end

  describe "statement_timeout: and the end of a transaction" do
    it "hold for commit: cancelled, it has rolled back, and the connection is usable" do
      connection = connect(statement_timeout: 0.3)
      SlowCommit.begin(connection)
      expect { connection.commit }.to raise_error(Pgconn::QueryCanceledError) { |error| expect(error.outcome).to eq(:canceled) }
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
      expect(connection.execute("SELECT count(*) FROM kept").fetch_value).to eq(0)
    end

    %i[commit rollback].each do |verb|
      it "hold for #{verb} where the peer has vanished" do
        through_proxy do |proxy|
          connection = connect_tcp(port: proxy.port, statement_timeout: 0.3, cancel_timeout: 0.2)
          connection.execute("SELECT 1")
          proxy.stall
          elapsed = Elapsed.seconds do
            expect { connection.public_send(verb) }
              .to raise_error(Pgconn::QueryCanceledError) { |error| expect(error.outcome).to eq(:unknown) }
          end
          expect(elapsed).to be < ConnectionHelpers::SOON
          expect(connection).to be_broken
        end
      end
    end

    it "leave the transaction open for commit and rollback that wait behind another statement" do
      connection = connect(statement_timeout: 0.3)
      holder = connect(autocommit: true)
      holder.execute("SELECT pg_advisory_lock(41)")
      running = in_thread { connection.execute("SELECT 'first' FROM pg_advisory_lock(41)", timeout: 30).fetch_value }
      wait_until_running(connection.backend_pid, "'first'")
      %i[commit rollback].each do |verb|
        expect { connection.public_send(verb) }
          .to raise_error(Pgconn::QueryCanceledError) { |error| expect(error.outcome).to eq(:not_sent) }
      end
      holder.close
      expect(value_of(running)).to eq("first")
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INTRANS)
    end
  end

  describe "of a statement that waits behind another" do
    let(:lock) { connect(autocommit: true).tap { |holder| holder.execute("SELECT pg_advisory_lock(1)") } }

    # Under way, and ended by the closing of the lock's session.
    def running(sql)
      lock
      in_thread { connection.execute(sql).fetch_value }.tap { wait_until_running(connection.backend_pid, "'first'") }
    end

    def expect_expired(outcome, sql)
      elapsed = Elapsed.seconds do
        expect { connection.execute(sql, timeout: 0.1) }
          .to raise_error(Pgconn::QueryCanceledError) { |error| expect(error.outcome).to eq(outcome) }
      end
      expect(elapsed).to be_between(0.1, ConnectionHelpers::SOON)
    end

    before { connection.execute("CREATE TEMP TABLE t (id int)") }

    it "take it out of the queue, if it wasn't sent: it never runs, the other goes on" do
      first = running("SELECT 'first' FROM pg_advisory_lock(1); SELECT 'sent alone'")
      expect_expired(:not_sent, "INSERT INTO t VALUES (1)")
      lock.close
      expect(value_of(first)).to eq("first")
      expect(connection.execute("SELECT count(*) FROM t").fetch_value).to eq(0)
    end

    it "raise at once, if it was sent: it is cancelled when its turn comes, the other goes on" do
      first = running("SELECT 'first' FROM pg_advisory_lock(1)")
      expect_expired(:unknown, "INSERT INTO t SELECT 1 FROM pg_sleep(30)")
      expect(connection).not_to be_broken
      elapsed = Elapsed.seconds do
        lock.close
        expect(value_of(first)).to eq("first")
        expect(connection.execute("SELECT count(*) FROM t").fetch_value).to eq(0)
      end
      expect(elapsed).to be < ConnectionHelpers::SOON
    end
  end

  describe "when the peer has vanished" do
    it "raise QueryCanceledError with an unknown outcome after cancel_timeout: and break the connection", :no_leaks do
      through_proxy do |proxy|
        connection = connect_tcp(port: proxy.port, autocommit: true, cancel_timeout: 0.2)
        proxy.stall
        elapsed = Elapsed.seconds do
          expect { connection.execute("SELECT 1", timeout: 0.1) }
            .to raise_error(Pgconn::QueryCanceledError) { |error| expect(error.outcome).to eq(:unknown) }
        end
        expect(elapsed).to be_between(0.3, ConnectionHelpers::SOON)
        expect([connection.broken?, connection.closed?]).to eq([true, true])
        expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::ConnectionLost)
        connection.close
      end
    end

    it "raise ConnectionLost for everybody else who waits" do
      through_proxy do |proxy|
        connection = connect_tcp(port: proxy.port, autocommit: true, cancel_timeout: 0.2)
        proxy.stall
        impatient = in_thread { connection.execute("SELECT 1", timeout: 0.5) }
        eventually("the first thread waits") { impatient.stop? }
        patient = in_thread { connection.execute("SELECT 2") }
        expect(outcome_of(impatient)).to be_a(Pgconn::QueryCanceledError)
        expect(outcome_of(patient)).to be_a(Pgconn::ConnectionLost)
      end
    end

    it "make alive? false" do
      through_proxy do |proxy|
        connection = connect_tcp(port: proxy.port, autocommit: true, cancel_timeout: 0.2)
        expect(connection.alive?(timeout: 5)).to be(true)
        proxy.stall
        elapsed = Elapsed.seconds { expect(connection.alive?(timeout: 0.1)).to be(false) }
        expect(elapsed).to be < ConnectionHelpers::SOON
      end
    end
  end
end
