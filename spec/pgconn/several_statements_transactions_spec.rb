# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Several statements in one string, and transactions:" do
  let(:connection) { connect }

  def status
    %i[idle active intrans inerror unknown].fetch(connection.transaction_status)
  end

  before { observer.execute("CREATE TABLE several (id int)") }

  after do
    connection.close # its locks would make the DROP wait
    connect(autocommit: true).execute("DROP TABLE several")
  end

  def committed
    observer.execute("SELECT id FROM several ORDER BY id").column(0)
  end

  describe "in autocommit" do
    let(:connection) { connect(autocommit: true) }

    it "they are one implicit transaction: all are committed" do
      connection.execute("INSERT INTO several VALUES (1); INSERT INTO several VALUES (2)")
      expect([committed, status]).to eq([[1, 2], :idle])
    end

    it "they are one implicit transaction: the first error is raised, and nothing stays" do
      expect { connection.execute("INSERT INTO several VALUES (1); SELECT 1/0; INSERT INTO several VALUES (2)") }
        .to raise_error(Pgconn::Errors::DivisionByZero)
      expect([committed, status]).to eq([[], :idle])
    end

    it "a COMMIT among them keeps what was before it" do
      expect { connection.execute("BEGIN; INSERT INTO several VALUES (1); COMMIT; INSERT INTO several VALUES (2); SELECT 1/0") }
        .to raise_error(Pgconn::Errors::DivisionByZero)
      expect([committed, status]).to eq([[1], :idle])
    end

    it "a BEGIN among them leaves the transaction open, which commit ends" do
      connection.execute("SELECT 1; BEGIN; INSERT INTO several VALUES (1)")
      expect([committed, status]).to eq([[], :intrans])
      connection.commit
      expect([committed, status]).to eq([[1], :idle])
    end

    it "those that can't be in a transaction are refused by the server" do
      expect { connection.execute("SELECT 1; VACUUM several") }.to raise_error(Pgconn::Errors::ActiveSqlTransaction)
    end
  end

  describe "else" do
    it "the transaction begins with them, and commit or rollback ends it" do
      connection.execute("INSERT INTO several VALUES (1); INSERT INTO several VALUES (2)")
      expect([committed, status]).to eq([[], :intrans])
      connection.rollback
      connection.execute("INSERT INTO several VALUES (3); INSERT INTO several VALUES (4)")
      connection.commit
      expect([committed, status]).to eq([[3, 4], :idle])
    end

    it "BEGIN has no result of its own" do
      expect(connection.execute("SELECT 1; SELECT 2").fetch_value).to eq(1)
    end

    it "they take part in the transaction that is open" do
      connection.execute("INSERT INTO several VALUES (1)")
      connection.execute("INSERT INTO several VALUES (2); INSERT INTO several VALUES (3)")
      expect(connection.notices).to eq([]) # "there is already a transaction in progress"
      connection.rollback
      expect(committed).to eq([])
    end

    it "an error leaves it to be rolled back" do
      expect { connection.execute("INSERT INTO several VALUES (1); SELECT 1/0") }.to raise_error(Pgconn::Errors::DivisionByZero)
      expect(status).to eq(:inerror)
      expect { connection.execute("SELECT 1; SELECT 2") }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
      connection.rollback
      expect(connection.execute("SELECT 1; SELECT 2").fetch_value).to eq(1)
    end

    it "a BEGIN that fails doesn't leave them to commit by themselves" do
      through_proxy(to_server: ->(bytes, _) { bytes.gsub("BEGIN;", "BEGIM;") }) do |proxy|
        spoiled = connect_tcp(port: proxy.port)
        expect { spoiled.execute("INSERT INTO several VALUES (1); SELECT 2") }.to raise_error(Pgconn::Errors::SyntaxError)
        expect(committed).to eq([])
      end
    end

    it "the user has it in hand where the first statement is BEGIN, START, COMMIT or the like" do
      { "BEGIN; SELECT 1" => :intrans, "START TRANSACTION READ ONLY; SELECT 1" => :intrans, "COMMIT; SELECT 1" => :idle,
        "ROLLBACK; SELECT 1" => :idle, "ABORT; BEGIN; SELECT 1; END" => :idle }.each do |sql, after|
        connection.execute(sql)
        expect([sql, status]).to eq([sql, after])
        expect(connection.notices.grep(/already a transaction/)).to eq([])
        connection.rollback
      end
    end

    it "a COMMIT or ROLLBACK among them ends the transaction, and the next statement begins another" do
      connection.execute("INSERT INTO several VALUES (1); COMMIT")
      expect([committed, status]).to eq([[1], :idle])
      connection.execute("INSERT INTO several VALUES (2)")
      expect([committed, status]).to eq([[1], :intrans])
      connection.execute("ROLLBACK; BEGIN; INSERT INTO several VALUES (3); COMMIT; INSERT INTO several VALUES (4)")
      expect([committed, status]).to eq([[1, 3, 4], :idle])
    end
  end

  it "a COMMIT or ROLLBACK among them ends the transaction of tpc_begin, too, also with the first statement" do
    ["COMMIT", "ROLLBACK", "COMMIT; SELECT 1/0"].each do |ending|
      connection.tpc_begin(connection.xid(1, "several", ending[0, 4]))
      begin
        connection.execute("INSERT INTO several VALUES (1); #{ending}")
      rescue Pgconn::Errors::DivisionByZero
        nil
      end
      expect { connection.tpc_prepare }.to raise_error(Pgconn::ProgrammingError, /tpc_begin/)
    end
    expect(committed).to eq([1, 1])
  end

  describe "the position of an error counts characters of the user's own text" do
    def position_of(sql, params = nil)
      connection.execute(sql, params)
    rescue Pgconn::ProgrammingError => e
      e.diag.position
    ensure
      connection.rollback
    end

    it "with a BEGIN ahead of it and without, whatever the statement" do
      sqls = ["SELECT 'ä'; SELECT nonsense", "SELECT nonsense; SELECT 1", "SELECT 1;\n\nSELEC 2"]
      expected = sqls.map { |sql| sql.index(/nonsense|SELEC /) + 1 }
      expect(sqls.map { |sql| position_of(sql) }).to eq(expected)
      expect(sqls.map { |sql| position_of(sql, {}) }).to eq(expected)
      connection.autocommit = true
      expect(sqls.map { |sql| position_of(sql) }).to eq(expected)
    end
  end
end
