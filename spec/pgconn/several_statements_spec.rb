# frozen_string_literal: true

require "spec_helper"
require "tmpdir"

RSpec.describe "Several statements in one string" do
  include PreparedStatements

  let(:connection) { connect(autocommit: true) }
  let(:cursor) { connection.cursor }

  # What each of the results gives: its rows, or the command tag.
  def results_of(cursor)
    results = []
    loop do
      results << (cursor.description ? cursor.fetch_all.map(&:to_a) : cursor.statusmessage)
      return results unless cursor.next_result
    end
  end

  def results(sql)
    results_of(cursor.execute(sql))
  end

  describe "are all executed, and #next_result" do
    before { cursor.execute("CREATE TEMP TABLE t (id int); INSERT INTO t VALUES (1), (2); SELECT id, -id AS minus FROM t") }

    it "goes on from one result to the next, with all that a cursor tells of it" do
      seen = [[cursor.statusmessage, cursor.rowcount, cursor.rownumber, cursor.description]]
      expect(cursor.next_result).to be(true)
      seen << [cursor.statusmessage, cursor.rowcount, cursor.rownumber, cursor.description]
      expect(cursor.next_result).to be(true)
      seen << [cursor.statusmessage, cursor.rowcount, cursor.rownumber, cursor.description.map(&:name)]
      expect(seen).to eq([["CREATE TABLE", -1, nil, nil], ["INSERT 0 2", 2, nil, nil], ["SELECT 2", 2, 0, %w[id minus]]])
      expect(cursor.fetch_all.map(&:to_h)).to eq([{ id: 1, minus: -1 }, { id: 2, minus: -2 }])
    end

    it "is false behind the last one, and then there are no results to fetch" do
      2.times { cursor.next_result }
      2.times { expect(cursor.next_result).to be(false) }
      expect { cursor.fetch }.to raise_error(Pgconn::ProgrammingError, "no results to fetch")
      expect([cursor.description, cursor.rowcount, cursor.rownumber, cursor.statusmessage]).to eq([nil, -1, nil, nil])
    end

    it "leaves rows behind that weren't fetched" do
      cursor.execute("SELECT generate_series(1, 3); SELECT 'next'")
      cursor.fetch
      cursor.next_result
      expect([cursor.rownumber, cursor.fetch_all]).to eq([0, [["next"]]])
    end

    it "doesn't change the query, which is the text as it was given" do
      cursor.next_result
      expect(cursor.query).to eq("CREATE TEMP TABLE t (id int); INSERT INTO t VALUES (1), (2); SELECT id, -id AS minus FROM t")
    end

    it "is false after another execute, which drops what is left, also when it fails" do
      expect([cursor.execute("SELECT 1").next_result, cursor.statusmessage]).to eq([false, nil])
      cursor.execute("SELECT 1; SELECT 2")
      expect { cursor.execute("SELECT 1/0") }.to raise_error(Pgconn::DataError)
      expect(cursor.next_result).to be(false)
    end

    it "is called nextset, too" do
      expect([cursor.nextset, cursor.statusmessage]).to eq([true, "INSERT 0 2"])
    end

    it "raises InterfaceError once the cursor or the connection is closed" do
      other = connection.cursor.execute("SELECT 1; SELECT 2")
      cursor.close
      expect { cursor.next_result }.to raise_error(Pgconn::InterfaceError)
      connection.close
      expect { other.next_result }.to raise_error(Pgconn::InterfaceError)
    end

    it "still gives what had arrived after the connection was lost" do
      cursor = connection.execute("SELECT 1; SELECT 2")
      observe("SELECT pg_terminate_backend($1)", [connection.backend_pid])
      expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::ConnectionLost)
      expect([cursor.fetch_value, cursor.next_result, cursor.fetch_value]).to eq([1, true, 2])
    end

    it "may be called while rows are being made" do
      inner = nil
      shape = lambda do |_, values|
        inner&.next_result
        values
      end
      inner = connection.cursor(row: shape).execute("SELECT generate_series(1, 3); SELECT 'other'; SELECT 3")
      expect(inner.fetch_all).to eq([[1], [2], [3]])
      expect(inner.next_result).to be(false)
    end
  end

  it "are executed by Connection#execute, too, which gives the cursor with the first result", :gc_stress do
    expect(results_of(connection.execute("SELECT 1; SELECT 2, 3"))).to eq([[[1]], [[2, 3]]])
  end

  it "don't count where they are empty" do
    expect(results(" ;; SELECT 1;/* ; */; -- ;\n; SELECT 2; ;")).to eq([[[1]], [[2]]])
  end

  it "may be thousands" do
    connection.execute("CREATE TEMP TABLE many (id int)")
    given = results("#{"INSERT INTO many VALUES (1);" * 3000} SELECT count(*) FROM many")
    expect(given.tally).to eq({ "INSERT 0 1" => 3000, [[3000]] => 1 })
  end

  it "have no effect where an error of syntax is anywhere in the string" do
    expect { cursor.execute("CREATE TEMP TABLE none (); SELEC 1") }.to raise_error(Pgconn::Errors::SyntaxError)
    expect(connection.execute("SELECT to_regclass('none')").fetch_value).to be_nil
  end

  describe "have values" do
    it "equal to those of a single statement, whatever their types" do
      sql = "SELECT 1::int2, 2::int8, 1.5::float8, 1.50::numeric, true, 'ä'::text, '\\x00ff'::bytea, '2024-02-29'::date, " \
            "'2024-02-29 12:00+01'::timestamptz, '1 day'::interval, '{\"a\": [1]}'::jsonb, ARRAY[[1], [NULL]]::int[], int4range(1, 5), NULL"
      3.times { connection.execute(sql) } # the third time in binary
      single = connection.execute(sql).fetch.to_a
      cursor.execute("SELECT 0; #{sql}").next_result
      expect(cursor.fetch.to_a).to eql(single)
    end

    it "as the cursor's row: says, for each result by its own columns" do
      cursor = connection.cursor(row: :hash).execute("SELECT 1 AS a; SELECT 2 AS b, 3 AS c")
      cursor.next_result.then { expect(cursor.fetch_all).to eq([{ b: 2, c: 3 }]) }
      expect(cursor.execute("SELECT 1 AS a; SELECT 2 AS b").fetch).to eq({ a: 1 })
    end

    it "of types that were registered" do
      connection.execute("CREATE TYPE pg_temp.pair AS (a int, b text)")
      connection.types.register_composite("pg_temp.pair")
      cursor.execute("SELECT 1; SELECT ROW(1, 'x')::pg_temp.pair").next_result
      expect(cursor.fetch_value.to_a).to eq([1, "x"])
    end

    it "in the encoding that held when each was executed" do
      texts = results("SELECT 'ä'; SET client_encoding TO latin1; SELECT 'ö'").values_at(0, 2).flatten
      expect(texts).to eq(["ä", "ö".encode("ISO-8859-1")])
      expect(texts.map(&:encoding)).to eq([Encoding::UTF_8, Encoding::ISO_8859_1])
      expect(connection.execute("SELECT 'ü'").fetch_value).to eq("ü".encode("ISO-8859-1"))
    end
  end

  describe "with parameters" do
    it "are a ProgrammingError that says so, before anything is sent" do
      connection = connect
      [["SELECT $1::int; SELECT 2", [1]], ["SELECT 1; SELECT 2", [1]], ["SELECT :a::int; SELECT 2", { a: 1 }]].each do |sql, params|
        expect { connection.execute(sql, params) }
          .to raise_error(Pgconn::ProgrammingError, /several statements .* can't have parameters/), sql
      end
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
    end

    it "of which there are none, are fine" do
      expect([[], {}, nil].map { |none| cursor.execute("SELECT 1; SELECT 2", none).fetch_value }).to eq([1, 1, 1])
      expect { cursor.execute("SELECT 1; SELECT $1::int") }.to raise_error(Pgconn::ProgrammingError, /0 parameters given/)
    end
  end

  describe "are told from one by their ;" do
    [
      "SELECT ';', E'\\';', U&';', B'1', $$;$$, $a$ $$ ; $a$", %(SELECT 1 AS ";"), "SELECT 1 /* ; /* ; */ ; */ -- ;",
      "SELECT 1;", "SELECT 1 ; -- ; the end\n", ";SELECT 1;;", "/* ; */ ; SELECT 1", "SELECT 'a'\n  ';'"
    ].each do |sql|
      it "not in #{sql.inspect}, which is prepared as any other" do
        2.times { connection.execute(sql) }
        expect(prepared(connection)).to include(sql)
      end
    end

    it "also where a backslash in a string is an ordinary character, and where it isn't" do
      expect(results("SELECT 'a\\'; SELECT 'b;'")).to eq([[["a\\"]], [["b;"]]])
      connection.execute("SET standard_conforming_strings = off; SET escape_string_warning = off")
      expect(results("SELECT 'a\\'; SELECT ' || 'b;'; SELECT 2")).to eq([[["a'; SELECT b;"]], [[2]]])
    end

    it "also in SQL of an encoding that has ASCII within its characters" do
      sql = "SELECT E'ソ'; SELECT 'ソ'".encode("Windows-31J")
      expect(results(sql)).to eq([[["ソ"]], [["ソ"]]])
    end

    it "but a function's body may have them: a statement that can't be told from several works as one", :no_leaks do
      skip "BEGIN ATOMIC is new in 14" if connection.server_version < 140_000
      sql = "CREATE FUNCTION pg_temp.two(a int) RETURNS int BEGIN ATOMIC SELECT $1; SELECT 2 * $1; END"
      expect(results(sql)).to eq(["CREATE FUNCTION"])
      expect(connection.execute("SELECT pg_temp.two(21)").fetch_value).to eq(42)
    end

    it "and so may a rule" do
      connection.execute("CREATE TEMP TABLE a (id int); CREATE TEMP TABLE b (id int)")
      connection.execute("CREATE RULE twice AS ON INSERT TO a DO ALSO (INSERT INTO b VALUES (NEW.id); INSERT INTO b VALUES (-NEW.id))")
      connection.execute("INSERT INTO a VALUES (5)")
      expect(connection.execute("SELECT id FROM b ORDER BY id").column(0)).to eq([-5, 5])
    end
  end

  it "are never prepared, and leave those alone that are" do
    2.times { connection.execute("SELECT 'named'") }
    3.times { connection.execute("SELECT 'one'; SELECT 'two'") }
    expect(prepared(connection)).to eq(["SELECT 'named'"])
    expect(connection.execute("SELECT 'named'").fetch_value).to eq("named")
  end

  it "make the driver forget its prepared statements where one of them is DISCARD ALL's or DEALLOCATE ALL's" do
    3.times { connection.execute("SELECT 'named'") }
    connection.execute("SELECT 1; DEALLOCATE ALL; SELECT 2")
    3.times { expect(connection.execute("SELECT 'named'").fetch_value).to eq("named") }
    expect(name_count(connection)).to be > 0
  end

  it "cost one round trip, together with the BEGIN of their transaction" do
    through_proxy(delay: 0.03) do |proxy|
      connection = connect_tcp(port: proxy.port)
      expect(proxy.round_trips { results_of(connection.execute("SELECT 1; SELECT 2; SELECT 3")) }).to eq(1)
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INTRANS)
    end
  end

  it "wait for what the driver has to set first" do
    unusual = connect(options: "-c datestyle=German -c intervalstyle=sql_standard")
    cursor = unusual.execute("SELECT '2024-02-03'::date; SELECT '1 day'::interval")
    expect(results_of(cursor)).to eq([[[Date.new(2024, 2, 3)]], [[Pgconn::Interval.new(days: 1)]]])
    expect(unusual.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INTRANS)
  end

  it "may be large, and noisy while they are sent" do
    noise = "DO $$BEGIN FOR i IN 1..2000 LOOP RAISE NOTICE '%', repeat('n', 500); END LOOP; END$$;"
    cursor = connection.execute("#{noise} SELECT length('#{"x" * 1_000_000}'); #{noise} SELECT 'end'")
    expect(results_of(cursor)).to eq(["DO", [[1_000_000]], "DO", [["end"]]])
    expect(connection.notices.size).to eq(50)
  end

  describe "COPY among them" do
    before { connection.execute("CREATE TEMP TABLE t (id int); INSERT INTO t SELECT generate_series(1, 100000)") }

    it "FROM STDIN is ended, all are rolled back, and ProgrammingError is raised" do
      expect { connection.execute("INSERT INTO t VALUES (0); COPY t FROM STDIN; SELECT 1") }.to raise_error(Pgconn::ProgrammingError, /COPY/)
      expect(connection.execute("SELECT count(*) FROM t").fetch_value).to eq(100_000)
    end

    it "TO STDOUT is read to its end, the others are executed, and ProgrammingError is raised" do
      expect { connection.execute("SELECT 1; COPY t TO STDOUT; COPY t TO STDOUT; INSERT INTO t VALUES (0)") }
        .to raise_error(Pgconn::ProgrammingError, /COPY/)
      expect(connection.execute("SELECT count(*) FROM t").fetch_value).to eq(100_001)
    end

    it "that the server does by itself is fine" do
      Dir.mktmpdir do |folder|
        File.chmod(0o777, folder)
        expect(results("SELECT 1; COPY (SELECT 5) TO '#{folder}/five'; SELECT 2")).to eq([[[1]], "COPY 1", [[2]]])
      end
    end

    it "leaves the connection in step, in a transaction after rollback" do
      connection = connect
      ["SELECT 1; COPY pg_class TO STDOUT", "CREATE TEMP TABLE c (id int); COPY c FROM STDIN"].each do |sql|
        expect { connection.execute(sql) }.to raise_error(Pgconn::ProgrammingError)
        connection.rollback
        expect(connection.execute("SELECT 'own'").fetch_value).to eq("own")
      end
    end

    it "is refused before anything is sent where it is the first" do
      connection = connect
      expect { connection.execute("COPY pg_class TO STDOUT; SELECT 1") }.to raise_error(Pgconn::ProgrammingError, /COPY/)
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
    end
  end
end
