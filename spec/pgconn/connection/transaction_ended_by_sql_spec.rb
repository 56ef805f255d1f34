# frozen_string_literal: true

require "spec_helper"

RSpec.describe "A transaction { } that the user's own SQL would end" do
  include_context "ledger"

  let(:connection) { connect(autocommit: true) }

  def refuse
    raise_error(Pgconn::ProgrammingError, /inside transaction \{ \}.*Pgconn::Rollback/)
  end

  def tell_of_the_loss
    raise_error(Pgconn::ProgrammingError, /was ended by SQL/)
  end

  ["COMMIT", "commit work", "END", "ABORT", "ROLLBACK", "/* no */ ROLLBACK TRANSACTION", "ROLLBACK AND CHAIN", "COMMIT AND NO CHAIN",
   "PREPARE TRANSACTION 'x'", "prepare\ntransaction E'x'", "COMMIT PREPARED 'x'", "ROLLBACK PREPARED 'to'",
   ";ROLLBACK; SELECT 1"].each do |sql|
    it "is refused, and goes on: #{sql.inspect}" do
      connection.transaction do
        expect { connection.execute(sql) }.to refuse
        insert(1)
        expect { connection.execute(sql) }.to refuse
        connection.transaction { expect { connection.execute(sql) }.to refuse }
        insert(2)
      end
      expect([committed, status]).to eq([[1, 2], :idle])
    end
  end

  it "is refused in an implicit transaction and in a shared block, from other threads too" do
    connection.autocommit = false
    insert(1)
    connection.transaction(shared: true) do
      expect { connection.execute("COMMIT") }.to refuse
      expect(outcome_of(in_thread { connection.execute("ROLLBACK") })).to be_a(Pgconn::ProgrammingError)
      insert(2)
    end
    expect([committed, status]).to eq([[], :intrans])
    connection.execute("COMMIT") # which no block forbids
    expect([committed, status]).to eq([[1, 2], :idle])
  end

  it "is refused in a subclass's own commit, ahead of super" do
    connection.define_singleton_method(:commit) { execute("COMMIT") && super() }
    expect { connection.transaction { insert(1) } }.to refuse
    expect([committed, status]).to eq([[], :idle])
  end

  it "may have savepoints of the user's own, and statements that only look like it" do
    connection.transaction do
      insert(1)
      connection.execute("SAVEPOINT mine")
      ["ROLLBACK TO mine", "rollback work to SAVEPOINT mine", "ROLLBACK /* the */ TRANSACTION TO mine"].each do |sql|
        insert(2)
        connection.execute(sql)
      end
      insert(3)
      connection.execute("RELEASE mine; SAVEPOINT other; ROLLBACK TO other; SELECT 'COMMIT'")
      connection.execute("PREPARE transaction AS SELECT 7")
      connection.execute("PREPARE \"TRANSACTION\" (int) AS SELECT $1; DEALLOCATE \"TRANSACTION\"")
      connection.execute("CREATE FUNCTION pg_temp.one() RETURNS int BEGIN ATOMIC SELECT 1; END")
    end
    connection.execute("DEALLOCATE transaction")
    expect([committed, status]).to eq([[1, 3], :idle])
  end

  # What is committed of the block by then.
  { "SELECT 1; COMMIT" => [1], "SELECT 1; ROLLBACK" => [], "SELECT 1; ABORT;;" => [], "SELECT 1; COMMIT AND CHAIN" => [1],
    "SELECT 1; rollback and chain" => [], "SELECT 1; COMMIT; BEGIN" => [1], "SAVEPOINT s; ROLLBACK; BEGIN; SAVEPOINT s; ROLLBACK TO s" => [],
    "SELECT 1; COMMIT; SELECT 1/0" => [1], "SELECT 1; COMMIT; BEGIN; SELECT 1/0" => [1] }.each do |sql, kept|
    describe "in a string of several statements, #{sql.inspect}, is lost:" do
      def end_it(sql)
        connection.execute(sql)
      rescue Pgconn::Errors::DivisionByZero
        nil
      end

      it "each further statement raises, and so does its end" do
        ended = lambda do
          connection.transaction do
            insert(1)
            end_it(sql)
            2.times { expect { insert(2) }.to tell_of_the_loss }
            expect { connection.transaction { insert(3) } }.to tell_of_the_loss
          end
        end
        expect(&ended).to tell_of_the_loss
        expect([committed, status]).to eq([kept, :idle])
        connection.transaction { insert(4) }
        expect(committed).to eq(kept + [4])
      end

      it "its end raises where it ends right then, also with the first statement" do
        expect { connection.transaction { insert(1) && end_it(sql) } }.to tell_of_the_loss
        expect { connection.transaction { end_it(sql) } }.to tell_of_the_loss
        expect([committed, status]).to eq([kept, :idle])
      end

      it "with the blocks around it" do
        outer = lambda do
          connection.transaction do
            insert(1)
            expect { connection.transaction { end_it(sql) } }.to tell_of_the_loss
            expect { insert(2) }.to tell_of_the_loss
          end
        end
        expect(&outer).to tell_of_the_loss
        expect([committed, status]).to eq([kept, :idle])
      end

      it "with the implicit transaction around it" do
        connection.autocommit = false
        insert(1)
        expect { connection.transaction { insert(2) && end_it(sql) } }.to tell_of_the_loss
        expect([committed, status]).to eq([kept + kept.map(&:succ), :idle])
      end

      it "the block's own exception comes out" do
        leave = lambda do
          end_it(sql)
          raise IndexError
        end
        expect { connection.transaction { leave.call } }.to raise_error(IndexError)
        expect(status).to eq(:idle)
      end
    end
  end

  it "isn't run again by retries" do
    runs = 0
    expect { connection.transaction(retries: 3) { (runs += 1) && connection.execute("SELECT 1; COMMIT") } }.to tell_of_the_loss
    expect(runs).to eq(1)
  end

  it "is refused, or lost, for the others of a shared block, too" do
    ended = lambda do
      connection.transaction(shared: true) do
        insert(1)
        value_of(in_thread { connection.execute("SELECT 1; ROLLBACK") })
        expect(outcome_of(in_thread { insert(2) })).to be_a(Pgconn::ProgrammingError)
      end
    end
    expect(&ended).to tell_of_the_loss
    expect([committed, status]).to eq([[], :idle])
  end

  it "is lost also where the string was interrupted" do
    ended = lambda do
      connection.transaction do
        insert(1)
        Timeout.timeout(0.2) { connection.execute("SELECT 1; COMMIT; SELECT pg_sleep(60)") }
      rescue Timeout::Error
        insert(2)
      end
    end
    expect(&ended).to tell_of_the_loss
    expect([committed, status]).to eq([[1], :idle])
  end
end
