# frozen_string_literal: true

require "spec_helper"

RSpec.describe "transaction { }" do
  include_context "ledger"

  let(:connection) { connect(autocommit: true) }

  def leave_by_return
    connection.transaction do
      insert(1)
      return :returned
    end
  end

  describe "is committed" do
    it "at its end, and gives the block's value" do
      expect(connection.transaction { insert(1).rowcount }).to eq(1)
      expect([committed, status]).to eq([[1], :idle])
    end

    it "when it is left by next" do
      expect(connection.transaction { insert(1) && (next :next) }).to eq(:next)
      expect([committed, status]).to eq([[1], :idle])
    end

    it "when it is left by break" do
      expect(connection.transaction { insert(1) && (break :broken) }).to eq(:broken)
      expect([committed, status]).to eq([[1], :idle])
    end

    it "when it is left by return" do
      expect(leave_by_return).to eq(:returned)
      expect([committed, status]).to eq([[1], :idle])
    end
  end

  describe "is rolled back" do
    it "by an exception, which comes out" do
      expect { connection.transaction { insert(1) && raise(IndexError, "mine") } }.to raise_error(IndexError, "mine")
      expect([committed, status]).to eq([[], :idle])
    end

    it "by an exception that is no StandardError" do
      expect { connection.transaction { insert(1) && raise(NotImplementedError) } }.to raise_error(NotImplementedError)
      expect([committed, status]).to eq([[], :idle])
    end

    it "by a server's error, which comes out" do
      expect { connection.transaction { 2.times { insert(1) } } }.to raise_error(Pgconn::Errors::UniqueViolation)
      expect([committed, status]).to eq([[], :idle])
    end

    it "by throw, which goes on" do
      expect(catch(:away) { connection.transaction { insert(1) && throw(:away, :thrown) } }).to eq(:thrown)
      expect([committed, status]).to eq([[], :idle])
    end

    it "by Pgconn::Rollback, quietly, and gives nil" do
      expect(connection.transaction { insert(1) && raise(Pgconn::Rollback) }).to be_nil
      expect([committed, status]).to eq([[], :idle])
    end

    it "by a rescue of Pgconn::Error not, for Pgconn::Rollback is none" do
      expect(Pgconn::Rollback.ancestors).to include(StandardError)
      expect(Pgconn::Rollback.ancestors).not_to include(Pgconn::Error)
    end
  end

  it "yields the connection" do
    expect(connection.transaction { |yielded| yielded.equal?(connection) }).to be(true)
  end

  it "needs a block" do
    expect { connection.transaction }.to raise_error(ArgumentError, /block/)
  end

  it "sends nothing without a statement, however it ends" do
    through_proxy do |proxy|
      connection = connect_tcp(port: proxy.port, autocommit: true)
      proxy.reset_counts
      connection.transaction { connection.transaction { nil } }
      connection.transaction { raise Pgconn::Rollback }
      expect { connection.transaction { raise IndexError } }.to raise_error(IndexError)
      connection.execute("SELECT 1") # what was sent before it would be counted with it
      expect(proxy.counts.round_trips).to eq(1)
    end
  end

  it "costs one round trip for its end, and none for its begin, savepoints included" do
    through_proxy(delay: 0.03) do |proxy|
      connection = connect_tcp(port: proxy.port, autocommit: true)
      trips = proxy.round_trips { connection.transaction { connection.execute("SELECT 1") } }
      nested = proxy.round_trips { connection.transaction { connection.transaction { connection.execute("SELECT 1") } } }
      expect([trips, nested]).to eq([2, 3])
    end
  end

  it "is one transaction for all its statements, in autocommit too" do
    ids = connection.transaction { Array.new(2) { connection.execute("SELECT pg_current_xact_id()::text").fetch_value } }
    expect(ids.uniq.size).to eq(1)
    expect(connection.autocommit).to be(true)
  end

  it "is followed by statements that commit by themselves again" do
    connection.transaction { insert(1) }
    insert(2)
    expect([committed, status]).to eq([[1, 2], :idle])
  end

  it "is committed without autocommit, too" do
    connection = connect
    connection.transaction { connection.execute("INSERT INTO ledger VALUES (1)") }
    expect([committed, connection.transaction_status]).to eq([[1], 0])
    connection.execute("INSERT INTO ledger VALUES (2)")
    connection.rollback
    expect(committed).to eq([1])
  end

  it "may leave an iterator by break, and is committed" do
    found = [1, 2, 3].each do |id|
      connection.transaction do
        insert(id)
        break id if id == 2
      end
    end
    expect([found, committed]).to eq([[1, 2, 3], [1, 2, 3]])
  end

  describe "modes" do
    def modes
      %w[isolation read_only deferrable].map { |name| connection.execute("SHOW transaction_#{name}").fetch_value }
    end

    it "go with its BEGIN" do
      expect(connection.transaction(isolation: :serializable, read_only: true, deferrable: true) { modes })
        .to eq(%w[serializable on on])
      expect(connection.transaction { modes }).to eq(["read committed", "off", "off"])
    end

    it "overrule those of the session, of which the others hold" do
      connection.set_session(isolation: 2, read_only: true)
      expect(connection.transaction { modes }).to eq(["repeatable read", "on", "off"])
      expect(connection.transaction(isolation: "read committed", read_only: false) { modes }).to eq(["read committed", "off", "off"])
      expect(connection.transaction(isolation: :default) { modes }).to eq(["read committed", "on", "off"])
    end

    it "take what set_session takes, else they are an ArgumentError, and nothing is run" do
      [{ isolation: 0 }, { isolation: :autocommit }, { isolation: "none" }, { read_only: 1 }, { deferrable: "on" }].each do |wrong|
        expect { connection.transaction(**wrong) { insert(1) } }.to raise_error(ArgumentError, /#{wrong.keys.first} must be/)
      end
      expect(committed).to eq([])
    end

    { isolation: 3, read_only: true, deferrable: false, retries: 1 }.each do |name, value|
      it "are a ProgrammingError on a nested one: #{name}" do
        connection.transaction do
          insert(1)
          expect { connection.transaction(name => value) { insert(2) } }.to raise_error(Pgconn::ProgrammingError, /#{name}/)
          insert(3)
        end
        expect(committed).to eq([1, 3])
      end

      it "are a ProgrammingError in an implicit transaction: #{name}" do
        connection = connect
        connection.execute("INSERT INTO ledger VALUES (1)")
        expect { connection.transaction(name => value) { nil } }.to raise_error(Pgconn::ProgrammingError, /#{name}/)
        connection.commit
        expect(committed).to eq([1])
      end
    end
  end

  describe "whose BEGIN fails" do
    it "raises, and sends no ROLLBACK" do
      sent = +"".b
      through_proxy(to_server: ->(bytes, _) { bytes.gsub("BEGIN\0", "BEGIM\0").tap { |passed| sent << passed } }) do |proxy|
        connection = connect_tcp(port: proxy.port, autocommit: true)
        expect { connection.transaction { connection.execute("INSERT INTO ledger VALUES (1)") } }
          .to raise_error(Pgconn::Errors::SyntaxError, /BEGIM/)
        expect(connection.execute("SELECT 1").fetch_value).to eq(1)
        expect(sent).not_to include("ROLLBACK")
        expect([committed, connection.notices]).to eq([[], []])
      end
    end
  end

  describe "whose commit fails" do
    it "raises IntegrityError for a deferred constraint, and the connection is idle and usable" do
      expect { connection.transaction { insert(1, 99) } }.to raise_error(Pgconn::IntegrityError)
      expect([committed, status]).to eq([[], :idle])
      connection.transaction { insert(2) }
      expect(committed).to eq([2])
    end

    it "raises InFailedSqlTransaction where an error was swallowed in the block: nothing is committed" do
      swallowing = lambda do
        insert(1)
        connection.execute("SELECT 1/0")
      rescue Pgconn::DataError
        :swallowed
      end
      expect { connection.transaction { swallowing.call } }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
      expect([committed, status]).to eq([[], :idle])
      expect { connection.transaction { swallowing.call && (break :broken) } }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
    end
  end

  describe "inside" do
    forbidden = {
      "commit" => :commit.to_proc, "rollback" => :rollback.to_proc, "reset" => :reset.to_proc,
      "autocommit=" => ->(connection) { connection.autocommit = false },
      "client_encoding=" => ->(connection) { connection.client_encoding = "LATIN1" },
      "tpc_begin" => ->(connection) { connection.tpc_begin("xid") }, "tpc_prepare" => :tpc_prepare.to_proc,
      "tpc_commit" => :tpc_commit.to_proc, "tpc_rollback" => ->(connection) { connection.tpc_rollback("xid") }
    }
    forbidden.each do |name, call|
      it "#{name} raises ProgrammingError, also before the first statement, and the transaction goes on" do
        connection.transaction do
          expect { call.call(connection) }.to raise_error(Pgconn::ProgrammingError, /inside transaction/)
          insert(1)
          expect { call.call(connection) }.to raise_error(Pgconn::ProgrammingError, /inside transaction/)
          connection.transaction { expect { call.call(connection) }.to raise_error(Pgconn::ProgrammingError) }
          insert(2)
        end
        expect([committed, connection.autocommit, connection.client_encoding]).to eq([[1, 2], true, "UTF8"])
      end
    end

    it "the user's own BEGIN leaves no transaction open" do
      connection.transaction do
        connection.execute("BEGIN")
        insert(1)
      end
      expect([committed, status]).to eq([[1], :idle])
    end

    it "a statement whose table has changed is prepared again unseen, as long as it is the first" do
      connection.execute("CREATE TEMP TABLE changing (a int)")
      3.times { connection.execute("SELECT * FROM changing").fetch_all }
      connection.execute("ALTER TABLE changing ADD b int")
      result = connection.transaction do
        connection.transaction { connection.execute("SELECT * FROM changing").description.size.tap { insert(1) } }
      end
      expect([result, committed, status]).to eq([2, [1], :idle])
    end
  end

  describe "nested" do
    it "is a savepoint: what failed is undone, what is around it goes on" do
      connection.transaction do
        insert(1)
        begin
          connection.transaction { insert(2) && insert(1) }
        rescue Pgconn::Errors::UniqueViolation
          insert(3)
        end
        connection.transaction { insert(4) }
      end
      expect(committed).to eq([1, 3, 4])
    end

    it "goes with the outer one's end" do
      expect { connection.transaction { connection.transaction { insert(1) } && raise(IndexError) } }.to raise_error(IndexError)
      expect([committed, status]).to eq([[], :idle])
    end

    it "is left by Pgconn::Rollback alone, at any depth" do
      value = connection.transaction do
        insert(1)
        inner = connection.transaction do
          insert(2)
          connection.transaction { insert(3) && raise(Pgconn::Rollback) }
          insert(4)
          raise Pgconn::Rollback
        end
        insert(5)
        inner.inspect
      end
      expect([value, committed]).to eq(["nil", [1, 5]])
    end

    it "is undone when an error was swallowed in it, and raises InFailedSqlTransaction" do
      connection.transaction do
        insert(1)
        expect do
          connection.transaction do
            insert(2)
            expect { insert(1) }.to raise_error(Pgconn::Errors::UniqueViolation)
          end
        end.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
        insert(3)
      end
      expect(committed).to eq([1, 3])
    end

    it "is kept when it is left by break or throw within the outer one, or undone" do
      connection.transaction do
        connection.transaction { insert(1) && break }
        catch(:away) { connection.transaction { insert(2) && throw(:away) } }
        insert(3)
      end
      expect(committed).to eq([1, 3])
    end

    it "whose very first statement fails leaves the outer one usable" do
      connection.transaction do
        expect { connection.transaction { insert(1, "x") } }.to raise_error(Pgconn::DataError)
        insert(2)
      end
      expect(committed).to eq([2])
    end

    it "works a hundred deep" do
      nest = lambda do |depth|
        connection.transaction { insert(depth) && depth < 100 && nest.call(depth + 1) }
      end
      nest.call(1)
      expect(committed).to eq((1..100).to_a)
    end

    it "raises in a failed transaction, and undoes nothing more" do
      connection.transaction do
        insert(1)
        connection.transaction do
          insert(2)
          expect { insert(1) }.to raise_error(Pgconn::Errors::UniqueViolation)
          expect { connection.transaction { insert(3) } }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
          raise Pgconn::Rollback
        end
      end
      expect(committed).to eq([1])
    end
  end

  describe "in an implicit transaction that is open" do
    let(:connection) { connect }

    before { insert(1) }

    it "is a savepoint: its end commits nothing" do
      connection.transaction { insert(2) }
      expect([committed, status]).to eq([[], :intrans])
      connection.commit
      expect(committed).to eq([1, 2])
    end

    it "undoes only itself" do
      expect { connection.transaction { 2.times { insert(2) } } }.to raise_error(Pgconn::Errors::UniqueViolation)
      expect(connection.transaction { insert(3) && raise(Pgconn::Rollback) }).to be_nil
      expect(status).to eq(:intrans)
      connection.commit
      expect(committed).to eq([1])
    end

    it "is one in a two-phase transaction, which it may also begin" do
      connection.commit
      connection.tpc_begin("two phases")
      connection.transaction { insert(2) }
      expect(connection.transaction { insert(3) && raise(Pgconn::Rollback) }).to be_nil
      expect(committed).to eq([1])
      connection.tpc_commit
      expect([committed, status]).to eq([[1, 2], :idle])
    end

    it "is one in a transaction that the user began, too" do
      connection = connect(autocommit: true)
      connection.execute("BEGIN")
      connection.transaction { connection.execute("INSERT INTO ledger VALUES (7)") }
      connection.execute("ROLLBACK")
      expect(committed).to eq([])
    end
  end

  describe "of a subclass with its own commit and rollback" do
    let(:ended) { [] }
    let(:connection) do
      calls = ended
      factory = Class.new(Pgconn::Connection) do
        %i[commit rollback].each do |name|
          define_method(name) do
            calls << name
            super()
          end
        end
      end
      connect(autocommit: true, connection_factory: factory)
    end

    it "calls them at its end" do
      connection.transaction { insert(1) }
      expect { connection.transaction { raise IndexError } }.to raise_error(IndexError)
      expect(connection.transaction { insert(2) && raise(Pgconn::Rollback) }).to be_nil
      expect([ended, committed]).to eq([%i[commit rollback rollback], [1]])
    end

    it "calls none for a savepoint" do
      connection.transaction { connection.transaction { insert(1) } }
      expect(ended).to eq([:commit])
    end

    it "rolls back what its commit doesn't commit" do
      connection.define_singleton_method(:commit) { nil }
      connection.transaction { insert(1) }
      expect([committed, status]).to eq([[], :idle])
    end

    it "raises what its commit raises, and rolls back" do
      connection.define_singleton_method(:commit) { raise IndexError, "no" }
      expect { connection.transaction { insert(1) } }.to raise_error(IndexError, "no")
      expect([committed, status]).to eq([[], :idle])
    end

    it "may execute more in its commit" do
      connection.define_singleton_method(:commit) { execute("INSERT INTO ledger VALUES (9)") && super() }
      connection.transaction { insert(1) }
      expect(committed).to eq([1, 9])
    end

    it "isn't kept from its own reason by a rollback that raises" do
      connection.define_singleton_method(:rollback) { raise IndexError, "no" }
      expect { connection.transaction { insert(1) && raise(KeyError) } }.to raise_error(KeyError)
      expect([committed, status]).to eq([[], :idle])
    end
  end

  it "is part of the block of Pgconn.connect" do
    Pgconn.connect(server.conninfo) do |own|
      own.transaction { own.execute("INSERT INTO ledger VALUES (1)") }
      own.execute("INSERT INTO ledger VALUES (2)")
      own.transaction { own.execute("INSERT INTO ledger VALUES (3)") && raise(Pgconn::Rollback) }
    end
    expect(committed).to eq([1, 2])
  end
end
