# frozen_string_literal: true

require "spec_helper"

# What may change under a statement that has a name, or take its name away.
RSpec.describe "The statement cache under changes" do
  include PreparedStatements

  # Executed often enough to be cached in every way.
  def warm(connection, sql, parameters = nil)
    3.times { connection.execute(sql, parameters) }
  end

  def rows_of(connection, sql, parameters = nil)
    connection.execute(sql, parameters).fetch_all.map(&:to_h)
  end

  # The block may raise the first time.
  def at_worst_once(error)
    yield
  rescue error
    yield
  end

  [1, 2, nil].each do |threshold|
    context "with a prepare_threshold of #{threshold.inspect}" do
      let(:connection) { connect(prepare_threshold: threshold) }

      def in_autocommit
        connection.autocommit = true
        yield
      ensure
        connection.autocommit = false
      end

      before do
        in_autocommit do
          connection.execute("CREATE TEMP TABLE thing (a int, b text)")
          connection.execute("INSERT INTO thing VALUES (1, 'x')")
          warm(connection, "SELECT * FROM thing")
          warm(connection, "SELECT * FROM thing WHERE a = $1", [1])
        end
      end

      # The statements that change the table, and its row after them.
      changes = {
        "a new column" => [["ALTER TABLE thing ADD c int DEFAULT 7"], { a: 1, b: "x", c: 7 }],
        "a column that is gone" => [["ALTER TABLE thing DROP b"], { a: 1 }],
        "a column of another type" => [["ALTER TABLE thing ALTER a TYPE numeric USING a + 0.5 - 0.5"], { a: BigDecimal(1), b: "x" }],
        "a column of a type that has no binary form here" => [["ALTER TABLE thing ALTER b TYPE point USING '(1,2)'"], { a: 1, b: "(1,2)" }],
        "another name" => [["ALTER TABLE thing RENAME b TO c"], { a: 1, c: "x" }],
        "a new table of the same name" => [["DROP TABLE thing", "CREATE TEMP TABLE thing (b bool, a int)",
                                            "INSERT INTO thing VALUES (true, 1)"], { b: true, a: 1 }]
      }

      changes.each do |name, (statements, row)|
        describe name do
          it "is unseen in autocommit" do
            connection.autocommit = true
            statements.each { |sql| connection.execute(sql) }
            2.times do
              expect(rows_of(connection, "SELECT * FROM thing")).to eq([row])
              expect(rows_of(connection, "SELECT * FROM thing WHERE a = $1", [1])).to eq([row])
            end
          end

          it "is unseen by the first statement of a transaction, which goes on" do
            in_autocommit { statements.each { |sql| connection.execute(sql) } }
            expect(rows_of(connection, "SELECT * FROM thing")).to eq([row])
            expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INTRANS)
            connection.execute("UPDATE thing SET a = 2")
            connection.rollback
            expect(rows_of(connection, "SELECT * FROM thing")).to eq([row])
          end

          it "is right or an error later in a transaction, and unseen after its end" do
            connection.execute("SELECT 1")
            statements.each { |sql| connection.execute(sql) }
            begin
              expect(rows_of(connection, "SELECT * FROM thing")).to eq([row])
            rescue Pgconn::Errors::FeatureNotSupported => e
              expect(e.message).to include("cached plan must not change result type")
              expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INERROR)
            end
            connection.rollback
            expect(rows_of(connection, "SELECT * FROM thing")).to eq([{ a: 1, b: "x" }])
            expect(rows_of(connection, "SELECT * FROM thing WHERE a = $1", [1])).to eq([{ a: 1, b: "x" }])
          end
        end
      end

      # From which type to which, the value before, the value that only fits the latter.
      [["int", "bigint", 1, 2**40], ["int", "numeric", 1, BigDecimal("1.5")], ["int", "text", 1, "word"], ["text", "int[]", "x", [1]],
       ["int", "date", 1, Date.new(2024)], ["int", "timestamptz", 1, Time.utc(2024, 2, 29, 13)]]
        .each do |from, to, before, after|
        it "a parameter's type that went from #{from} to #{to} is noticed at the second execution at the latest" do
          connection.autocommit = true
          connection.execute("CREATE TEMP TABLE other (c #{from})")
          warm(connection, "INSERT INTO other VALUES ($1)", [before])
          connection.execute("ALTER TABLE other ALTER c TYPE #{to} USING NULL")
          at_worst_once(Pgconn::DataError) { connection.execute("INSERT INTO other VALUES ($1)", [after]) }
          expect(connection.execute("SELECT c FROM other WHERE c IS NOT NULL").fetch_all).to eq([[after]])
        end
      end

      it "a type that is gone, and one of the same name, are noticed at the second execution at the latest" do
        connection.autocommit = true
        statements = { "SELECT $1::pg_temp.mood" => "sad", "INSERT INTO moods VALUES ($1) RETURNING *" => "sad", "SELECT $1::pg_temp.mood[]" => "{sad}" }
        2.times do
          connection.execute("CREATE TYPE pg_temp.mood AS ENUM ('sad', 'glad')")
          connection.execute("CREATE TEMP TABLE moods (a mood)")
          statements.each do |sql, value|
            at_worst_once(Pgconn::InternalError) { connection.execute(sql, [value]) }
            3.times { expect(connection.execute(sql, [value]).fetch_value).to eq(value) }
          end
          ["DROP TABLE moods", "DROP TYPE pg_temp.mood"].each { |sql| connection.execute(sql) }
        end
      end

      { "DISCARD ALL" => true, "DEALLOCATE ALL" => true, "DEALLOCATE PREPARE ALL" => true, "deallocate /* */ all" => true,
        "DO $$BEGIN EXECUTE 'DEALLOCATE ALL'; END$$" => true, "DISCARD PLANS" => false }.each do |sql, gone|
        it "#{sql} is unseen in autocommit" do
          connection.autocommit = true
          4.times do
            connection.execute(sql)
            expect(prepared(connection)).to eq([]) if gone
            3.times { |i| expect(connection.execute("SELECT $1::int", [i]).fetch_value).to eq(i) }
          end
        end
      end

      it "DEALLOCATE ALL is unseen in a transaction, before and after its rollback" do
        connection.execute("SELECT 1")
        connection.execute("DEALLOCATE ALL")
        expect(rows_of(connection, "SELECT * FROM thing")).to eq([{ a: 1, b: "x" }])
        connection.rollback
        expect(rows_of(connection, "SELECT * FROM thing")).to eq([{ a: 1, b: "x" }])
      end

      it "names that are taken away unseen are unseen by the first statement of a transaction" do
        in_autocommit { deallocate_all_unseen(connection) }
        expect(rows_of(connection, "SELECT * FROM thing WHERE a = $1", [1])).to eq([{ a: 1, b: "x" }])
        expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INTRANS)
      end

      it "names that are taken away unseen later in a transaction are an error at worst, and unseen after its end" do
        connection.execute("SELECT 1")
        deallocate_all_unseen(connection)
        begin
          expect(rows_of(connection, "SELECT * FROM thing")).to eq([{ a: 1, b: "x" }])
        rescue Pgconn::Errors::InvalidSqlStatementName
          expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INERROR)
        end
        connection.rollback
        expect(rows_of(connection, "SELECT * FROM thing")).to eq([{ a: 1, b: "x" }])
      end
    end
  end

  it "changes made by another session are unseen, too" do
    observer.execute("CREATE TABLE shared_thing (a int)")
    connection = connect(autocommit: true)
    warm(connection, "SELECT * FROM shared_thing")
    observer.execute("ALTER TABLE shared_thing ADD b int")
    observer.execute("INSERT INTO shared_thing VALUES (1, 2)")
    expect(rows_of(connection, "SELECT * FROM shared_thing")).to eq([{ a: 1, b: 2 }])
  ensure
    observer.execute("DROP TABLE shared_thing")
  end

  it "a name of the driver's that the user deallocates is made again" do
    connection = connect(autocommit: true)
    warm(connection, "SELECT 42")
    name = connection.execute("SELECT name FROM pg_prepared_statements WHERE statement = 'SELECT 42'").fetch_value
    connection.execute("DEALLOCATE #{name}")
    expect(prepared(connection)).to eq([])
    2.times { expect(connection.execute("SELECT 42").fetch_value).to eq(42) }
  end

  it "an error of the user's own EXECUTE is not taken for one of the driver's" do
    connection = connect(autocommit: true)
    warm(connection, "SELECT 1")
    4.times { expect { connection.execute("EXECUTE nobodys") }.to raise_error(Pgconn::Errors::InvalidSqlStatementName) }
    4.times { expect { connection.execute("DEALLOCATE nobodys") }.to raise_error(Pgconn::Errors::InvalidSqlStatementName) }
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "a statement with side effects is not executed twice where it raises by itself what a stale plan raises" do
    connection = connect(autocommit: true)
    connection.execute("CREATE TEMP SEQUENCE calls")
    %w[26000 0A000].each do |state|
      sql = "SELECT nextval('calls'), pg_temp.fail('#{state}')"
      connection.execute(<<~SQL)
        CREATE OR REPLACE FUNCTION pg_temp.fail(state text) RETURNS int LANGUAGE plpgsql AS $$
        BEGIN RAISE 'mine' USING ERRCODE = state; END$$
      SQL
      before = connection.execute("SELECT nextval('calls')").fetch_value
      4.times { expect { connection.execute(sql) }.to raise_error(Pgconn::DatabaseError, /mine/) }
      expect(connection.execute("SELECT nextval('calls')").fetch_value).to eq(before + 5)
    end
  end

  it "a statement with side effects is not executed twice where it doesn't find at run time what it names" do
    connection = connect(autocommit: true)
    connection.execute("CREATE TEMP SEQUENCE calls")
    sql = "SELECT nextval('calls'), $1::text::regclass"
    6.times { |i| expect(connection.execute(sql, ["calls"]).fetch[0]).to eq(i + 1) }
    4.times { expect { connection.execute(sql, ["nonsense"]) }.to raise_error(Pgconn::Errors::UndefinedTable) }
    expect(connection.execute("SELECT nextval('calls')").fetch_value).to eq(11)
  end

  it "search_path decides anew which table is meant" do
    connection = connect
    connection.execute("CREATE SCHEMA one")
    connection.execute("CREATE SCHEMA two")
    connection.execute("CREATE TABLE one.place AS SELECT 'one' AS name")
    connection.execute("CREATE TABLE two.place AS SELECT 'two' AS name")
    3.times do
      %w[one two].each do |schema|
        connection.execute("SET search_path = #{schema}")
        expect(connection.execute("SELECT * FROM place").fetch_value).to eq(schema)
      end
    end
  end
end
