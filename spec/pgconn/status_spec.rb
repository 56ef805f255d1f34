# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Connection#status" do
  let(:connection) { connect }

  it "is READY when no transaction is open, BEGIN in one" do
    expect(connection.status).to eq(Pgconn::STATUS_READY)
    connection.execute("SELECT 1")
    expect(connection.status).to eq(Pgconn::STATUS_BEGIN)
    connection.commit
    expect(connection.status).to eq(Pgconn::STATUS_READY)
  end

  it "is BEGIN also in a transaction that has failed, until it is rolled back" do
    expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::DataError)
    expect(connection.status).to eq(Pgconn::STATUS_BEGIN)
    connection.rollback
    expect(connection.status).to eq(Pgconn::STATUS_READY)
  end

  it "follows what the user begins and ends in autocommit" do
    connection.autocommit = true
    connection.execute("SELECT 1")
    expect(connection.status).to eq(Pgconn::STATUS_READY)
    connection.execute("BEGIN")
    expect(connection.status).to eq(Pgconn::STATUS_BEGIN)
    connection.execute("ROLLBACK")
    expect(connection.status).to eq(Pgconn::STATUS_READY)
  end

  it "is BEGIN from tpc_begin on, PREPARED from tpc_prepare to tpc_commit or tpc_rollback" do
    %i[tpc_commit tpc_rollback].each do |ending|
      connection.tpc_begin("status")
      expect(connection.status).to eq(Pgconn::STATUS_BEGIN)
      connection.execute("SELECT 1")
      expect(connection.status).to eq(Pgconn::STATUS_BEGIN)
      connection.tpc_prepare
      expect(connection.status).to eq(Pgconn::STATUS_PREPARED)
      connection.public_send(ending)
      expect(connection.status).to eq(Pgconn::STATUS_READY)
    end
  end

  it "is the last known one after close and after a loss" do
    connection.execute("SELECT 1")
    connection.close
    expect(connection.status).to eq(Pgconn::STATUS_BEGIN)
    lost = connect
    observe("SELECT pg_terminate_backend($1::int)", [lost.backend_pid])
    expect { loop { lost.execute("SELECT 1") } }.to raise_error(Pgconn::ConnectionLost)
    expect([Pgconn::STATUS_READY, Pgconn::STATUS_BEGIN]).to include(lost.status)
    expect([connection, lost].map(&:transaction_status)).to all(eq(Pgconn::TRANSACTION_STATUS_UNKNOWN))
  end

  it "is SETUP while the connection is being made" do
    listener = TCPServer.new("127.0.0.1", 0) # where nobody answers
    connection = nil
    making = Class.new(Pgconn::Connection) { define_method(:initialize) { |*args, **rest| (connection = self) && super(*args, **rest) } }
    thread = in_thread { making.new(host: "127.0.0.1", port: listener.addr[1], user: "postgres") }
    listener.accept
    expect(connection.status).to eq(Pgconn::STATUS_SETUP)
  ensure
    thread&.kill&.join
    listener&.close
  end

  it "raises InterfaceError where initialize didn't call super" do
    expect { Class.new(Pgconn::Connection) { define_method(:initialize) { nil } }.new.status }.to raise_error(Pgconn::InterfaceError)
  end
end
