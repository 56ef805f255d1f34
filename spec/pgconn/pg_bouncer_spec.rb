# frozen_string_literal: true

require "spec_helper"
require "bigdecimal"
require "date"

RSpec.describe "PgBouncer in transaction mode" do
  around do |example|
    PgBouncer.open(server, sessions: 2) do |bouncer|
      @bouncer = bouncer
      example.run
    end
  end

  def through_bouncer(**keywords)
    connect(@bouncer.conninfo, sslmode: "disable", prepare_threshold: nil, **keywords)
  end

  let(:values) do
    [1, "text", BigDecimal("1.5"), Date.new(2024, 2, 29), [1, nil, 3], 1...5, { "a" => [1] }, "\0\xFF".b, nil]
  end
  let(:sql) do
    "SELECT $1::int, $2::text, $3::numeric, $4::date, $5::int[], $6::int4range, $7::jsonb, $8::bytea, $9::uuid"
  end
  let(:row) { [1, "text", BigDecimal("1.5"), Date.new(2024, 2, 29), [1, nil, 3], Pgconn::Range.new(1, 5), { "a" => [1] }, "\0\xFF".b, nil] }

  it "takes the same statement again and again, with values of every kind, without a prepared statement" do
    connection = through_bouncer(autocommit: true)
    5.times { expect(connection.execute(sql, values).fetch).to eq(row) }
    names = connection.execute("SELECT name FROM pg_prepared_statements").column(:name)
    expect(names.grep(/pgconn/)).to eq([])
  end

  it "serves more connections than it has sessions, each with its own transactions" do
    observer.execute("CREATE TABLE bounced (number int)")
    threads = Array.new(6) do |number|
      in_thread do
        connection = through_bouncer
        10.times do |i|
          connection.execute("INSERT INTO bounced VALUES ($1)", [number])
          connection.execute("SELECT * FROM unnest($1::int[])", [[1, i]]).column(0)
          i.even? ? connection.commit : connection.rollback
        end
      end
    end
    threads.each { |thread| value_of(thread) }
    expect(observe("SELECT array_agg(DISTINCT counted) FROM (SELECT count(*) counted FROM bounced GROUP BY number) c")).to eq([5])
  ensure
    observer.execute("DROP TABLE bounced")
  end

  it "takes several statements in one string" do
    cursor = through_bouncer.execute("SELECT 1; SELECT 2; SELECT 3")
    expect([cursor.fetch_value, cursor.next_result, cursor.fetch_value]).to eq([1, true, 2])
    expect(cursor.connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INTRANS)
  end

  it "is no obstacle to errors and what comes after them" do
    connection = through_bouncer
    expect { connection.execute("SELECT 1 / $1::int", [0]) }.to raise_error(Pgconn::Errors::DivisionByZero)
    connection.rollback
    expect(connection.execute("SELECT 1 / $1::int", [1]).fetch_value).to eq(1)
  end

  it "is left no prepared statement by a flood of statements, either" do
    connection = through_bouncer(autocommit: true, statement_cache_size: 1)
    expect(Array.new(20) { |i| connection.execute("SELECT #{i % 2}").fetch_value }).to eq([0, 1] * 10)
    expect(connection.execute("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''").fetch_value).to eq(0)
  end
end
