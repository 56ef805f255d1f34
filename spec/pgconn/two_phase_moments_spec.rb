# frozen_string_literal: true

require "spec_helper"

# Interrupts, losses and other threads, at each step of a two-phase transaction.
RSpec.describe "A two-phase transaction" do
  include HeldAnswers
  include TwoPhaseHelpers

  let(:lock) { 4711 }

  # A session that holds what {#waiting_at_its_end} waits for.
  let(:holder) { connect(autocommit: true) }

  before do
    observer.execute(<<~SQL)
      CREATE FUNCTION two_phase_wait() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_advisory_xact_lock(#{lock}); RETURN NULL; END'
    SQL
  end

  after { observer.execute("DROP FUNCTION two_phase_wait CASCADE") }

  # A transaction that waits for the holder when it is prepared or committed.
  def begin_waiting
    observer.execute("CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON two_phase DEFERRABLE INITIALLY DEFERRED " \
                     "FOR EACH ROW EXECUTE FUNCTION two_phase_wait()")
    holder.execute("SELECT pg_advisory_lock(#{lock})")
    connection.tpc_begin(xid)
    insert(1)
  end

  def release
    holder.execute("SELECT pg_advisory_unlock(#{lock})")
  end

  def preparing
    thread = in_thread { connection.tpc_prepare }
    wait_until_running(connection.backend_pid, "PREPARE TRANSACTION")
    thread
  end

  # A connection that is lost as soon as the server was sent the text.
  def losing_at(text)
    lost = ->(bytes, proxy) { bytes.tap { proxy.cut if bytes.include?(text) } }
    through_proxy(to_server: lost) { |proxy| yield connect_tcp(port: proxy.port) }
  end

  describe "whose tpc_prepare is interrupted" do
    it "before the server has done it is rolled back, and the connection says so" do
      begin_waiting
      outcome_of(preparing.kill)
      wait_until_not_running(connection.backend_pid)
      expect(connection.alive?).to be(true)
      expect([prepared, connection.status]).to eq([[], Pgconn::STATUS_READY])
      release
      expect { connection.tpc_rollback }.to raise_error(Pgconn::ProgrammingError)
      expect(connection.execute("SELECT 1").fetch_value).to eq(1)
    end

    it "after the server has done it is prepared, and is ended as such" do
      %i[tpc_commit tpc_rollback].each do |ending|
        holding_answers_to("PREPARE TRANSACTION") do |connection, gate|
          connection.tpc_begin(xid)
          connection.execute("SELECT 1")
          thread = in_thread { connection.tpc_prepare }
          eventually("it is prepared") { prepared == [xid.to_s] }
          outcome_of(thread.kill)
          expect(connection.status).to begun
          gate.close
          connection.public_send(ending)
          expect([prepared, connection.status]).to eq([[], Pgconn::STATUS_READY])
        end
      end
    end

    it "refuses statements once that is known" do
      holding_answers_to("PREPARE TRANSACTION") do |connection, gate|
        connection.tpc_begin(xid)
        thread = in_thread { connection.tpc_prepare }
        eventually("it is prepared") { prepared == [xid.to_s] }
        outcome_of(thread.kill)
        gate.close
        expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::ProgrammingError, /prepared/)
        expect(connection.status).to eq(Pgconn::STATUS_PREPARED)
      end
    end
  end

  it "whose COMMIT PREPARED is interrupted after the server has done it has ended" do
    holding_answers_to("COMMIT PREPARED") do |connection, gate|
      prepare(on: connection)
      thread = in_thread { connection.tpc_commit }
      eventually("it is committed") { committed == [1] }
      outcome_of(thread.kill)
      expect(connection.status).to eq(Pgconn::STATUS_PREPARED)
      gate.close
      expect { connection.tpc_commit }.to raise_error(Pgconn::ProgrammingError)
      expect(connection.status).to ready
      expect(connection.execute("SELECT 1").fetch_value).to eq(1)
    end
  end

  it "whose one-phase tpc_commit is interrupted and canceled has ended" do
    begin_waiting
    thread = in_thread { connection.tpc_commit }
    wait_until_running(connection.backend_pid, "COMMIT")
    outcome_of(thread.kill)
    expect(connection.alive?).to be(true)
    expect([committed, connection.status]).to eq([[], Pgconn::STATUS_READY])
  end

  describe "whose connection is lost" do
    it "in PREPARE TRANSACTION, COMMIT PREPARED or ROLLBACK PREPARED has the outcome :unknown" do
      { "PREPARE TRANSACTION" => :tpc_prepare, "COMMIT PREPARED" => :tpc_commit, "ROLLBACK PREPARED" => :tpc_rollback }.each do |sql, method|
        losing_at(sql) do |connection|
          connection.tpc_begin(xid)
          connection.execute("SELECT 1")
          connection.tpc_prepare unless method == :tpc_prepare
          expect { connection.public_send(method) }.to raise_error(Pgconn::ConnectionLost) { |error|
            expect(error).to have_attributes(outcome: :unknown, query: "#{sql} '#{xid}'")
          }
          connect.tpc_rollback(xid) if prepared.any?
        end
      end
    end

    it "in the recovery by another connection has the outcome :unknown" do
      prepare
      losing_at("COMMIT PREPARED") do |other|
        expect { other.tpc_commit(xid) }.to raise_error(Pgconn::ConnectionLost) { |error| expect(error.outcome).to eq(:unknown) }
      end
    end

    it "in a one-phase COMMIT has the outcome :unknown" do
      losing_at("COMMIT\0") do |connection|
        connection.tpc_begin(xid)
        connection.execute("SELECT 1")
        expect { connection.tpc_commit }.to raise_error(Pgconn::ConnectionLost) { |error| expect(error.outcome).to eq(:unknown) }
      end
    end

    it "while it is prepared waits for its end by another" do
      prepare
      observe("SELECT pg_terminate_backend($1::int)", [connection.backend_pid])
      expect { connection.tpc_commit }.to raise_error(Pgconn::ConnectionLost)
      expect(connection.status).to eq(Pgconn::STATUS_PREPARED)
      expect(connect.tpc_recover).to eq([xid])
    end
  end

  describe "on a connection that threads share" do
    it "refuses a statement that waited behind tpc_prepare, unsent" do
      begin_waiting
      thread = preparing
      waiting = in_thread { insert(2) }
      eventually("the statement waits") { waiting.stop? }
      release
      value_of(thread)
      expect(outcome_of(waiting)).to be_a(Pgconn::ProgrammingError).and have_attributes(outcome: :not_sent, message: /prepared/)
      connection.tpc_commit
      expect(committed).to eq([1])
    end

    it "isn't begun while another thread begins a transaction" do
      holder.execute("SELECT pg_advisory_lock(#{lock})")
      running = in_thread { connection.execute("SELECT pg_advisory_xact_lock(#{lock})") }
      wait_until_running(connection.backend_pid, "pg_advisory_xact_lock")
      beginning = in_thread { connection.tpc_begin(xid) }
      eventually("tpc_begin waits") { beginning.stop? }
      release
      value_of(running)
      expect(outcome_of(beginning)).to be_a(Pgconn::ProgrammingError)
      expect(connection.execute("SELECT 1").fetch_value).to eq(1)
      connection.rollback
    end

    it "is recovered between the statements of others" do
      prepare
      shared = connect(autocommit: true)
      holder.execute("SELECT pg_advisory_lock(#{lock})")
      running = in_thread { shared.execute("SELECT 'own' FROM pg_advisory_xact_lock(#{lock})").fetch_value }
      wait_until_running(shared.backend_pid, "'own'")
      recovering = in_thread { shared.tpc_commit(xid) }
      eventually("tpc_commit waits") { recovering.stop? }
      release
      expect(value_of(running)).to eq("own")
      value_of(recovering)
      expect(committed).to eq([1])
    end
  end
end
