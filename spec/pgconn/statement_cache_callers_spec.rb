# frozen_string_literal: true

require "spec_helper"
require "timeout"

# What callers do while a statement gets its name, and the ways in which they may write one SQL.
RSpec.describe "The statement cache and its callers" do
  include PreparedStatements

  def cached(**keywords) = connect(autocommit: true, prepare_threshold: 1, **keywords)

  # All of them start as close together as can be.
  def at_once(count)
    ready = Queue.new
    go = Queue.new
    threads = Array.new(count) do |index|
      in_thread do
        ready << true
        go.pop
        yield index
      end
    end
    count.times { ready.pop }
    go.close
    threads.map { |thread| value_of(thread) }
  end

  describe "threads that share a connection" do
    [1, 2].each do |threshold|
      it "each get their own result of the same new SQL, which gets one name, with a threshold of #{threshold}" do
        connection = cached(prepare_threshold: threshold)
        20.times do |round|
          sql = "SELECT $1::int, $2::int[], #{round}"
          values = at_once(6) { |i| Array.new(3) { connection.execute(sql, [i, [round, i]]).fetch.to_a } }
          expect(values).to eq(Array.new(6) { |i| [[i, [round, i], round]] * 3 })
        end
        expect(prepared(connection).tally.values).to all(eq(1))
        expect(prepared(connection).size).to eq(20)
      end
    end

    it "each get their own error of a new SQL that fails, and the others their results" do
      connection = cached
      outcomes = at_once(6) do |i|
        Array.new(10) { connection.execute("SELECT 10 / $1::int", [i % 2]).fetch_value }
      rescue Pgconn::DataError => e
        e.sqlstate
      end
      expect(outcomes).to eq(["22012", [10] * 10] * 3)
    end

    it "may each use many more statements than are kept" do
      connection = cached(statement_cache_size: 3)
      values = at_once(4) { |i| Array.new(100) { |n| connection.execute("SELECT #{n % 10}, $1::int", [i]).fetch.to_a } }
      expect(values).to eq(Array.new(4) { |i| Array.new(100) { |n| [n % 10, i] } })
      2.times { connection.execute("SELECT 'last'") }
      expect(name_count(connection)).to be <= 3
    end
  end

  describe "an execution that gives the name, and is ended by" do
    # Each ends the execution of the SQL with the parameter 30.
    endings = {
      "Thread#kill" => lambda do |connection, run|
        thread = in_thread(&run)
        wait_until_running(connection.backend_pid, "pg_sleep")
        expect(thread.kill.join(ConnectionHelpers::SOON)).to be(thread)
      end,
      "Thread#raise" => lambda do |connection, run|
        thread = in_thread(&run)
        wait_until_running(connection.backend_pid, "pg_sleep")
        thread.raise(IndexError)
        expect(outcome_of(thread)).to be_a(IndexError)
      end,
      "Timeout" => lambda do |_, run|
        expect { Timeout.timeout(0.1) { run.call } }.to raise_error(Timeout::Error)
      end,
      "cancel" => lambda do |connection, run|
        thread = in_thread(&run)
        wait_until_running(connection.backend_pid, "pg_sleep")
        connection.cancel
        expect(outcome_of(thread)).to be_a(Pgconn::QueryCanceledError)
      end,
      "an error" => lambda do |connection, run|
        thread = in_thread(&run)
        wait_until_running(connection.backend_pid, "pg_sleep")
        observe("SELECT pg_cancel_backend($1::int)", [connection.backend_pid])
        expect(outcome_of(thread)).to be_a(Pgconn::QueryCanceledError)
      end
    }

    endings.each do |name, ending|
      [1, 2].each do |nth|
        it "#{name} leaves the SQL usable, with one name at most: execution #{nth}" do
          connection = cached(prepare_threshold: nth)
          sql = "SELECT $1::int, pg_sleep($1)"
          (nth - 1).times { connection.execute(sql, [0]) }
          instance_exec(connection, -> { connection.execute(sql, [30]) }, &ending)
          3.times { expect(connection.execute(sql, [0]).fetch[0]).to eq(0) }
          expect(prepared(connection)).to eq([sql])
        end
      end

      it "#{name} leaves the SQL usable in the transaction after" do
        connection = connect(prepare_threshold: 1)
        sql = "SELECT $1::int, pg_sleep($1)"
        instance_exec(connection, -> { connection.execute(sql, [30]) }, &ending)
        connection.rollback
        3.times { expect(connection.execute(sql, [0]).fetch[0]).to eq(0) }
        expect(prepared(connection)).to eq([sql])
      end
    end

    it "its own timeout leaves the SQL usable" do
      connection = cached
      sql = "SELECT $1::int, pg_sleep($1)"
      expect { connection.execute(sql, [30], timeout: 0.1) }.to raise_error(Pgconn::QueryCanceledError)
      3.times { expect(connection.execute(sql, [0], timeout: 10).fetch[0]).to eq(0) }
      expect(prepared(connection)).to eq([sql])
    end
  end

  describe "an error in the execution that gives the name" do
    # SQL, the parameter that fails, the error, one that doesn't.
    [
      ["SELECT 1 / $1::int", [0], Pgconn::Errors::DivisionByZero, [1]],
      ["SELECT 1 WHERE $1::int = 1", ["word"], Pgconn::DataError, [1]],
      ["SELECT ($1::int[])[2]", [[1, 2**40]], Pgconn::DataError, [[0, 1]]],
      ["SELECT length($1::text) + 1", ["a\0"], Pgconn::DataError, [""]],
      ["SELECT $1::int", [1, 2], Pgconn::ProgrammingError, [1]],
      ["SELECT $1::int", [], Pgconn::ProgrammingError, [1]]
    ].each do |sql, bad, error, good|
      it "leaves #{sql} usable after #{bad.inspect}" do
        connection = cached
        3.times do
          expect { connection.execute(sql, bad) }.to raise_error(error)
          expect(connection.execute(sql, good).fetch_value).to eq(1)
        end
        expect(prepared(connection).count(sql)).to eq(1)
      end

      it "leaves #{sql} usable after #{bad.inspect} in a transaction" do
        connection = connect(prepare_threshold: 1)
        3.times do
          expect { connection.execute(sql, bad) }.to raise_error(error)
          connection.rollback
          expect(connection.execute(sql, good).fetch_value).to eq(1)
        end
      end
    end

    it "that comes from its Parse is the same each time, until the cause is gone" do
      connection = cached
      4.times do
        expect { connection.execute("SELECT a FROM later") }
          .to raise_error(Pgconn::Errors::UndefinedTable) { |error| expect(error.diag.position).to eq(15) }
      end
      connection.execute("CREATE TEMP TABLE later AS SELECT 7 AS a")
      3.times { expect(connection.execute("SELECT a FROM later").fetch_value).to eq(7) }
    end
  end

  describe "the settings that SQL is read with" do
    it "are those of now, where client_encoding has changed" do
      connection = cached
      %w[UTF8 LATIN1 UTF8 LATIN1].each do |encoding|
        connection.execute("SET client_encoding = #{encoding}")
        3.times do
          row = connection.execute('SELECT \'ü\', \'Ã¼\', $1::text AS "größe"', ["é"]).fetch
          expect(row.to_a.map { |value| value.encode("UTF-8") }).to eq(%w[ü Ã¼ é])
          expect(row.to_h.keys.last.to_s.encode("UTF-8")).to eq("größe")
          expect(row.to_a.last.encoding).to be(encoding == "UTF8" ? Encoding::UTF_8 : Encoding::ISO_8859_1)
        end
      end
    end

    it "tell SQL apart that has the same bytes in two encodings" do
      connection = cached
      three_times = ->(sql) { Array.new(3) { connection.execute(sql).fetch_value.encode("UTF-8") }.uniq }
      expect(three_times.call("SELECT 'ü'")).to eq(["ü"])
      expect(three_times.call("SELECT 'ü'".dup.force_encoding("ISO-8859-1"))).to eq(["Ã¼"])
      connection.execute("SET client_encoding = LATIN1")
      expect(three_times.call("SELECT 'Ã¼'")).to eq(["Ã¼"])
      expect(three_times.call("SELECT 'ü'")).to eq(["ü"])
    end

    it "are those of now, where standard_conforming_strings has changed" do
      connection = cached
      connection.execute("SET escape_string_warning = off")
      quotes = { "on" => ["SELECT 'a\\'':a' || :a", "a\\':ab"], "off" => ["SELECT 'a\\':a' || :a", "a':ab"] }
      %w[on off on off].each do |setting|
        connection.execute("SET standard_conforming_strings = #{setting}")
        sql, value = quotes.fetch(setting)
        3.times do
          expect(connection.execute("SELECT 'a\\nb'").fetch_value).to eq(setting == "on" ? "a\\nb" : "a\nb")
          expect(connection.execute(sql, a: "b").fetch_value).to eq(value)
        end
      end
    end
  end

  describe "SQL with the same text" do
    it "may be written with names and with numbers, alternately" do
      connection = cached
      4.times do |i|
        expect(connection.execute("SELECT $1::int, '$2'", [i]).fetch).to eq([i, "$2"])
        expect(connection.execute("SELECT :a::int, '$2'", a: i).fetch).to eq([i, "$2"])
        expect(connection.execute("SELECT $1::int, '$2'", { 1 => i }.values).fetch).to eq([i, "$2"])
      end
    end

    it "has a statement for each set of types that the user fixes" do
      connection = cached
      sql = "SELECT $1, pg_typeof($1)::text"
      typed = ->(value, oid) { Pgconn::Typed.new(value, oid) }
      parameters = { typed.call(1, 20) => [1, "bigint"], typed.call("x", 25) => %w[x text], typed.call(1, 23) => [1, "integer"],
                     typed.call([1], 1007) => [[1], "integer[]"], typed.call(nil, 1082) => [nil, "date"] }
      4.times do
        parameters.each { |value, row| expect(connection.execute(sql, [value]).fetch).to eq(row) }
      end
    end

    it "may give the number of parameters wrongly, and is right again" do
      connection = cached
      3.times do
        expect { connection.execute("SELECT :a::int", b: 1) }.to raise_error(Pgconn::ProgrammingError, /:a/)
        expect { connection.execute("SELECT :a::int", a: 1, b: 1) }.to raise_error(Pgconn::ProgrammingError, /b/)
        expect(connection.execute("SELECT :a::int", a: 1).fetch_value).to eq(1)
      end
    end

    it "may be changed by its owner between executions" do
      connection = cached
      sql = +"SELECT 1"
      3.times { expect(connection.execute(sql).fetch_value).to eq(1) }
      sql[-1] = "2"
      3.times { expect(connection.execute(sql).fetch_value).to eq(2) }
    end

    it "may be very long" do
      connection = cached
      texts = %w[a b].map { |letter| "SELECT length('#{"x" * 1_000_000}') /* #{"y" * 1_000_000} */ || '#{letter}'" }
      3.times { texts.zip(%w[1000000a 1000000b]) { |sql, value| expect(connection.execute(sql).fetch_value).to eq(value) } }
    end
  end

  it "statements that aren't queries may be executed again and again" do
    connection = cached
    4.times do
      ["BEGIN", "CREATE TEMP TABLE again (a int)", "INSERT INTO again VALUES (1)", "SAVEPOINT one", "ROLLBACK TO one", "DISCARD PLANS",
       "LISTEN a", "UNLISTEN a", "EXPLAIN SELECT 1", "SHOW TimeZone", "SET LOCAL TimeZone = 'UTC'", "COMMENT ON TABLE again IS 'x'",
       "PREPARE mine AS SELECT 1", "EXECUTE mine", "DEALLOCATE mine", "DO 'BEGIN END'", "ROLLBACK", "RESET ALL", "VACUUM pg_am",
       "DISCARD ALL"].each { |sql| connection.execute(sql) }
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
    end
  end
end
