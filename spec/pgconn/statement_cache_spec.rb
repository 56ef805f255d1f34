# frozen_string_literal: true

require "spec_helper"

# Which statements have names on the server, and how long they keep them.
RSpec.describe "The statement cache" do
  include PreparedStatements

  def cached(**keywords) = connect(autocommit: true, **keywords)

  describe "prepare_threshold" do
    { 1 => [1, 1, 1, 1], 2 => [0, 1, 1, 1], 3 => [0, 0, 1, 1], nil => [0, 0, 0, 0] }.each do |threshold, counts|
      it "of #{threshold.inspect} gives #{counts.inspect} names after each execution" do
        connection = cached(prepare_threshold: threshold)
        ["SELECT 40 + 2 AS it", "SELECT 40 + $1::int AS it"].zip([nil, [2]]) do |sql, parameters|
          seen = Array.new(4) do
            expect(connection.execute(sql, parameters).fetch_value).to eq(42)
            prepared(connection).count(sql)
          end
          expect(seen).to eq(counts)
        end
      end
    end

    it "is 2 by default" do
      connection = cached
      Array.new(3) { connection.execute("SELECT 1") }
      connection.execute("SELECT 2")
      expect(prepared(connection)).to eq(["SELECT 1"])
    end

    it "never names a statement where it is nil, whatever is executed" do
      connection = cached(prepare_threshold: nil)
      10.times { |i| expect(connection.execute("SELECT $1::int[], $2::text", [[i], "t"]).fetch).to eq([[i], "t"]) }
      10.times { expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::DataError) }
      expect(name_count(connection)).to eq(0)
    end

    [1, 2, 3, nil].each do |threshold|
      it "of #{threshold.inspect} costs no round trip, in a transaction, at its begin, and outside" do
        through_proxy(delay: 0.02) do |proxy|
          connection = connect_tcp(port: proxy.port, prepare_threshold: threshold)
          costs = [false, true].flat_map do |autocommit|
            connection.autocommit = autocommit
            in_this_mode = Array.new(4) { proxy.round_trips { connection.execute("SELECT $1::int, #{autocommit}", [1]) } }
            connection.rollback
            in_this_mode
          end
          expect(costs).to eq([1] * 8)
        end
      end
    end

    it "costs one where the parameter's form depends on its type, once" do
      [1, 2, nil].each do |threshold|
        through_proxy(delay: 0.02) do |proxy|
          connection = connect_tcp(port: proxy.port, prepare_threshold: threshold, autocommit: true)
          costs = Array.new(4) { proxy.round_trips { connection.execute("SELECT $1::int[]", [[1]]) } }
          expect(costs).to eq([2, 1, 1, 1])
        end
      end
    end

    { 0 => ArgumentError, -1 => ArgumentError, 2**80 => ArgumentError, 1.5 => TypeError, "2" => TypeError,
      true => TypeError }.each do |value, error|
      it "of #{value.inspect} is a #{error}, before anything is connected to" do
        expect { connect("host=127.0.0.1 port=#{closed_port}", prepare_threshold: value) }
          .to raise_error(error, /prepare_threshold/)
      end
    end
  end

  describe "statement_cache_size" do
    it "bounds the names on the server, and lets go of that which was used least recently" do
      connection = cached(prepare_threshold: 1, statement_cache_size: 4)
      %w[a b c d a e a f].each { |name| connection.execute("SELECT '#{name}'") }
      connection.execute("SELECT 'e'")
      connection.execute("SELECT 'a'")
      expect(prepared(connection)).to include("SELECT 'a'", "SELECT 'e'", "SELECT 'f'")
      expect(name_count(connection)).to be <= 4
    end

    it "keeps what is used now and then through a flood of others" do
      connection = cached(statement_cache_size: 8)
      2.times { connection.execute("SELECT 'hot'") }
      since = named_since(connection, "SELECT 'hot'")
      200.times do |i|
        connection.execute("SELECT #{i}")
        connection.execute("SELECT 'hot'") if (i % 5).zero?
      end
      expect(named_since(connection, "SELECT 'hot'")).to eq(since)
    end

    it "lets a statement that had to go come back" do
      connection = cached(prepare_threshold: 1, statement_cache_size: 2)
      3.times do
        5.times { |i| expect(connection.execute("SELECT $1::int + #{i}", [i]).fetch_value).to eq(2 * i) }
      end
      expect(name_count(connection)).to be <= 2
    end

    [1, 2, nil].each do |threshold|
      it "of 0 names nothing and works, with a prepare_threshold of #{threshold.inspect}" do
        connection = cached(prepare_threshold: threshold, statement_cache_size: 0)
        4.times { |i| expect(connection.execute("SELECT $1::int[], $2::text", [[i], "t"]).fetch).to eq([[i], "t"]) }
        expect(name_count(connection)).to eq(0)
      end
    end

    { -1 => ArgumentError, 2**80 => ArgumentError, 1.5 => TypeError, "2" => TypeError, nil => TypeError }.each do |value, error|
      it "of #{value.inspect} is a #{error}, before anything is connected to" do
        expect { connect("host=127.0.0.1 port=#{closed_port}", statement_cache_size: value) }
          .to raise_error(error, /statement_cache_size/)
      end
    end

    it "bounds them over 2,000 statements outside of transactions" do
      connection = cached(prepare_threshold: 1, statement_cache_size: 10)
      counts = Array.new(2000) do |i|
        expect(connection.execute("SELECT #{i}").fetch_value).to eq(i)
        (i % 100).zero? ? name_count(connection) : 0
      end
      expect(counts.max).to be_between(1, 12)
    end

    it "bounds them over 1,000 statements in one transaction, too" do
      connection = connect(prepare_threshold: 1, statement_cache_size: 10)
      1000.times { |i| expect(connection.execute("SELECT #{i}").fetch_value).to eq(i) }
      expect(name_count(connection)).to be <= 30
      connection.commit
      connection.autocommit = true
      30.times { connection.execute("SELECT 'after'") }
      expect(name_count(connection)).to be <= 12
    end
  end

  describe "what is let go of" do
    it "in a transaction is closed after it, and disturbs nothing in it" do
      connection = connect(prepare_threshold: 1, statement_cache_size: 2)
      connection.execute("CREATE TEMP TABLE kept (a int)")
      20.times { |i| connection.execute("INSERT INTO kept VALUES (#{i})") }
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INTRANS)
      connection.commit
      connection.autocommit = true
      20.times { connection.execute("SELECT 'after'") }
      expect(name_count(connection)).to be <= 2
      expect(connection.execute("SELECT count(*) FROM kept").fetch_value).to eq(20)
    end

    it "in a transaction that fails leaves the error as it is, and the statements to come" do
      connection = connect(prepare_threshold: 1, statement_cache_size: 1)
      3.times do
        5.times { |i| connection.execute("SELECT #{i}") }
        expect { connection.execute("SELECT 1/0") }.to raise_error(Pgconn::Errors::DivisionByZero)
        expect { connection.execute("SELECT 3") }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
        connection.rollback
      end
      expect(connection.execute("SELECT 3").fetch_value).to eq(3)
    end

    it "never gets into the way of VACUUM" do
      connection = cached(prepare_threshold: 1, statement_cache_size: 1)
      connection.execute("CREATE TEMP TABLE swept (a int)")
      10.times do |i|
        connection.execute("SELECT #{i}")
        expect(connection.execute("VACUUM swept").statusmessage).to eq("VACUUM")
      end
      expect(name_count(connection)).to be <= 1
    end

    it "never gets into the way of another thread's VACUUM" do
      connection = cached(prepare_threshold: 1, statement_cache_size: 1)
      connection.execute("CREATE TEMP TABLE swept (a int)")
      sweeper = in_thread { Array.new(20) { connection.execute("VACUUM swept").statusmessage }.uniq }
      values = Array.new(200) { |i| connection.execute("SELECT #{i}").fetch_value }
      expect([value_of(sweeper), values]).to eq([["VACUUM"], [*0...200]])
    end

    it "is never a statement that the user has prepared" do
      connection = cached(prepare_threshold: 1, statement_cache_size: 1)
      connection.execute("PREPARE mine AS SELECT 'mine'")
      20.times { |i| connection.execute("SELECT #{i}") }
      expect(connection.execute("EXECUTE mine").fetch_value).to eq("mine")
      expect(prepared(connection)).to include("PREPARE mine AS SELECT 'mine'")
    end

    it "may be gone already" do
      connection = cached(prepare_threshold: 1, statement_cache_size: 2)
      5.times do |round|
        10.times { |i| expect(connection.execute("SELECT #{i}").fetch_value).to eq(i) }
        deallocate_all_unseen(connection)
        expect(connection.execute("SELECT 'round #{round}'").fetch_value).to eq("round #{round}")
      end
    end
  end
end
