# frozen_string_literal: true

require "spec_helper"

RSpec.describe "A pipeline and transactions" do
  include PipelinedTable

  it "commits what it has gathered before with commit" do
    connection.autocommit = false
    connection.pipeline do
      insert(1)
      connection.commit
      insert(2)
    end
    connection.rollback
    expect(ids).to eq([1])
  end

  {
    "rollback" => :rollback.to_proc,
    "reset" => :reset.to_proc,
    "ROLLBACK" => ->(conn) { conn.execute("ROLLBACK") },
    "ROLLBACK TO" => ->(conn) { conn.execute("ROLLBACK TO before") }
  }.each do |name, undo|
    it "rolls back with #{name} also what has failed, whose error comes out at the end" do
      connection.execute("BEGIN; SAVEPOINT before")
      failed = nil
      error = error_of do
        connection.pipeline do
          failed = connection.execute("SELECT 1/0")
          undo.call(connection)
          expect(connection.transaction_status).not_to eq(Pgconn::TRANSACTION_STATUS_INERROR)
        end
      end
      expect(error).to be_a(Pgconn::Errors::DivisionByZero)
      expect { failed.fetch }.to raise_error(error)
    end
  end

  it "sends nothing behind an error that nobody has got, but rolls back" do
    connection.autocommit = false
    unsent = nil
    expect do
      connection.pipeline do
        connection.execute("SELECT 1/0")
        error_of { insert(1).fetch } # PipelineAborted
        unsent = insert(2)
        connection.rollback
        expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
      end
    end.to raise_error(Pgconn::Errors::DivisionByZero)
    expect { unsent.fetch }.to raise_error(Pgconn::PipelineAborted, /never sent/)
  end

  it "doesn't raise at the end what was raised before rollback" do
    connection.autocommit = false
    connection.pipeline do
      expect { connection.execute("SELECT 1/0").fetch }.to raise_error(Pgconn::Errors::DivisionByZero)
      connection.rollback
      insert(1)
      connection.commit
    end
    expect(ids).to eq([1])
  end

  it "rolls back a two-phase transaction in which something gathered has failed" do
    connection.autocommit = false
    expect do
      connection.pipeline do
        connection.tpc_begin("in a pipeline")
        connection.execute("SELECT 1/0")
        connection.tpc_rollback
        expect(connection.status).to eq(Pgconn::STATUS_READY)
      end
    end.to raise_error(Pgconn::Errors::DivisionByZero)
  end

  it "sends nothing of a block that is left by an exception, for a subclass's rollback neither" do
    calls = []
    subclass = Class.new(Pgconn::Connection) do
      define_method(:rollback) { super().tap { calls << :rollback } }
    end
    own = connect(autocommit: true, connection_factory: subclass)
    cursor = nil
    error_of do
      own.pipeline do
        own.transaction do
          cursor = own.execute("SELECT 1/0")
          raise IndexError
        end
      end
    end
    expect { cursor.fetch }.to raise_error(Pgconn::PipelineAborted, /never sent/)
    expect(calls).to eq([:rollback])
  end

  it "can be in a block" do
    connection.transaction { connection.pipeline { insert(1) } }
    expect(ids).to eq([1])
  end

  it "can have blocks in it, of which each takes its own statements" do
    connection.pipeline do
      insert(1)
      connection.transaction { insert(2) }
      error_of do
        connection.transaction do
          insert(3)
          raise "stop"
        end
      end
      insert(4)
    end
    expect(ids).to eq([1, 2, 4])
  end

  it "commits the block in which its error was told only if it was left well" do
    expect do
      connection.transaction { connection.pipeline { [insert(1), connection.execute("SELECT 1/0")] } }
    end.to raise_error(Pgconn::Errors::DivisionByZero)
    expect(ids).to eq([])
  end

  describe "with a statement that the server executes by itself only" do
    before { connection.execute("CREATE TABLE maintained (id int)") }

    after do
      connection.execute("DROP TABLE maintained")
      connection.execute("DROP DATABASE IF EXISTS pgconn_made_in_a_pipeline")
    end

    ["VACUUM maintained", "/* all */ cluster", "CREATE DATABASE pgconn_made_in_a_pipeline",
     ";DROP TABLESPACE IF EXISTS nowhere", "DROP DATABASE IF EXISTS pgconn_made_in_a_pipeline",
     "CREATE INDEX CONCURRENTLY ON maintained (id)", "DROP INDEX CONCURRENTLY IF EXISTS nowhere",
     "REINDEX TABLE CONCURRENTLY maintained", "ALTER SYSTEM RESET work_mem"].each do |sql|
      it "lets #{sql} go by itself, in its order" do
        seen = connection.pipeline do
          connection.execute("INSERT INTO maintained VALUES (1)")
          connection.execute(sql)
          connection.execute("SELECT count(*) FROM maintained")
        end
        expect(seen.fetch_value).to eq(1)
      end
    end

    it "keeps what was executed before it, should what comes behind it fail" do
      error_of do
        connection.pipeline do
          insert(1)
          connection.execute("VACUUM maintained")
          connection.execute("SELECT 1/0")
        end
      end
      expect(ids).to eq([1])
    end

    it "keeps other definitions together with the rest" do
      error_of do
        connection.pipeline do
          connection.execute("CREATE TABLE undone (concurrent int DEFAULT 1, \"concurrently\" int)")
          connection.execute("SELECT 1/0")
        end
      end
      expect(connection.execute("SELECT to_regclass('undone')").fetch_value).to be_nil
    end
  end
end
