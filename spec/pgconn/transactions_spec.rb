# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Transactions" do
  let(:connection) { connect }

  before do
    observer.execute("CREATE TABLE transactions (id int PRIMARY KEY, parent int REFERENCES transactions " \
                     "DEFERRABLE INITIALLY DEFERRED)")
  end

  after do
    connection.close # its locks would make the DROP wait
    connect(autocommit: true).execute("DROP TABLE transactions")
  end

  def insert(id, parent = nil)
    connection.execute("INSERT INTO transactions VALUES ($1, $2)", [id, parent])
  end

  def committed
    observer.execute("SELECT id FROM transactions ORDER BY id").column(0)
  end

  def status
    %i[idle active intrans inerror unknown].fetch(connection.transaction_status)
  end

  # @return [TcpProxy] whose BEGIN the server can't parse
  def spoiling_begin(&block)
    through_proxy(to_server: ->(bytes, _) { bytes.gsub("BEGIN\0", "BEGIM\0") }, &block)
  end

  describe "by default" do
    it "begin with the first statement, whatever it is" do
      expect(status).to eq(:idle)
      connection.execute("SELECT 1")
      expect(status).to eq(:intrans)
    end

    it "are seen by others once committed" do
      insert(1)
      expect(committed).to eq([])
      expect(connection.commit).to be_nil
      expect([committed, status]).to eq([[1], :idle])
    end

    it "are gone once rolled back" do
      insert(1)
      expect(connection.rollback).to be_nil
      expect([committed, status]).to eq([[], :idle])
    end

    it "begin again with the next statement" do
      insert(1)
      connection.commit
      insert(2)
      expect([committed, status]).to eq([[1], :intrans])
    end

    it "are shared by all cursors of the connection" do
      first = connection.cursor.execute("INSERT INTO transactions VALUES (1)")
      second = connection.cursor.execute("SELECT count(*) FROM transactions")
      expect([first.rowcount, second.fetch_value]).to eq([1, 1])
      connection.rollback
      expect(committed).to eq([])
    end

    it "hold DDL, too" do
      connection.execute("CREATE TABLE gone (id int)")
      connection.rollback
      expect(observe("SELECT to_regclass('gone') IS NULL")).to be(true)
    end

    it "refuse what can't be in one" do
      expect { connection.execute("VACUUM transactions") }.to raise_error(Pgconn::Errors::ActiveSqlTransaction)
    end
  end

  describe "commit and rollback without a transaction" do
    it "send nothing" do
      through_proxy do |proxy|
        connection = connect_tcp(port: proxy.port, prepare_threshold: nil)
        proxy.reset_counts
        connection.commit
        connection.rollback
        connection.execute("SELECT 1") # what was sent before it would be counted with it
        alone = proxy.counts.bytes_to_server
        connection.rollback
        proxy.reset_counts
        connection.execute("SELECT 1")
        expect(alone).to eq(proxy.counts.bytes_to_server)
      end
    end
  end

  describe "a commit that fails" do
    it "raises IntegrityError and leaves the connection idle and usable" do
      insert(1, 99)
      expect { connection.commit }.to raise_error(Pgconn::Errors::ForeignKeyViolation) { |error|
        expect(error).to be_a(Pgconn::IntegrityError)
      }
      expect([committed, status]).to eq([[], :idle])
      insert(2)
      connection.commit
      expect(committed).to eq([2])
    end
  end

  describe "that have failed" do
    before do
      insert(1)
      expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::Errors::DivisionByZero)
    end

    it "refuse statements until rollback" do
      expect(status).to eq(:inerror)
      expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
      connection.rollback
      expect(connection.execute("SELECT 1").fetch_value).to eq(1)
    end

    it "are never reported as committed: commit raises after the server has rolled back" do
      expect { connection.commit }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
      expect([committed, status]).to eq([[], :idle])
      expect(connection.execute("SELECT 1").fetch_value).to eq(1)
    end

    it "can go back to a savepoint" do
      connection.rollback
      insert(1)
      connection.execute("SAVEPOINT here")
      expect { insert(1) }.to raise_error(Pgconn::Errors::UniqueViolation)
      connection.execute("ROLLBACK TO SAVEPOINT here")
      expect(status).to eq(:intrans)
      connection.commit
      expect(committed).to eq([1])
    end
  end

  describe "whose BEGIN fails" do
    it "never let the statement commit by itself" do
      spoiling_begin do |proxy|
        connection = connect_tcp(port: proxy.port)
        expect { connection.execute("INSERT INTO transactions VALUES (1)") }
          .to raise_error(Pgconn::Errors::SyntaxError, /BEGIM/)
        expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
        expect(committed).to eq([])
        connection.autocommit = true
        expect(connection.execute("SELECT 1").fetch_value).to eq(1)
      end
    end
  end

  describe "in autocommit" do
    let(:connection) { connect(autocommit: true) }

    it "are one for each statement" do
      insert(1)
      expect([committed, status]).to eq([[1], :idle])
    end

    it "leave the connection usable after an error" do
      expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::DataError)
      expect([status, connection.execute("SELECT 1").fetch_value]).to eq([:idle, 1])
    end

    it "allow what can't be in one" do
      expect(connection.execute("VACUUM transactions").statusmessage).to eq("VACUUM")
    end

    it "begin and end where the user says so" do
      connection.execute("BEGIN")
      insert(1)
      expect([committed, status]).to eq([[], :intrans])
      connection.execute("COMMIT")
      expect([committed, status]).to eq([[1], :idle])
    end

    it "that the user began are ended by commit and rollback, too" do
      connection.execute("START TRANSACTION")
      insert(1)
      connection.commit
      connection.execute("/* a comment */ begin")
      insert(2)
      connection.rollback
      expect([committed, status]).to eq([[1], :idle])
    end
  end

  describe "autocommit=" do
    it "is off at first, and can be switched outside of a transaction" do
      expect(connection.autocommit).to be(false)
      connection.autocommit = true
      insert(1)
      connection.autocommit = false
      insert(2)
      expect([committed, status, connection.autocommit]).to eq([[1], :intrans, false])
    end

    it "raises ProgrammingError inside of one, and rolls nothing back" do
      insert(1)
      expect { connection.autocommit = true }.to raise_error(Pgconn::ProgrammingError, /transaction/)
      expect(connection.autocommit).to be(false)
      connection.commit
      expect(committed).to eq([1])
    end
  end

  it "that the user ends with SQL end, and the next statement begins one" do
    insert(1)
    connection.execute("COMMIT")
    expect([committed, status]).to eq([[1], :idle])
    insert(2)
    connection.execute("ROLLBACK")
    expect([committed, status]).to eq([[1], :idle])
    insert(3)
    expect([committed, status]).to eq([[1], :intrans])
  end
end
