# frozen_string_literal: true

require "spec_helper"

RSpec.describe "In autocommit, the commit that comes behind a statement" do
  let(:connection) { connect(autocommit: true) }

  before do
    connection.execute("CREATE TEMP TABLE parents (id int PRIMARY KEY)")
    connection.execute("CREATE TEMP TABLE children (id int, parent int REFERENCES parents DEFERRABLE INITIALLY DEFERRED)")
  end

  def insert(conn = connection)
    conn.execute("INSERT INTO children VALUES ($1, 999) RETURNING id", [1])
  end

  def slow_commits
    connection.execute("CREATE FUNCTION pg_temp.slow() RETURNS trigger LANGUAGE plpgsql AS " \
                       "'BEGIN PERFORM pg_sleep(30); RETURN NULL; END'")
    connection.execute("CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON parents DEFERRABLE INITIALLY DEFERRED " \
                       "FOR EACH ROW EXECUTE FUNCTION pg_temp.slow()")
  end

  it "raises what its deferred constraint says, and the connection goes on" do
    4.times { expect { insert }.to raise_error(Pgconn::Errors::ForeignKeyViolation, /children_parent_fkey/) }
    expect { connection.execute("INSERT INTO children VALUES (1, 999)") }.to raise_error(Pgconn::IntegrityError)
    expect(connection.execute("SELECT count(*) FROM children").fetch_value).to eq(0)
    expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
  end

  it "does so where no statement is prepared under a name" do
    unnamed = connect(autocommit: true, prepare_threshold: nil)
    unnamed.execute("CREATE TEMP TABLE parents (id int PRIMARY KEY)")
    unnamed.execute("CREATE TEMP TABLE children (id int, parent int REFERENCES parents DEFERRABLE INITIALLY DEFERRED)")
    3.times { expect { insert(unnamed) }.to raise_error(Pgconn::Errors::ForeignKeyViolation) }
    expect(unnamed.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "gives other callers their own answers" do
    answers = Array.new(8) do |number|
      in_thread do
        next connection.execute("SELECT $1::int", [number]).fetch_value if number.even?

        insert
      rescue Pgconn::IntegrityError => e
        e.sqlstate
      end
    end.map(&:value)
    expect(answers).to eq([0, "23503", 2, "23503", 4, "23503", 6, "23503"])
  end

  it "is cancelled at the statement's deadline" do
    slow_commits
    expect { connection.execute("INSERT INTO parents VALUES (1)", timeout: 0.2) }
      .to raise_error(Pgconn::QueryCanceledError) { |error| expect(error.outcome).to eq(:canceled) }
    expect(connection.execute("SELECT count(*) FROM parents").fetch_value).to eq(0)
  end
end
