# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::LargeObject do
  include LargeObjectHelpers

  let(:connection) { connect }
  let(:oid) { committed("0123456789") }
  let(:object) { connection.lobject(oid, "rw") }

  gone = [Pgconn::ProgrammingError, "lobject isn't valid anymore"]

  calls = { read: [], readpartial: [1], write: ["x"], seek: [1], tell: [], rewind: [], truncate: [1], size: [], eof?: [],
            import: [File::NULL], export: [File::NULL], unlink: [] }

  # Those calls that don't say that the object is gone.
  define_method(:usable) do |object|
    calls.select do |name, arguments|
      object.public_send(name, *arguments)
      true
    rescue Pgconn::ProgrammingError => e
      e.message != gone.last
    end
  end

  def transaction_status = connection.transaction_status

  describe "that needs a transaction" do
    it "begins one when it is opened" do
      object
      expect(transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INTRANS)
    end

    it "is a ProgrammingError in autocommit, and nothing is created" do
      connection.autocommit = true
      expect { connection.lobject }.to raise_error(Pgconn::ProgrammingError, /transaction \{ \}/)
      expect { connection.lobject(oid) }.to raise_error(Pgconn::ProgrammingError)
      expect { with_file("x") { |path| connection.lobject(0, new_file: path) } }.to raise_error(Pgconn::ProgrammingError)
      expect(observe("SELECT count(*) FROM pg_largeobject_metadata WHERE oid = $1", [oid])).to eq(1)
    end

    it "is fine in autocommit inside a block, and after the user's own BEGIN" do
      connection.autocommit = true
      expect(connection.transaction { connection.lobject(oid).read }).to eq("0123456789")
      connection.execute("BEGIN")
      expect(connection.lobject(oid).read).to eq("0123456789")
      connection.execute("COMMIT")
    end

    it "when it is closed still needs one to be exported or unlinked" do
      object.close
      connection.commit
      connection.autocommit = true
      expect { object.export(File::NULL) }.to raise_error(Pgconn::ProgrammingError, /transaction/)
      expect { object.unlink }.to raise_error(Pgconn::ProgrammingError, /transaction/)
      expect { connection.transaction { object.unlink } }.to change { exists?(oid) }.from(true).to(false)
    end

    it "is a ProgrammingError while a two-phase transaction is prepared" do
      connection.tpc_begin("pgconn large object")
      object.write("x")
      connection.tpc_prepare
      expect { connection.lobject }.to raise_error(Pgconn::ProgrammingError, /prepared/)
      expect { object.read }.to raise_error(Pgconn::ProgrammingError)
      expect(object.close).to be_nil
      connection.tpc_commit
      expect(content_of(oid)).to eq("x123456789")
    end
  end

  describe "whose transaction has ended" do
    { "by commit" => lambda(&:commit), "by rollback" => lambda(&:rollback),
      "by SQL" => ->(conn) { conn.execute("COMMIT") },
      "by SQL with the next one begun" => ->(conn) { conn.execute("COMMIT AND CHAIN") },
      "by one of several statements" => ->(conn) { conn.execute("ROLLBACK; BEGIN") },
      "by reset" => lambda(&:reset) }.each do |how, ending|
      it "#{how} isn't valid any more, but can be closed" do
        object
        ending.call(connection)
        expect(usable(object)).to eq({})
        expect([object.close, object.closed?]).to eq([nil, true])
      end

      it "#{how} isn't valid in the next one either, where another has its descriptor" do
        object
        ending.call(connection)
        other = connection.lobject(committed("other"), "rw")
        expect(usable(object)).to eq({})
        expect([object.close, other.read]).to eq([nil, "other"])
      end

      it "#{how} gives nothing of what was read ahead" do
        reader = connection.lobject(committed(sample(200_000)))
        4.times { reader.read(1000) }
        ending.call(connection)
        expect { reader.eof? }.to raise_error(*gone)
        expect { reader.read(1) }.to raise_error(*gone)
      end
    end

    it "isn't valid any more for what moves no bytes either" do
      object
      connection.commit
      [-> { object.read(0) }, -> { object.readpartial(0) }, -> { object.write("") }, -> { object.write }].each do |call|
        expect(&call).to raise_error(*gone)
      end
    end

    it "by another caller of the connection isn't valid any more" do
      reader = connection.lobject(committed(sample(200_000)))
      4.times { reader.read(1000) }
      value_of(in_thread { connection.commit })
      value_of(in_thread { connection.execute("SELECT 1") })
      expect { reader.read(1) }.to raise_error(*gone)
      expect { object.read && reader.tell }.to raise_error(*gone)
    end

    it "with its block isn't valid any more" do
      opened = connection.transaction { connection.lobject(oid) }
      expect { opened.read }.to raise_error(*gone)
    end

    it "in autocommit isn't valid any more, and begins none" do
      connection.autocommit = true
      opened = connection.transaction { connection.lobject(oid, "rw") }
      expect(usable(opened)).to eq({})
      expect(transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
    end
  end

  describe "opened in a savepoint" do
    it "isn't valid any more when that block is rolled back, even if its descriptor has a new owner" do
      connection.transaction do
        inner = nil
        connection.transaction do
          inner = connection.lobject(oid, "rw")
          raise Pgconn::Rollback
        end
        other = connection.lobject(committed("other"))
        expect(usable(inner)).to eq({})
        expect(inner.close).to be_nil
        expect(other.read).to eq("other")
      end
    end

    it "is valid on when the block was left well" do
      connection.transaction do
        inner = connection.transaction { connection.lobject(oid).tap { |object| object.read(3) } }
        expect(inner.read).to eq("3456789")
      end
    end

    it "of the user's own isn't valid any more after ROLLBACK TO" do
      connection.execute("SAVEPOINT one")
      object
      connection.execute("ROLLBACK TO one")
      expect { object.read }.to raise_error(*gone)
      expect(transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INTRANS)
    end
  end

  describe "opened before a savepoint" do
    it "is valid on when that is rolled back, and what was written in it is undone", :gc_stress do
      connection.transaction do
        object.read(2)
        connection.transaction do
          object.write("xx")
          raise Pgconn::Rollback
        end
        expect(object.tell).to eq(4)
        object.rewind
        expect(object.read).to eq("0123456789")
      end
    end

    it "is valid on after the user's own ROLLBACK TO, also in a failed transaction" do
      object.read(2)
      connection.execute("SAVEPOINT one")
      expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::DataError)
      expect { object.read }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
      connection.execute("ROLLBACK TO one")
      expect(object.read).to eq("23456789")
    end
  end

  describe "in a failed transaction" do
    before do
      object
      expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::DataError)
    end

    it "raises InFailedSqlTransaction, also when it is asked for its position" do
      expect { object.read }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
      expect { object.tell }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
      expect { object.export(File::NULL) }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
    end

    it "is closed quietly" do
      expect(object.close).to be_nil
      connection.rollback
      expect(connection.execute("SELECT 1").fetch_value).to eq(1)
    end
  end

  describe "on a connection that has ended" do
    it "raises InterfaceError after close, and ConnectionLost after a loss, and is closed quietly" do
      object
      connection.close
      expect { object.read }.to raise_error(Pgconn::InterfaceError)
      expect(object.close).to be_nil
      lost = connect
      other = lost.lobject(oid)
      observe("SELECT pg_terminate_backend($1::int, 10000)", [lost.backend_pid])
      expect { other.read }.to raise_error(Pgconn::ConnectionLost)
      expect { other.read }.to raise_error(Pgconn::ConnectionLost)
      expect(other.close).to be_nil
    end
  end
end
