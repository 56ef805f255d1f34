# frozen_string_literal: true

require "spec_helper"

# Where the session can't tell from what was answered whether a cursor is still there.
RSpec.describe "A named cursor that SQL may have ended" do
  include NamedCursorHelpers

  let(:connection) { connect }

  { "ROLLBACK TO mine" => %w[before], "SELECT 1; ROLLBACK TO mine" => %w[before], "CLOSE rows" => %w[before],
    "SELECT 1; CLOSE rows" => %w[before], "CLOSE before" => %w[rows], "CLOSE ALL" => [],
    "SELECT 1; CLOSE ALL" => [] }.each do |sql, left|
    describe "by #{sql}" do
      let!(:before) { declared("before") }
      let!(:rows) do
        connection.execute("SAVEPOINT mine")
        declared("rows")
      end

      before { connection.execute(sql) }

      it "raises ProgrammingError if it did, else reads on, and the transaction doesn't fail" do
        [before, rows].each do |named|
          if left.include?(named.name) then expect(named.fetch).to eq([1])
          else expect { named.fetch }.to gone
          end
        end
        expect(status).to eq(Pgconn::TRANSACTION_STATUS_INTRANS)
      end

      it "can be closed, and the transaction doesn't fail" do
        expect(open_cursors).to eq(left)
        expect([before, rows].map(&:close)).to eq([nil, nil])
        expect(open_cursors).to eq([])
        expect(status).to eq(Pgconn::TRANSACTION_STATUS_INTRANS)
      end
    end
  end

  it "isn't taken for another one that got its name afterwards, and its close leaves that alone", :gc_stress do
    connection.execute("SAVEPOINT mine")
    first = declared
    connection.execute("ROLLBACK TO mine")
    second = declared
    expect { first.fetch }.to gone
    first.close
    expect(second.fetch).to eq([1])
  end

  it "is asked for by its name, whatever characters that has" do
    connection.execute("SET standard_conforming_strings TO off")
    ["it's", 'back\\slash', '"', "ä € :a $1", "'" * 63].each do |name|
      named = declared(name)
      connection.execute("SAVEPOINT mine; ROLLBACK TO mine")
      expect(named.fetch).to eq([1])
      named.close
    end
    expect(open_cursors).to eq([])
  end

  it "raises InFailedSqlTransaction in a failed transaction, and is closed quietly" do
    named = declared
    connection.execute("SAVEPOINT mine")
    connection.execute("ROLLBACK TO mine")
    expect { connection.execute("SELECT nonsense") }.to raise_error(Pgconn::ProgrammingError)
    expect { named.fetch }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
    expect(named.close).to be_nil
  end

  it "and that two objects read can be closed by both" do
    declared
    others = Array.new(2) { connection.cursor("rows") }
    expect(others.map(&:fetch_value)).to eq([1, 2])
    others.each(&:close)
    expect(status).to eq(Pgconn::TRANSACTION_STATUS_INTRANS)
  end

  describe "with hold" do
    it "ends by reset, DISCARD ALL, CLOSE ALL and CLOSE, and neither its fetch nor its close harms a transaction" do
      endings = [lambda(&:reset), *["DISCARD ALL", "CLOSE ALL", "CLOSE held"].map { |sql| ->(conn) { conn.execute(sql) } }]
      autocommit = connect(autocommit: true)
      endings.each do |ending|
        held = autocommit.cursor("held", withhold: true).execute("SELECT 1")
        ending.call(autocommit)
        autocommit.transaction do
          autocommit.execute("SELECT 1")
          expect { held.fetch }.to gone
          expect(held.close).to be_nil
          expect(autocommit.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INTRANS)
        end
      end
    end

    it "is closed on the server, too, when its close came in a failed transaction, once that has ended" do
      held = declared("held", withhold: true)
      connection.commit
      expect { connection.execute("SELECT nonsense") }.to raise_error(Pgconn::ProgrammingError)
      expect(held.close).to be_nil
      connection.rollback
      expect(open_cursors).to eq([])
      expect(declared("held").fetch).to eq([1])
    end
  end
end
