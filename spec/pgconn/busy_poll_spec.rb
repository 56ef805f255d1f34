# frozen_string_literal: true

require "spec_helper"
require "timeout"

RSpec.describe "The look at the socket before a thread sleeps" do
  let(:connection) { connect(autocommit: true) }

  def answers(connection, count = 300)
    Array.new(count) { |number| connection.execute("SELECT $1::int", [number]).fetch_value }
  end

  it "changes no answer, whether it is on or off" do
    expect(answers(connection)).to eq((0...300).to_a)
    expect(answers(connect(autocommit: true, busy_poll: false))).to eq((0...300).to_a)
  end

  it "misses no answer that takes longer, comes in pieces or is an error" do
    50.times do |number|
      expect(connection.execute("SELECT $1::int FROM pg_sleep(0.001)", [number]).fetch_value).to eq(number)
      expect(connection.execute("SELECT repeat('x', 200000)").fetch_value.size).to eq(200_000)
      expect { connection.execute("SELECT 1 / 0") }.to raise_error(Pgconn::Errors::DivisionByZero)
    end
  end

  it "holds no deadline up" do
    answers(connection, 100)
    expect { connection.execute("SELECT pg_sleep(30)", timeout: 0.00001) }
      .to raise_error(Pgconn::QueryCanceledError)
    expect { Timeout.timeout(0.1) { connection.execute("SELECT pg_sleep(30)") } }.to raise_error(Timeout::Error)
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "notices a connection that ends" do
    answers(connection, 100)
    connect.execute("SELECT pg_terminate_backend($1)", [connection.backend_pid])
    expect { answers(connection) }.to raise_error(Pgconn::ConnectionLost)
  end

  # It ends before the answer comes, and the thread sleeps for the rest.
  it "leaves another thread that computes to go on within each statement" do
    progress = 0
    busy = in_thread { loop { progress += 1 } }
    Thread.pass while progress.zero?
    gains = Array.new(32) do
      before = progress
      connection.execute("SELECT pg_sleep(0.01)")
      progress - before
    end
    expect(gains).to all(be_positive)
  ensure
    busy&.kill
  end
end
