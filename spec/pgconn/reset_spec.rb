# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Connection#reset" do
  include HeldAnswers
  include PreparedStatements

  let(:connection) { connect }

  def value(sql)
    connection.execute(sql).fetch_value
  end

  def setting(name)
    value("SHOW #{name}")
  end

  it "rolls back a transaction that is open" do
    observer.execute("CREATE TABLE reset (id int)")
    connection.execute("INSERT INTO reset VALUES (1)")
    expect(connection.reset).to be_nil
    expect([connection.status, observe("SELECT count(*) FROM reset")]).to eq([Pgconn::STATUS_READY, 0])
  ensure
    observer.execute("DROP TABLE reset")
  end

  it "rolls back a transaction that has failed" do
    expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::DataError)
    connection.reset
    expect(connection.status).to eq(Pgconn::STATUS_READY)
    expect(value("SELECT 1")).to eq(1)
  end

  it "gives settings back, to what connect set and the server's configuration" do
    connection = connect(options: "-c statement_timeout=54321")
    connection.execute("SET statement_timeout TO 1000")
    connection.execute("SET work_mem TO '1MB'")
    connection.commit
    connection.reset
    expect(%w[statement_timeout work_mem].map { |name| connection.execute("SHOW #{name}").fetch_value }).to eq(%w[54321ms 4MB])
  end

  it "gives the role and the session's user back" do
    ["SET SESSION AUTHORIZATION pgconn_plain", "SET ROLE pgconn_plain"].each do |sql|
      connection.execute(sql)
      connection.commit
      connection.reset
      expect([value("SELECT current_user::text"), value("SELECT session_user::text")]).to eq(%w[postgres postgres])
    end
  end

  it "ends LISTEN, temporary tables, advisory locks and cursors" do
    connection.autocommit = true
    connection.execute("LISTEN news")
    connection.execute("CREATE TEMP TABLE temporary (id int)")
    connection.execute("SELECT pg_advisory_lock(13)")
    connection.autocommit = false
    connection.execute("DECLARE held CURSOR WITH HOLD FOR SELECT 1")
    connection.commit
    connection.reset
    expect(value("SELECT count(*) FROM pg_listening_channels()")).to eq(0)
    expect(value("SELECT to_regclass('temporary') IS NULL")).to be(true)
    expect(value("SELECT count(*) FROM pg_cursors WHERE name = 'held'")).to eq(0)
    expect(observe("SELECT pg_try_advisory_xact_lock(13)")).to be(true)
  end

  it "forgets the names of prepared statements, which are then prepared anew" do
    3.times { expect(connection.execute("SELECT $1::int", [7]).fetch_value).to eq(7) }
    connection.reset
    expect(name_count(connection)).to eq(0)
    3.times { expect(connection.execute("SELECT $1::int", [8]).fetch_value).to eq(8) }
  end

  it "gives autocommit back to what connect was told" do
    connection.autocommit = true
    connection.reset
    expect(connection.autocommit).to be(false)
    connection.execute("SELECT 1")
    expect(connection.status).to eq(Pgconn::STATUS_BEGIN)
    kept = connect(autocommit: true)
    kept.autocommit = false
    kept.execute("SELECT 1")
    kept.reset
    expect(kept.autocommit).to be(true)
    kept.execute("SELECT 1")
    expect(kept.status).to eq(Pgconn::STATUS_READY)
  end

  it "gives the client encoding back to what connect was told" do
    { "LATIN1" => Encoding::ISO_8859_1, nil => Encoding::UTF_8 }.each do |told, encoding|
      connection = connect(client_encoding: told)
      connection.client_encoding = "EUC_JP"
      connection.reset
      expect(connection.encoding).to be(encoding)
      expect(connection.execute("SELECT $1::text", ["\u00E9"]).fetch_value).to eq("\u00E9".encode(encoding))
    end
  end

  it "keeps types, statement_timeout: and notices that were not read" do
    connection = connect(statement_timeout: 0.2)
    connection.types.register("money", decoder: ->(text) { text.delete("$") })
    connection.execute("DO $$ BEGIN RAISE NOTICE 'unread'; END $$")
    connection.reset
    expect(connection.notices).to eq(["NOTICE:  unread\n"])
    expect(connection.execute("SELECT 1::money").fetch_value).to eq("1.00")
    expect { connection.execute("SELECT pg_sleep(30)") }.to raise_error(Pgconn::QueryCanceledError)
  end

  it "sets the styles again in which the driver reads values, as does a DISCARD ALL by the user" do
    connection = connect(options: "-c DateStyle=German -c IntervalStyle=sql_standard", autocommit: true)
    read = -> { connection.execute("SELECT date '2026-11-25', interval '1 day -00:00:01'").fetch.to_a }
    before = read.call
    [-> { connection.reset }, -> { connection.execute("DISCARD ALL") }].each do |act|
      act.call
      expect(read.call).to eq(before)
      expect([connection.parameter_status("DateStyle"), connection.parameter_status("IntervalStyle")]).to match([/\AISO/, "postgres"])
    end
  end

  it "says nothing of a transaction where none was open" do
    connection.reset
    connection.execute("SELECT 1")
    connection.reset
    expect(connection.notices).to eq([])
  end

  it "ends a two-phase transaction that isn't prepared" do
    connection.tpc_begin("reset")
    connection.execute("SELECT 1")
    connection.reset
    expect([connection.status, connection.tpc_recover]).to eq([Pgconn::STATUS_READY, []])
    expect { connection.tpc_prepare }.to raise_error(Pgconn::ProgrammingError)
  end

  it "leaves a prepared transaction to be recovered" do
    connection.tpc_begin("reset")
    connection.tpc_prepare
    connection.reset
    expect(connection.status).to eq(Pgconn::STATUS_READY)
    connection.tpc_recover.each { |xid| connection.tpc_rollback(xid) }
    expect(connection.tpc_recover).to eq([])
  end

  it "that is interrupted leaves the connection in step, and wholly reset once the answer is read" do
    holding_answers_to("DISCARD ALL") do |connection, gate|
      connection.autocommit = true
      connection.execute("SET application_name TO 'old'")
      connection.client_encoding = "LATIN1"
      thread = in_thread { connection.reset }
      eventually("the server has done it") { observe("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'old'").zero? }
      outcome_of(thread.kill)
      expect([connection.autocommit, connection.client_encoding]).to eq([true, "LATIN1"])
      gate.close
      expect(connection.execute("SELECT $1::text", ["\u00E9"]).fetch_value).to eq("\u00E9")
      expect([connection.autocommit, connection.client_encoding]).to eq([false, "UTF8"])
    end
  end

  it "that is interrupted before it is sent changes nothing" do
    holder = connect(autocommit: true)
    holder.execute("SELECT pg_advisory_lock(15)")
    connection.client_encoding = "LATIN1"
    running = in_thread { connection.execute("SELECT pg_advisory_xact_lock(15)") }
    wait_until_running(connection.backend_pid, "pg_advisory_xact_lock")
    resetting = in_thread { connection.reset }
    eventually("reset waits") { resetting.stop? }
    outcome_of(resetting.kill)
    holder.close
    value_of(running)
    expect([connection.status, connection.client_encoding]).to eq([Pgconn::STATUS_BEGIN, "LATIN1"])
  end

  it "waits for the statements of other threads, and is rolled back or new to each of them" do
    holder = connect(autocommit: true)
    holder.execute("SELECT pg_advisory_lock(14)")
    running = in_thread { connection.execute("SELECT 'own' FROM pg_advisory_xact_lock(14)").fetch_value }
    wait_until_running(connection.backend_pid, "'own'")
    resetting = in_thread { connection.reset }
    eventually("reset waits") { resetting.stop? }
    behind = in_thread { connection.execute("SELECT 'behind'").fetch_value }
    eventually("the next one waits") { behind.stop? }
    holder.close
    expect([value_of(running), value_of(resetting), value_of(behind)]).to eq(["own", nil, "behind"])
    expect(connection.status).to eq(Pgconn::STATUS_BEGIN)
  end

  it "raises InterfaceError once the connection is closed" do
    connection.close
    expect { connection.reset }.to raise_error(Pgconn::InterfaceError, "connection already closed")
  end
end
