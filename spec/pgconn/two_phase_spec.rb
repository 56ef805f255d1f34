# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Two-phase commit" do
  include TwoPhaseHelpers

  describe "by the connection that begins" do
    it "is prepared, which outlives nothing but a commit or a rollback" do
      prepare
      expect([prepared, committed]).to eq([[xid.to_s], []])
      expect(connection.tpc_commit).to be_nil
      expect([prepared, committed, connection.status]).to eq([[], [1], Pgconn::STATUS_READY])
    end

    it "can be rolled back once prepared" do
      prepare
      expect(connection.tpc_rollback).to be_nil
      expect([prepared, committed, connection.status]).to eq([[], [], Pgconn::STATUS_READY])
    end

    it "can be committed in one phase, without being prepared" do
      connection.tpc_begin(xid)
      insert(1)
      connection.tpc_commit
      expect([prepared, committed, connection.status]).to eq([[], [1], Pgconn::STATUS_READY])
    end

    it "can be rolled back without being prepared" do
      connection.tpc_begin(xid)
      insert(1)
      connection.tpc_rollback
      expect([prepared, committed, connection.status]).to eq([[], [], Pgconn::STATUS_READY])
    end

    it "leaves the connection ready for the next transaction, two-phase or not" do
      prepare
      connection.tpc_commit
      insert(2)
      connection.commit
      connection.tpc_begin("next")
      insert(3)
      connection.tpc_commit
      expect(committed).to eq([1, 2, 3])
    end

    it "takes a Xid or any String" do
      ["order 4711", "it's \\ 'é'", xid.to_s, xid].each do |name|
        prepare(as: name)
        expect(prepared).to eq([name.to_s])
        connection.tpc_rollback
      end
      expect { connection.tpc_begin(4711) }.to raise_error(TypeError, /xid must be a String or an Xid/)
      expect { connection.tpc_begin("a\0b") }.to raise_error(ArgumentError, /NUL/)
      expect(connection.status).to ready
    end

    it "names the transaction the same in whatever client encoding" do
      connection.client_encoding = "LATIN1"
      prepare(as: "caf\u00E9")
      expect(prepared).to eq(["caf\u00E9"])
      connection.tpc_commit
      expect(committed).to eq([1])
    end

    it "quotes the name as SJIS wants it, which allows no backslash before a quote" do
      connection.client_encoding = "SJIS"
      prepare(as: "it's \\ 'this'")
      expect(prepared).to eq(["it's \\ 'this'"])
      connection.tpc_rollback
    end
  end

  describe "without a statement" do
    before { connection.tpc_begin(xid) }

    it "sends nothing to begin, nor to commit or roll back" do
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
      connection.tpc_commit
      connection.tpc_begin(xid)
      connection.tpc_rollback
      expect(connection.status).to ready
    end

    it "is prepared all the same" do
      connection.tpc_prepare
      expect([prepared, connection.status]).to eq([[xid.to_s], Pgconn::STATUS_PREPARED])
      connection.tpc_commit
      expect(prepared).to eq([])
    end
  end

  describe "tpc_begin" do
    it "raises ProgrammingError in autocommit" do
      connection.autocommit = true
      expect { connection.tpc_begin(xid) }.to raise_error(Pgconn::ProgrammingError, /autocommit/)
      expect(connection.status).to ready
    end

    it "raises ProgrammingError inside a transaction, also a failed and a two-phase one" do
      insert(1)
      expect { connection.tpc_begin(xid) }.to raise_error(Pgconn::ProgrammingError, /inside a transaction/)
      fail_transaction
      expect { connection.tpc_begin(xid) }.to raise_error(Pgconn::ProgrammingError, /inside a transaction/)
      connection.rollback
      connection.tpc_begin(xid)
      expect { connection.tpc_begin(xid) }.to raise_error(Pgconn::ProgrammingError, /inside a transaction/)
      prepare_and { expect { connection.tpc_begin(xid) }.to raise_error(Pgconn::ProgrammingError) }
    end

    def prepare_and
      connection.tpc_prepare
      yield
      connection.tpc_rollback
    end
  end

  describe "before it is prepared" do
    before { connection.tpc_begin(xid) }

    it "refuses commit and rollback, and says what to use" do
      [-> {}, -> { insert(1) }].each do |act|
        act.call
        expect { connection.commit }.to raise_error(Pgconn::ProgrammingError, /tpc_commit/) { |e| expect(e.outcome).to eq(:not_sent) }
        expect { connection.rollback }.to raise_error(Pgconn::ProgrammingError, /tpc_rollback/)
      end
      connection.tpc_commit
      expect(committed).to eq([1])
    end

    it "refuses autocommit= and client_encoding=, also where nothing was executed" do
      expect { connection.autocommit = true }.to raise_error(Pgconn::ProgrammingError)
      expect { connection.client_encoding = "LATIN1" }.to raise_error(Pgconn::ProgrammingError)
      expect([connection.autocommit, connection.client_encoding]).to eq([false, "UTF8"])
    end

    it "ends where the user ends it with SQL: nothing is prepared then that was lost" do
      insert(1)
      connection.execute("ROLLBACK")
      expect(connection.status).to ready
      expect { connection.tpc_prepare }.to raise_error(Pgconn::ProgrammingError, /tpc_begin/)
      expect([prepared, committed]).to eq([[], []])
    end

    it "goes on after a ROLLBACK TO SAVEPOINT" do
      connection.execute("SAVEPOINT here")
      insert(1)
      connection.execute("ROLLBACK TO here")
      insert(2)
      connection.tpc_prepare
      connection.tpc_commit
      expect(committed).to eq([2])
    end

    it "goes on after a first statement that had to be sent again, unseen" do
      connection.tpc_rollback
      observer.execute("CREATE TABLE two_phase_changing (a int)")
      3.times { connection.execute("SELECT * FROM two_phase_changing") }
      connection.rollback
      observer.execute("ALTER TABLE two_phase_changing ADD COLUMN b int")
      connection.tpc_begin(xid)
      expect(connection.execute("SELECT * FROM two_phase_changing").description.size).to eq(2)
      insert(1)
      connection.tpc_prepare
      connection.tpc_commit
      expect(committed).to eq([1])
    ensure
      close_connections
      observer.execute("DROP TABLE two_phase_changing")
    end
  end

  describe "of a transaction that has failed" do
    before do
      connection.tpc_begin(xid)
      insert(1)
      fail_transaction
      expect(connection.status).to begun
    end

    it "raises InFailedSqlTransaction from tpc_prepare after the server has rolled back: it is never reported as prepared" do
      expect { connection.tpc_prepare }.to raise_error(Pgconn::Errors::InFailedSqlTransaction, /nothing is prepared/)
      expect([prepared, committed, connection.status]).to eq([[], [], Pgconn::STATUS_READY])
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
    end

    it "raises InFailedSqlTransaction from tpc_commit after the server has rolled back" do
      expect { connection.tpc_commit }.to raise_error(Pgconn::Errors::InFailedSqlTransaction, /nothing is committed/)
      expect([committed, connection.status]).to eq([[], Pgconn::STATUS_READY])
    end

    it "rolls back" do
      connection.tpc_rollback
      insert(2)
      connection.commit
      expect(committed).to eq([2])
    end
  end

  describe "tpc_prepare" do
    it "raises ProgrammingError where tpc_begin began nothing" do
      expect { connection.tpc_prepare }.to raise_error(Pgconn::ProgrammingError, /tpc_begin/)
      insert(1)
      expect { connection.tpc_prepare }.to raise_error(Pgconn::ProgrammingError, /tpc_begin/)
      connection.commit
      expect(committed).to eq([1])
    end

    it "raises what the server says, which has rolled back, and leaves the connection usable" do
      prepare(on: connect, as: "taken")
      {
        "taken" => Pgconn::Errors::DuplicateObject,
        "x" * 200 => Pgconn::Errors::InvalidParameterValue
      }.each do |name, error|
        connection.tpc_begin(name)
        insert(2)
        expect { connection.tpc_prepare }.to raise_error(error)
        expect([prepared, connection.status]).to eq([["taken"], Pgconn::STATUS_READY])
      end
    end

    it "raises IntegrityError where a deferred constraint doesn't hold" do
      connection.tpc_begin(xid)
      2.times { insert(1) }
      expect { connection.tpc_prepare }.to raise_error(Pgconn::Errors::UniqueViolation)
      expect([prepared, connection.status]).to eq([[], Pgconn::STATUS_READY])
    end
  end

  describe "in PREPARED" do
    before { prepare }

    it "refuses execute, cancel, commit, rollback and what else talks, and nothing is lost" do
      calls = [-> { connection.execute("SELECT 1") }, -> { connection.cursor.execute("COMMIT") }, -> { connection.cancel },
               -> { connection.commit }, -> { connection.rollback }, -> { connection.tpc_prepare }, -> { connection.tpc_begin("x") },
               -> { connection.autocommit = true }, -> { connection.client_encoding = "LATIN1" },
               -> { connection.tpc_commit(xid) }, -> { connection.tpc_rollback(xid) }]
      calls.each { |call| expect(&call).to raise_error(Pgconn::ProgrammingError) }
      expect { connection.execute("SELECT 1") }.to raise_error(/a transaction is prepared: end it with tpc_commit or tpc_rollback first/)
      expect([prepared, connection.status]).to eq([[xid.to_s], Pgconn::STATUS_PREPARED])
      connection.tpc_commit
      expect(committed).to eq([1])
    end

    it "refuses blocks" do
      expect { connection.transaction { raise "ran" } }.to raise_error(Pgconn::ProgrammingError, /a transaction is prepared/)
    end

    it "can still be asked whether it is alive, and for what is prepared" do
      expect(connection.alive?).to be(true)
      expect(connection.tpc_recover).to eq([xid])
      expect(connection.status).to eq(Pgconn::STATUS_PREPARED)
    end

    it "closes, and leaves the transaction to others" do
      connection.close
      expect(connection.status).to eq(Pgconn::STATUS_PREPARED)
      connect.tpc_commit(xid)
      expect(committed).to eq([1])
    end

    it "ends with an error where somebody else has ended the transaction" do
      observer.tpc_rollback(xid)
      expect { connection.tpc_commit }.to raise_error(Pgconn::Errors::UndefinedObject)
      expect(connection.status).to ready
      expect(connection.execute("SELECT 1").fetch_value).to eq(1)
    end
  end

  describe "tpc_commit and tpc_rollback without a xid" do
    it "raise ProgrammingError where tpc_begin began nothing" do
      expect { connection.tpc_commit }.to raise_error(Pgconn::ProgrammingError, /tpc_commit without a xid needs.*tpc_recover/)
      insert(1)
      expect { connection.tpc_rollback }.to raise_error(Pgconn::ProgrammingError, /tpc_rollback without a xid needs.*tpc_recover/)
      connection.commit
      expect(committed).to eq([1])
    end
  end

  describe "by another connection" do
    let(:other) { connect }

    before { prepare }

    it "is recovered: committed with the xid, by a Xid or a String" do
      expect(other.tpc_commit(xid)).to be_nil
      expect([prepared, committed, other.status]).to eq([[], [1], Pgconn::STATUS_READY])
    end

    it "is recovered: rolled back with the xid, by a Xid or a String" do
      expect(other.tpc_rollback(xid.to_s)).to be_nil
      expect([prepared, committed, other.status]).to eq([[], [], Pgconn::STATUS_READY])
    end

    it "is recovered in autocommit, too" do
      other.autocommit = true
      other.tpc_recover.each { |xid| other.tpc_commit(xid) }
      expect(committed).to eq([1])
    end

    it "is recovered only outside of a transaction: inside ProgrammingError, and the transaction goes on" do
      insert(2, on: other)
      expect { other.tpc_commit(xid) }.to raise_error(Pgconn::ProgrammingError, /inside a transaction/)
      expect { other.tpc_rollback(xid) }.to raise_error(Pgconn::ProgrammingError, /inside a transaction/)
      other.commit
      other.tpc_begin("mine")
      expect { other.tpc_commit(xid) }.to raise_error(Pgconn::ProgrammingError, /inside a transaction/)
      expect([prepared, committed]).to eq([[xid.to_s], [2]])
    end

    it "raises UndefinedObject, a ProgrammingError, where no such transaction is prepared" do
      expect { other.tpc_commit("nobody's") }.to raise_error(Pgconn::Errors::UndefinedObject, /nobody's/)
      expect(other.status).to ready
    end
  end

  describe "tpc_recover" do
    it "lists the identifiers with prepared, owner and database" do
      other = connect(nil, host: server.socket_directory, port: server.port, user: "pgconn_plain", dbname: "postgres")
      other.tpc_begin("it's")
      other.execute("SELECT 1")
      other.tpc_prepare
      prepare
      first, second = connection.tpc_recover
      expect(first).to have_attributes(format_id: nil, gtrid: "it's", owner: "pgconn_plain", database: "postgres")
      expect(second).to eq(xid).and have_attributes(owner: "postgres", database: "postgres")
      expect(first.prepared).to be_a(Time).and be <= second.prepared
      expect(second.prepared).to be_within(3600).of(Time.now)
    end

    it "is empty where nothing is prepared" do
      expect(connection.tpc_recover).to eq([])
    end

    it "leaves the status as it was: no transaction is begun, and none ended" do
      expect { connection.tpc_recover }.not_to change(connection, :status).from(Pgconn::STATUS_READY)
      insert(1)
      expect { connection.tpc_recover }.not_to change(connection, :status).from(Pgconn::STATUS_BEGIN)
      connection.rollback
      connection.tpc_begin(xid)
      connection.tpc_recover
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
      connection.tpc_rollback
      connection.autocommit = true
      expect { connection.tpc_recover }.not_to change(connection, :status).from(Pgconn::STATUS_READY)
    end

    it "raises in a failed transaction, as every statement does" do
      fail_transaction
      expect { connection.tpc_recover }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
    end
  end

  it "says what is wrong where the server doesn't allow it" do
    PostgresServer.start(settings: { "max_prepared_transactions" => 0 }) do |strict|
      Pgconn.connect(strict.conninfo) do |connection|
        connection.tpc_begin("x")
        connection.execute("SELECT 1")
        expect { connection.tpc_prepare }.to raise_error(Pgconn::Errors::ObjectNotInPrerequisiteState, /max_prepared_transactions/)
        expect(connection.status).to ready
      end
    end
  end

  it "raises InterfaceError once the connection is closed" do
    connection.close
    calls = [-> { connection.tpc_begin("x") }, -> { connection.tpc_prepare }, -> { connection.tpc_commit }, -> { connection.tpc_rollback },
             -> { connection.tpc_commit("x") }, -> { connection.tpc_rollback("x") }, -> { connection.tpc_recover }]
    calls.each { |call| expect(&call).to raise_error(Pgconn::InterfaceError, "connection already closed") }
  end

  it "gives a Xid" do
    expect(connection.xid(1, "a", "b")).to eq(Pgconn::Xid.new(1, "a", "b"))
    expect { connection.xid(1, "a" * 65, "b") }.to raise_error(ArgumentError, /gtrid/)
  end
end
