# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Round trips" do
  # A delay makes sure that whatever is sent without waiting for an answer counts as one.
  around do |example|
    through_proxy(delay: 0.03) do |proxy|
      @proxy = proxy
      example.run
    end
  end

  attr_reader :proxy

  let(:connection) { connect_tcp(port: proxy.port) }

  def cost
    connection # made before anything is counted
    proxy.round_trips { yield connection }
  end

  it "are one for the first statement of a transaction, BEGIN included" do
    expect(cost { connection.execute("SELECT 1") }).to eq(1)
    expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INTRANS)
  end

  it "are one for the first statement with parameters" do
    expect(cost { connection.execute("SELECT $1::int", [1]) }).to eq(1)
  end

  it "are one for each further statement" do
    connection.execute("SELECT 1")
    expect(cost { connection.execute("SELECT $1::int", [1]) }).to eq(1)
    expect(cost { 3.times { connection.execute("SELECT :a::int", a: 1) } }).to eq(3)
  end

  it "are one for commit and one for rollback" do
    connection.execute("SELECT 1")
    expect(cost(&:commit)).to eq(1)
    connection.execute("SELECT 1")
    expect(cost(&:rollback)).to eq(1)
  end

  it "are none for commit and rollback without a transaction" do
    expect(cost { [connection.commit, connection.rollback] }).to eq(0)
    expect(proxy.counts.bytes_to_server).to eq(0)
  end

  it "are one for each statement in autocommit" do
    connection.autocommit = true
    expect(cost { connection.execute("SELECT 1") }).to eq(1)
    expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
  end

  it "are one for a statement that fails, and for the transaction that it began" do
    expect(cost { expect { connection.execute("SELECT nonsense") }.to raise_error(Pgconn::ProgrammingError) }).to eq(1)
  end

  it "are one for each step of a two-phase transaction, and none for its begin" do
    expect(cost { connection.tpc_begin("steps") }).to eq(0)
    expect(cost { connection.execute("SELECT 1") }).to eq(1)
    expect(cost(&:tpc_prepare)).to eq(1)
    expect(cost { connection.tpc_recover }).to eq(1)
    expect(cost(&:tpc_commit)).to eq(1)
    connection.tpc_begin("nothing executed")
    expect(cost(&:tpc_prepare)).to eq(1)
    expect(cost(&:tpc_rollback)).to eq(1)
  end

  it "are one for reset, also where it has to roll back" do
    expect(cost(&:reset)).to eq(1)
    connection.execute("SELECT 1")
    expect(cost(&:reset)).to eq(1)
  end

  it "are one for client_encoding=" do
    expect(cost { connection.client_encoding = "LATIN1" }).to eq(1)
  end

  it "are none for reading what was executed" do
    cursor = connection.execute("SELECT i, i FROM generate_series(1, 100) i")
    expect(cost { [cursor.description, cursor.fetch, cursor.fetch_many(5), cursor.fetch_all] }).to eq(0)
  end

  it "are none for what the connection knows, and for switching to autocommit" do
    connection.execute("SELECT 1")
    connection.rollback
    known = cost do
      [connection.backend_pid, connection.server_version, connection.transaction_status,
       connection.parameter_status("TimeZone"), connection.notices, connection.dsn, connection.closed?,
       connection.status, connection.encoding, connection.client_encoding,
       connection.info.inspect, connection.info.transaction_status]
      connection.autocommit = true
    end
    expect(known).to eq(0)
  end

  it "are none more where the server writes dates in another way, which the driver sets right" do
    unusual = connect_tcp(port: proxy.port, options: "-c datestyle=German -c intervalstyle=sql_standard")
    date = nil
    expect(proxy.round_trips { date = unusual.execute("SELECT '2024-02-03'::date").fetch_value }).to eq(1)
    expect(date).to eq(Date.new(2024, 2, 3))
  end

  it "are one for connecting, where neither TLS nor a password is asked for" do
    expect(proxy.round_trips { connect_tcp(port: proxy.port) }).to eq(1)
  end

  it "are one for alive?" do
    expect(cost(&:alive?)).to eq(1)
  end

  it "are none for close" do
    connection.execute("SELECT 1")
    expect(cost(&:close)).to eq(0)
  end
end
