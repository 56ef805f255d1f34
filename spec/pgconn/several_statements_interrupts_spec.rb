# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Several statements in one string, interrupted:" do
  let(:connection) { connect(autocommit: true) }

  let(:slow) { "SELECT 'before'; SELECT pg_sleep(30); SELECT 'after'" }

  def sleeping(connection)
    thread = in_thread { connection.execute(slow) }
    wait_until_running(connection.backend_pid, "pg_sleep(30)")
    thread
  end

  def expect_in_step(connection)
    5.times do |number|
      expect(connection.execute("SELECT $1::int", [number]).fetch_value).to eq(number)
      expect(connection.execute("SELECT 0; SELECT #{number}").tap(&:next_result).fetch_value).to eq(number)
    end
    expect(connection).not_to be_broken
  end

  def expect_soon(&block)
    expect(Elapsed.seconds(&block)).to be < ConnectionHelpers::SOON
  end

  it "by Thread#kill" do
    running = sleeping(connection)
    expect_soon { expect(outcome_of(running.kill)).to be_nil }
    expect_in_step(connection)
  end

  it "by Timeout" do
    expect_soon { expect { Timeout.timeout(0.2) { connection.execute(slow) } }.to raise_error(Timeout::Error) }
    expect_in_step(connection)
  end

  it "by Connection#cancel, which ends them all" do
    running = sleeping(connection)
    connection.cancel
    expect(outcome_of(running)).to be_a(Pgconn::QueryCanceledError).and have_attributes(outcome: :canceled)
    expect_in_step(connection)
  end

  it "by a deadline, which holds for all of them together" do
    expect_soon do
      expect { connection.execute(slow, timeout: 0.2) }
        .to raise_error(Pgconn::QueryCanceledError) { |error| expect(error.outcome).to eq(:canceled) }
    end
    expect { connection.execute("SELECT pg_sleep(0.15); " * 20, timeout: 0.4) }.to raise_error(Pgconn::QueryCanceledError)
    expect_in_step(connection)
  end

  it "in a transaction, which is to be rolled back then" do
    connection = connect
    expect { connection.execute(slow, timeout: 0.1) }.to raise_error(Pgconn::QueryCanceledError)
    expect { connection.execute("SELECT 1; SELECT 2") }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
    connection.rollback
    expect_in_step(connection)
  end

  it "at any moment, however often" do
    random = Random.new(RSpec.configuration.seed)
    sql = "SELECT repeat('x', 100000); SET application_name = 'a'; SELECT repeat('y', 100000) FROM generate_series(1, 5)"
    60.times do |number|
      running = in_thread { loop { connection.execute(sql).fetch_all } }
      Elapsed.now.then { |start| Thread.pass until Elapsed.now > start + random.rand * 0.01 }
      outcome_of(running.kill)
      expect(connection.execute("SELECT 0; SELECT #{number}").tap(&:next_result).fetch_value).to eq(number)
      expect(connection.execute("SELECT $1::int", [number]).fetch_value).to eq(number)
    end
  end

  it "in the middle of a COPY" do
    sql = "SELECT 1; COPY (SELECT repeat('x', 1000), pg_sleep(CASE WHEN i < 2000 THEN 0 ELSE 30 END) FROM generate_series(1, 3000) i) TO STDOUT"
    thread = in_thread { connection.execute(sql) }
    wait_until_running(connection.backend_pid, "COPY")
    expect_soon { outcome_of(thread.kill) }
    expect_in_step(connection)
  end

  it "with the names in mind that they have dropped meanwhile" do
    3.times { connection.execute("SELECT 'named'") }
    thread = in_thread { connection.execute("SELECT 1; DEALLOCATE ALL; #{slow}") }
    wait_until_running(connection.backend_pid, "pg_sleep(30)")
    outcome_of(thread.kill)
    3.times { expect(connection.execute("SELECT 'named'").fetch_value).to eq("named") }
  end

  describe "while they wait for what the driver has to set ahead of them" do
    # Its styles have to be SET, and the server's answer to that doesn't come.
    def with_stalled
      through_proxy do |proxy|
        connection = connect_tcp(port: proxy.port, options: "-c datestyle=German", autocommit: true)
        proxy.stall
        yield connection, proxy
        proxy.resume
        expect(connection.execute("SELECT 0; SELECT '2024-02-03'::date").tap(&:next_result).fetch_value).to eq(Date.new(2024, 2, 3))
        expect_in_step(connection)
      end
    end

    it "by Thread#kill: they never run" do
      with_stalled do |connection|
        running = in_thread { connection.execute("CREATE TEMP TABLE never (); SELECT 1") }
        eventually("the thread waits") { running.stop? }
        expect_soon { outcome_of(running.kill) }
      end
    end

    it "by a deadline: they never run" do
      with_stalled do |connection|
        expect { connection.execute("SELECT 1; SELECT 2", timeout: 0.2) }
          .to raise_error(Pgconn::QueryCanceledError) { |error| expect(error.outcome).to eq(:not_sent) }
      end
    end

    it "and others take their turn, in their order" do
      with_stalled do |connection, proxy|
        threads = Array.new(3) { |number| in_thread { connection.execute("SELECT #{number}; SELECT 0").fetch_value } }
        eventually("all wait") { threads.all?(&:stop?) }
        outcome_of(threads.first.kill)
        proxy.resume
        expect(threads.drop(1).map { |thread| value_of(thread) }).to eq([1, 2])
      end
    end
  end

  it "by the loss of the connection, which is ConnectionLost for whoever waits" do
    running = sleeping(connection)
    waiting = in_thread { connection.execute("SELECT 1; SELECT 2") }
    eventually("the second thread waits") { waiting.stop? }
    observe("SELECT pg_terminate_backend($1)", [connection.backend_pid])
    expect([running, waiting].map { |thread| outcome_of(thread) })
      .to match([be_a(Pgconn::ConnectionLost).and(have_attributes(outcome: :unknown)),
                 be_a(Pgconn::ConnectionLost).and(have_attributes(outcome: :not_sent))])
    expect(connection).to be_broken
  end

  it "by a peer that has vanished: back after the deadline and cancel_timeout, with an unknown outcome" do
    through_proxy do |proxy|
      connection = connect_tcp(port: proxy.port, cancel_timeout: 0.2)
      proxy.stall
      expect_soon do
        expect { connection.execute("SELECT 1; SELECT 2", timeout: 0.1) }
          .to raise_error(Pgconn::QueryCanceledError) { |error| expect(error.outcome).to eq(:unknown) }
      end
      expect(connection).to be_broken
    end
  end
end
