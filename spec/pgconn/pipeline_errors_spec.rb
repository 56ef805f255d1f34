# frozen_string_literal: true

require "spec_helper"

RSpec.describe "A pipeline with an error" do
  include PipelinedTable

  def failing
    connection.pipeline do
      @cursors = [insert(1), connection.execute("SELECT 1/0"), insert(2)]
      yield(*@cursors) if block_given?
    end
  end

  it "raises it at the end of the block if nobody has asked" do
    expect { failing }.to raise_error(Pgconn::Errors::DivisionByZero) { |error|
      expect(error.query).to eq("SELECT 1/0")
      expect(error.cursor).to be(@cursors[1])
    }
  end

  it "undoes what was sent with it in autocommit" do
    error_of { failing }
    expect(ids).to eq([])
  end

  it "raises it where its result is asked for, and not again at the end" do
    failing do |_, failed|
      expect { failed.fetch }.to raise_error(Pgconn::Errors::DivisionByZero)
    end
  end

  it "gives the results of the statements before it, and PipelineAborted for those behind it" do
    expect { failing }.to raise_error(Pgconn::Errors::DivisionByZero)
    expect(@cursors[0].rowcount).to eq(1)
    expect { @cursors[1].rowcount }.to raise_error(Pgconn::Errors::DivisionByZero)
    expect { @cursors[2].rowcount }.to raise_error(Pgconn::PipelineAborted) { |error|
      expect(error.cause).to be_a(Pgconn::Errors::DivisionByZero)
      expect(error.query).to start_with("INSERT")
    }
  end

  it "raises PipelineAborted where a skipped statement's result is asked for first, then the error at the end" do
    expect do
      failing { |_, _, skipped| expect { skipped.fetch }.to raise_error(Pgconn::PipelineAborted) }
    end.to raise_error(Pgconn::Errors::DivisionByZero)
  end

  it "counts the error's position in the user's own text" do
    error = error_of { connection.pipeline { connection.execute("SELECT :a::int, nowhere", a: 1) } }
    expect(error.diag.position).to eq("SELECT :a::int, n".length)
  end

  it "raises it before a statement that goes by itself, which isn't executed" do
    expect do
      connection.pipeline do
        connection.execute("SELECT 1/0")
        connection.execute("SET application_name TO 'changed'")
      end
    end.to raise_error(Pgconn::Errors::DivisionByZero)
    expect(connection.parameter_status("application_name")).not_to eq("changed")
  end

  it "raises that of a deferred constraint, which comes when all have been answered" do
    connection.execute("CREATE TEMP TABLE deferred (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    expect do
      connection.pipeline { 2.times { connection.execute("INSERT INTO deferred VALUES (1)") } }
    end.to raise_error(Pgconn::Errors::UniqueViolation)
  end

  it "gives that of a deferred constraint to the last statement, with which all of them commit" do
    connection.execute("CREATE TEMP TABLE deferred (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    cursors = []
    error = error_of do
      connection.pipeline do
        2.times { cursors << connection.execute("INSERT INTO deferred VALUES (1)") }
        cursors << connection.execute("SELECT 1")
      end
    end
    expect(cursors[0..1].map(&:rowcount)).to eq([1, 1])
    expect { cursors[2].fetch }.to raise_error(error)
    expect(connection.execute("SELECT count(*) FROM deferred").fetch_value).to eq(0)
  end

  it "leaves the connection usable, also for another pipeline" do
    error_of { failing }
    expect(connection.pipeline { connection.execute("SELECT 6") }.fetch_value).to eq(6)
  end

  it "fails an open transaction" do
    connection.autocommit = false
    error_of { failing }
    expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INERROR)
    connection.rollback
  end
end
