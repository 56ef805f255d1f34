# frozen_string_literal: true

require "spec_helper"

RSpec.describe "How long a named cursor is valid" do
  include NamedCursorHelpers

  let(:connection) { connect }

  describe "without hold" do
    { "commit" => lambda(&:commit), "rollback" => lambda(&:rollback),
      "reset" => lambda(&:reset), "COMMIT as SQL" => ->(conn) { conn.execute("COMMIT") },
      "ROLLBACK as SQL" => ->(conn) { conn.execute("ROLLBACK") },
      "COMMIT AND CHAIN" => ->(conn) { conn.execute("COMMIT AND CHAIN") },
      "COMMIT and BEGIN in one string" => ->(conn) { conn.execute("COMMIT; BEGIN") } }.each do |way, ending|
      it "raises ProgrammingError after #{way} from each way of fetching, and sends nothing" do
        named = declared
        named.fetch
        ending.call(connection)
        before = status
        %i[fetch fetch_all fetch_many fetch_value to_a].each { |method| expect { named.public_send(method) }.to gone }
        expect { named.column(0) }.to gone
        expect { named.scroll(1) }.to gone
        expect(status).to eq(before)
      end
    end

    it "gives the rows that had arrived before that" do
      named = declared
      named.each { |row| break if row[0] == 1 }
      connection.commit
      expect(named.fetch_many(3)).to eq([[2], [3], [4]])
    end

    it "isn't taken for that of another transaction with a cursor of the same name" do
      first = declared
      connection.commit
      second = declared
      expect { first.fetch }.to gone
      expect(first.close).to be_nil
      expect(second.fetch_value).to eq(1)
    end

    it "ends also where another caller of the connection ends the transaction" do
      named = declared
      value_of(in_thread { connection.commit })
      expect { named.fetch }.to gone
    end

    it "ends with its block, be it nested in none" do
      named = connection.transaction { declared }
      expect { named.fetch }.to gone
      expect(status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
    end

    it "ends when the nested block in which it was declared is rolled back, and the rest goes on" do
      connection.transaction do
        outer = declared("outer")
        inner = nil
        connection.transaction do
          inner = declared("inner")
          outer.fetch
          raise Pgconn::Rollback
        end
        expect { inner.fetch }.to gone
        expect(outer.fetch_value).to eq(2)
        again = declared("inner")
        expect { inner.fetch }.to gone
        inner.close
        expect(again.fetch_value).to eq(1)
      end
    end

    it "goes on when the nested block in which it was declared is kept, and ends with the one around it" do
      connection.transaction do
        inner = nil
        connection.transaction do
          connection.transaction { inner = declared }
          expect(inner.fetch_value).to eq(1)
          raise Pgconn::Rollback
        end
        expect { inner.fetch }.to gone
        connection.transaction { inner = declared }
        expect(inner.fetch_value).to eq(1)
        expect(open_cursors).to eq(["rows"])
      end
    end

    it "raises InFailedSqlTransaction in a failed transaction until rollback" do
      named = declared
      expect { connection.execute("SELECT nonsense") }.to raise_error(Pgconn::ProgrammingError)
      expect { named.fetch }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
      connection.rollback
      expect { named.fetch }.to gone
    end

    it "ends when its own transaction is prepared" do
      connection.tpc_begin("named cursor")
      named = declared
      connection.tpc_prepare
      connection.tpc_rollback
      expect { named.fetch }.to gone
    end
  end

  describe "with hold" do
    it "outlives the commit, and its fetches and its close begin no transaction", :gc_stress do
      named = declared(withhold: true, scrollable: true)
      expect(named.fetch_value).to eq(1)
      connection.commit
      expect(named.fetch_many(2)).to eq([[2], [3]])
      expect(named.scroll(-3).fetch_value).to eq(1)
      expect(status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
      named.close
      expect(status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
      expect(open_cursors).to eq([])
    end

    it "outlives later transactions, however they end" do
      named = connection.transaction { declared(withhold: true) }
      connection.transaction { raise Pgconn::Rollback }
      connection.execute("SELECT 1")
      connection.rollback
      expect(named.fetch_value).to eq(1)
    end

    it "ends when the transaction that declared it is rolled back, and its close does no harm to another" do
      named = declared(withhold: true)
      connection.rollback
      connection.execute("SELECT 1")
      expect { named.fetch }.to gone
      named.close
      expect(status).to eq(Pgconn::TRANSACTION_STATUS_INTRANS)
    end

    it "is fetched from, scrolled and closed while a two-phase transaction is prepared" do
      named = declared(withhold: true, scrollable: true)
      connection.commit
      connection.tpc_begin("named cursor")
      connection.tpc_prepare
      expect([named.fetch_value, named.scroll(2).fetch_value, named.close]).to eq([1, 4, nil])
      connection.tpc_rollback
    end

    it "ends when its commit fails" do
      connection.execute(<<~SQL)
        CREATE TEMP TABLE held (i int, CONSTRAINT once UNIQUE (i) DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO held VALUES (1), (1)
      SQL
      named = declared(withhold: true)
      expect { connection.commit }.to raise_error(Pgconn::IntegrityError)
      expect { named.fetch }.to gone
    end
  end

  describe "ends with close, which" do
    it "closes it on the server, once, and leaves others alone" do
      named = declared
      other = declared("other")
      expect([named.close, named.close]).to eq([nil, nil])
      expect(named.closed?).to be(true)
      expect { named.fetch }.to raise_error(Pgconn::InterfaceError, /closed/)
      expect { named.execute("SELECT 1") }.to raise_error(Pgconn::Error)
      expect(open_cursors).to eq(["other"])
      expect(other.fetch_value).to eq(1)
    end

    it "sends nothing for one that was never executed, or whose transaction has ended" do
      unused = connection.cursor("unused")
      used = declared
      connection.commit
      [unused, used].each(&:close)
      expect(status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
    end

    it "is refused in the block of a stream or COPY, and possible after it" do
      named = declared(withhold: true)
      blocks = [-> { connection.cursor.stream("SELECT 1") { named.close } },
                -> { connection.copy_out("SELECT 1") { named.close } }]
      blocks.each { |block| expect(&block).to raise_error(Pgconn::ProgrammingError, /holds the connection/) }
      connection.rollback
      expect(named.closed?).to be(false)

      kept = declared("kept", withhold: true)
      connection.commit
      connection.cursor.stream("SELECT 1") { expect { kept.close }.to raise_error(Pgconn::ProgrammingError) }
      expect(open_cursors).to eq(["kept"])
      kept.close
      expect(open_cursors).to eq([])
    end

    it "is quiet in a failed transaction, and never hides an earlier error" do
      named = declared
      expect do
        connection.execute("SELECT nonsense")
      ensure
        named.close
      end.to raise_error(Pgconn::Errors::UndefinedColumn)
      expect(named.closed?).to be(true)
    end

    it "is quiet on a lost and on a closed connection" do
      named = declared
      other = declared("other")
      observe("SELECT pg_terminate_backend($1::int)", [connection.backend_pid])
      expect { named.fetch }.to raise_error(Pgconn::ConnectionLost)
      expect(named.close).to be_nil
      connection.close
      expect(other.close).to be_nil
    end
  end

  it "is until the connection is lost, and rows that had arrived can still be read" do
    named = declared
    named.each { |row| break if row[0] == 1 }
    observe("SELECT pg_terminate_backend($1::int)", [connection.backend_pid])
    expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::ConnectionLost)
    expect(named.fetch_value).to eq(2)
  end
end
