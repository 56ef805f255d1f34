# frozen_string_literal: true

require "spec_helper"

# Handlers, tracers and a subclass's own methods run when the block's COMMIT or ROLLBACK is answered.
RSpec.describe "What runs right behind the end of a transaction { }" do
  include_context "ledger"

  let(:factory) { Class.new(Pgconn::Connection) }
  let(:connection) { connect(autocommit: true, connection_factory: factory) }

  # Calls the block once, as soon as the connection has executed the SQL.
  def on_executed(sql, &block)
    connection.tracer = lambda do |event|
      next unless event.sql == sql

      connection.tracer = nil
      block.call
    end
  end

  # Runs the block in a thread, so that a deadlock fails the example.
  def in_time(&block) = value_of(in_thread(&block))

  # A trigger at COMMIT, which says what makes handlers run.
  def at_commit(statement)
    connection.execute(<<~SQL)
      CREATE FUNCTION pg_temp.speak() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN #{statement}; RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER speak AFTER INSERT ON ledger DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.id < 10) EXECUTE FUNCTION pg_temp.speak()
    SQL
  end

  def roll_back_in_a_block
    connection.transaction { insert(2) && raise(Pgconn::Rollback) }
  end

  describe "is outside of it, and commits by itself:" do
    it "what a handler of notifications executes" do
      connection.listen("done")
      connection.on_notify { insert(10) }
      connection.transaction { insert(1) && connection.notify("done") }
      expect([committed, status]).to eq([[1, 10], :idle])
    end

    it "what a handler of notices executes" do
      at_commit("RAISE NOTICE 'committing'")
      connection.on_notice { insert(10) }
      connection.transaction { insert(1) }
      expect([committed, status]).to eq([[1, 10], :idle])
    end

    it "what a tracer executes that is told of the COMMIT" do
      on_executed("COMMIT") { insert(10) }
      connection.transaction { insert(1) }
      expect([committed, status]).to eq([[1, 10], :idle])
    end

    it "what a tracer executes that is told of the ROLLBACK of a subclass" do
      factory.class_eval { define_method(:rollback) { super() } }
      on_executed("ROLLBACK") { insert(10) }
      roll_back_in_a_block
      expect([committed, status]).to eq([[10], :idle])
    end

    it "what a tracer executes that is told of a COMMIT that failed" do
      on_executed("COMMIT") { insert(10) }
      expect { connection.transaction { insert(1, 99) } }.to raise_error(Pgconn::IntegrityError)
      expect([committed, status]).to eq([[10], :idle])
    end

    it "what a subclass's commit or rollback executes behind super, also when nothing was sent" do
      test = self
      factory.class_eval do
        define_method(:commit) { super().tap { test.insert(10) } }
        define_method(:rollback) { super().tap { test.insert(11) } }
      end
      connection.transaction { insert(1) }
      roll_back_in_a_block
      expect([committed, status]).to eq([[1, 10, 11], :idle])
      observer.execute("DELETE FROM ledger")
      connection.transaction { nil }
      expect([committed, status]).to eq([[10], :idle])
    end

    it "a whole block, with modes of its own" do
      level = nil
      on_executed("COMMIT") do
        connection.transaction(isolation: :serializable) do
          insert(10)
          level = connection.execute("SHOW transaction_isolation").fetch_value
        end
      end
      connection.transaction { insert(1) }
      expect([committed, status, level]).to eq([[1, 10], :idle, "serializable"])
    end

    it "and begins a transaction without autocommit" do
      connection.autocommit = false
      on_executed("COMMIT") { insert(10) }
      connection.transaction { insert(1) }
      expect([committed, status]).to eq([[1], :intrans])
    end
  end

  it "is still in the block around, where a nested one has ended" do
    connection.transaction do
      connection.transaction { connection.execute("SET LOCAL client_min_messages TO debug5") }
      seen = []
      connection.on_notice { |notice| seen << notice && seen.one? && insert(1) } # RELEASE brings some
      connection.transaction { insert(2) }
      expect(seen).not_to be_empty
      raise Pgconn::Rollback
    end
    expect([committed, status]).to eq([[], :idle])
  end

  describe "may, without a deadlock," do
    it "change the session's modes" do
      on_executed("COMMIT") do
        connection.set_session(isolation: 2, read_only: true, autocommit: false)
        connection.isolation_level = 3
      end
      in_time { connection.transaction { insert(1) } }
      expect([connection.autocommit, connection.isolation_level, connection.read_only]).to eq([false, 3, true])
    end

    it "change the client encoding, and reset" do
      on_executed("COMMIT") { connection.client_encoding = "LATIN1" }
      in_time { connection.transaction { insert(1) } }
      expect(connection.client_encoding).to eq("LATIN1")
      on_executed("COMMIT") { connection.reset }
      in_time { connection.transaction { insert(2) } }
      expect([connection.client_encoding, committed]).to eq(["UTF8", [1, 2]])
    end

    it "begin a two-phase transaction" do
      connection.autocommit = false
      on_executed("COMMIT") { connection.tpc_begin("behind a block") }
      in_time { connection.transaction { insert(1) } }
      insert(2)
      connection.tpc_rollback
      expect(committed).to eq([1])
    end

    it "wait for another thread that executes" do
      on_executed("COMMIT") { value_of(in_thread { insert(10) }) }
      in_time { connection.transaction { insert(1) } }
      expect(committed).to eq([1, 10])
    end

    it "commit and roll back again, which has nothing to end" do
      factory.class_eval { def commit = 2.times { super } }
      on_executed("COMMIT") { connection.rollback }
      in_time { connection.transaction { insert(1) } }
      expect([committed, status]).to eq([[1], :idle])
    end
  end

  it "lets threads go on that have waited for the block" do
    other = nil
    on_executed("COMMIT") { value_of(other) }
    in_time do
      connection.transaction do
        other = in_thread { insert(10) }
        eventually("the other thread waits") { other.stop? }
        insert(1)
      end
    end
    expect(committed).to eq([1, 10])
  end

  describe "a subclass's commit, ahead of super, is in the block:" do
    { "autocommit=" => ->(connection) { connection.autocommit = false }, "reset" => :reset.to_proc,
      "client_encoding=" => ->(connection) { connection.client_encoding = "LATIN1" },
      "tpc_begin" => ->(connection) { connection.tpc_begin("xid") },
      "wait_for_notify" => ->(connection) { connection.wait_for_notify(timeout: 60) } }.each do |name, call|
      it "#{name} is a ProgrammingError there" do
        factory.class_eval do
          define_method(:commit) { call.call(self) && super() }
        end
        expect { in_time { connection.transaction { insert(1) } } }.to raise_error(Pgconn::ProgrammingError, /inside/)
        expect([committed, status]).to eq([[], :idle])
      end
    end
  end
end
