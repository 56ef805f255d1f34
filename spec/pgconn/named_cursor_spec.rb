# frozen_string_literal: true

require "spec_helper"

RSpec.describe "A named cursor" do
  let(:connection) { connect }
  let(:cursor) { connection.cursor("rows") }

  def series(count) = "SELECT i FROM generate_series(1, #{count}) AS i"

  # A cursor of that many rows.
  def declared(count, **options)
    connection.cursor("rows", **options).execute(series(count))
  end

  def values(rows) = rows.map { |row| row[0] }

  # What is open on the server besides the unnamed portal of this very query.
  def open_cursors
    connection.execute("SELECT name FROM pg_cursors WHERE name <> ''").column(0)
  end

  # The statements that the block has the connection execute.
  def statements
    told = []
    connection.tracer = ->(event) { told << event.sql }
    yield
    told
  ensure
    connection.tracer = nil
  end

  describe "'s name" do
    names = ["rows", "two words", 'a "quoted" one', "x; DROP TABLE x", "a:b", "ä" * 31, '"' * 63, "n" * 63, "UPPER", "$1"]

    names.each do |name|
      it "can be #{name.inspect}" do
        named = connection.cursor(name).execute(series(3))
        expect(open_cursors).to eq([name])
        expect(values(named)).to eq([1, 2, 3])
        named.close
        expect(open_cursors).to eq([])
        expect(named.name).to eq(name)
      end
    end

    it "can be a Symbol" do
      expect(connection.cursor(:rows).name).to eq("rows")
    end

    it "can have characters that the client encoding has, in another encoding than UTF-8, too" do
      connection.client_encoding = "LATIN1"
      named = connection.cursor("Größe").execute("SELECT 'ß'::text AS \"ä\"")
      expect(named.description.map(&:name)).to eq(["ä"])
      expect(named.fetch_value.encode("UTF-8")).to eq("ß")
      expect { connection.cursor("€").execute("SELECT 1") }.to raise_error(Pgconn::DataError)
    end

    it "is refused when it is longer than 63 bytes, which the server would truncate" do
      expect { connection.cursor("n" * 64) }.to raise_error(ArgumentError, /at most 63 bytes, and this has 64/)
      expect { connection.cursor("ä" * 32) }.to raise_error(ArgumentError, /this has 64/)
    end

    it "is refused when it is empty, has a NUL byte or is no name" do
      expect { connection.cursor("") }.to raise_error(ArgumentError, /empty/)
      expect { connection.cursor("a\0b") }.to raise_error(Pgconn::DataError, /NUL/)
      [1, ["a"], Object].each { |wrong| expect { connection.cursor(wrong) }.to raise_error(TypeError) }
    end
  end

  describe "is declared" do
    { nil => "", true => " SCROLL", false => " NO SCROLL" }.each do |scrollable, word|
      it "with#{word.empty? ? " neither word" : word} for scrollable: #{scrollable.inspect}" do
        named = connection.cursor("rows", scrollable: scrollable).execute("SELECT 1")
        expect(named.query).to eq(%(DECLARE "rows"#{word} CURSOR WITHOUT HOLD FOR SELECT 1))
        expect(named.scrollable).to be(scrollable)
      end
    end

    it "WITH HOLD for withhold: true" do
      named = connection.cursor("rows", withhold: true).execute("SELECT 1")
      expect(named.query).to eq('DECLARE "rows" CURSOR WITH HOLD FOR SELECT 1')
      expect([named.withhold, cursor.withhold]).to eq([true, false])
    end

    it "with parameters that are bound on the server, by position and by name" do
      cursor.execute("SELECT i, $1::text FROM generate_series(1, $2::int) AS i", ["it's", 2])
      expect(cursor.to_a).to eq([[1, "it's"], [2, "it's"]])
      other = connection.cursor("other: $1").execute("SELECT :a::int + :b::int AS sum", a: 1, b: 2)
      expect(other.fetch_value).to eq(3)
      third = connection.cursor("third").execute("SELECT $1::int[]", [[1, nil]])
      expect(third.fetch_value).to eq([1, nil])
    end

    it "with composed SQL" do
      cursor.execute(Pgconn::SQL.format("SELECT {}", Pgconn::SQL::Literal.new(7)))
      expect(cursor.fetch_value).to eq(7)
    end

    it "with columns that are known before the first fetch, and without a round trip for them" do
      through_proxy(delay: 0.03) do |proxy|
        far = closed_later(connect_tcp(port: proxy.port))
        named = far.cursor("rows")
        expect(proxy.round_trips { named.execute("SELECT 1 AS a, 'x'::text AS b") }).to eq(1)
        expect(proxy.round_trips { named.description }).to eq(0)
        expect(named.description.map(&:name)).to eq(%w[a b])
        expect(named.rowcount).to eq(-1)
        expect(named.rownumber).to eq(0)
        expect(named.statusmessage).to eq("DECLARE CURSOR")
      end
    end

    it "once only" do
      cursor.execute("SELECT 1")
      expect { cursor.execute("SELECT 2") }.to raise_error(Pgconn::ProgrammingError, /once only/)
      expect(cursor.fetch_value).to eq(1)
    end

    it "again after an execute that failed" do
      expect { cursor.execute("SELECT nonsense") }.to raise_error(Pgconn::Errors::UndefinedColumn)
      connection.rollback
      expect(cursor.execute("SELECT 1").fetch_value).to eq(1)
    end

    it "for SELECT, VALUES and TABLE, WITH before them or not; for others that give rows it is the server's syntax error" do
      connection.execute("CREATE TEMP TABLE returned AS SELECT 1 AS i")
      connection.commit
      ["SELECT 1", "VALUES (1)", "TABLE returned", "WITH one AS (SELECT 1) SELECT * FROM one"].each do |sql|
        expect(connection.cursor("of #{sql}").execute(sql).fetch_value).to eq(1)
      end
      ["INSERT INTO returned VALUES (2) RETURNING i", "EXPLAIN SELECT 1", "SHOW work_mem"].each do |sql|
        expect { connection.cursor("rows").execute(sql) }.to raise_error(Pgconn::Errors::SyntaxError)
        connection.rollback
      end
    end

    it "for one statement that gives rows: ProgrammingError for others, and nothing is sent for several" do
      expect { cursor.execute("") }.to raise_error(Pgconn::ProgrammingError, /empty/)
      expect { cursor.execute(" ; -- nothing") }.to raise_error(Pgconn::ProgrammingError, /empty/)
      expect { cursor.execute("SELECT 1; SELECT 2") }.to raise_error(Pgconn::ProgrammingError, /several/)
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
      expect { cursor.execute("COMMIT") }.to raise_error(Pgconn::ProgrammingError, /syntax/)
    end

    it "with errors whose query and position are those of the user's own text" do
      sql = "SELECT :a::int, nonsense"
      error = begin
        cursor.execute(sql, a: 1)
      rescue Pgconn::ProgrammingError => e
        e
      end
      expect(error.query).to eq(sql)
      expect(error.diag.position).to eq(sql.index("nonsense") + 1)
    end
  end

  it "refuses execute_many, callproc and stream" do
    %w[execute_many executemany callproc stream].each do |method|
      expect { cursor.public_send(method, "SELECT 1", []) }.to raise_error(Pgconn::ProgrammingError, /named cursor/)
    end
  end

  it "is a cursor of the factory, with rows of its shape" do
    named = connection.cursor("rows", cursor_factory: Pgconn::HashCursor).execute("SELECT 1 AS a")
    expect(named).to be_a(Pgconn::HashCursor)
    expect(named.fetch).to eq({ a: 1 })
    structs = connection.cursor("structs", cursor_factory: Pgconn::StructCursor).execute("SELECT 1 AS a")
    expect(structs.fetch.a).to eq(1)
    expect(connection.cursor("arrays", row: :array).execute("SELECT 1").fetch_all).to eq([[1]])
    expect(connection.cursor("calls", row: ->(_, values) { values.sum }).execute("SELECT 1, 2").fetch_all).to eq([3])
  end

  it "without a name has neither scrollable nor withhold" do
    expect { connection.cursor(withhold: true) }.to raise_error(ArgumentError, /with a name/)
    expect { connection.cursor(scrollable: false) }.to raise_error(ArgumentError, /with a name/)
    expect(connection.cursor).to have_attributes(name: nil, scrollable: nil, withhold: false)
    expect { connection.cursor("x", withhold: "no") }.to raise_error(ArgumentError, /withhold/)
    expect { connection.cursor("x", scrollable: "no") }.to raise_error(ArgumentError, /scrollable/)
  end

  describe "in autocommit" do
    let(:connection) { connect(autocommit: true) }

    it "outside of transaction { } and without hold raises ProgrammingError, and sends nothing" do
      expect { cursor.execute("SELECT 1") }.to raise_error(Pgconn::ProgrammingError, /transaction \{ \}.*withhold/) do |error|
        expect(error.outcome).to eq(:not_sent)
      end
      expect { cursor.execute("SELECT $1::int[]", [[1]]) }.to raise_error(Pgconn::ProgrammingError, /withhold/)
    end

    it "works in transaction { }, and in a transaction that the user's BEGIN began" do
      expect(connection.transaction { values(declared(3)) }).to eq([1, 2, 3])
      connection.execute("BEGIN")
      expect(values(declared(2))).to eq([1, 2])
    end

    it "works with hold, and begins no transaction" do
      named = declared(3, withhold: true)
      expect(named.fetch_value).to eq(1)
      expect(named.fetch_all).to eq([[2], [3]])
      named.close
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
      expect(open_cursors).to eq([])
    end
  end

  describe "is read" do
    it "in pages of itersize rows, 2000 at first, with at most ceil((N + 1) / itersize) round trips for N rows" do
      expect(cursor.itersize).to eq(2000)
      { 0 => 1, 1 => 1, 9 => 1, 10 => 2, 11 => 2, 19 => 2, 20 => 3 }.each do |rows, most|
        named = connection.cursor("of #{rows}")
        named.itersize = 10
        named.execute(series(rows))
        told = statements { expect(values(named)).to eq([*1..rows]) }
        expect(told.size).to be <= most
        expect(told.uniq).to eq([%(FETCH FORWARD 10 FROM "of #{rows}")])
      end
    end

    it "to its end, of which it isn't asked again" do
      named = declared(3)
      named.each { nil }
      expect(statements { expect([named.fetch, named.fetch_all, named.to_a, named.fetch_value]).to eq([nil, [], [], nil]) }).to eq([])
    end

    it "with what a break has left of a page given by the next fetch" do
      named = declared(10)
      named.itersize = 4
      named.each { |row| break if row[0] == 2 }
      expect(statements { expect(named.fetch).to eq([3]) }).to eq([])
      expect(named.fetch_many(3)).to eq([[4], [5], [6]])
      named.each { |row| break if row[0] == 7 }
      expect(named.rownumber).to eq(7)
      expect(named.column(:i)).to eq([8, 9, 10])
      expect(named.rownumber).to eq(10)
    end

    it "with an exception of the block leaving the rows behind it" do
      named = declared(3)
      expect { named.each { |row| raise IndexError if row[0] == 1 } }.to raise_error(IndexError)
      expect(named.to_a).to eq([[2], [3]])
    end

    it "row by row by fetch and fetch_value, so that WHERE CURRENT OF means the row" do
      connection.execute("CREATE TEMP TABLE numbers AS #{series(3)}")
      named = connection.cursor("rows").execute("SELECT i FROM numbers FOR UPDATE")
      named.fetch
      expect(named.fetch_value).to eq(2)
      connection.execute('DELETE FROM numbers WHERE CURRENT OF "rows"')
      expect(connection.execute("SELECT i FROM numbers").column(0)).to eq([1, 3])
    end

    it "by fetch_many with as many rows as there are, the rest for a negative number, and arraysize by default" do
      named = declared(8)
      expect(named.fetch_many).to eq([[1]])
      named.arraysize = 2
      expect(named.fetch_many).to eq([[2], [3]])
      expect(named.fetch_many(0)).to eq([])
      expect(named.fetch_many(2)).to eq([[4], [5]])
      expect(named.rowcount).to eq(2)
      expect(named.fetch_many(-1)).to eq([[6], [7], [8]])
      expect(named.fetch_many(5)).to eq([])
      expect(named.fetchmany(2**40)).to eq([])
      expect { named.fetch_many("2") }.to raise_error(TypeError)
    end

    it "by the names of DB-API" do
      named = declared(4)
      expect([named.fetchone, named.fetchmany(1), named.fetchall, named.nextset]).to eq([[1], [[2]], [[3], [4]], false])
    end

    it "by column, whose name is checked also where there are no rows" do
      named = declared(0)
      expect(named.column("i")).to eq([])
      expect { named.column("j") }.to raise_error(KeyError)
    end

    it "by what Enumerable has, lazily" do
      named = declared(10)
      named.itersize = 2
      told = statements { expect(named.lazy.map { |row| row[0] * 2 }.first(3)).to eq([2, 4, 6]) }
      expect(told.size).to eq(2)
      expect(named.each.next).to eq([4])
    end

    it "in binary where all types allow it, and right where a cursor of the same name has others" do
      { "SELECT 1.5::float8 AS a, 2 AS b" => [1.5, 2], "SELECT '(1,2)'::point AS a, 2 AS b" => ["(1,2)", 2],
        "SELECT 'x'::text AS c" => ["x"], "SELECT now()::date - now()::date AS a, NULL::int4 AS b" => [0, nil] }.each do |sql, row|
        2.times do
          named = connection.cursor("rows").execute(sql)
          expect(named.fetch_all).to eq([row])
          named.close
        end
      end
    end

    it "without a statement prepared for each FETCH" do
      named = declared(10)
      named.itersize = 2
      named.to_a
      expect(connection.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'FETCH%'").fetch_value).to eq(0)
    end

    it "with a name's sizes checked" do
      [0, -1, 2**31, 2**70].each do |wrong|
        expect { cursor.itersize = wrong }.to raise_error(ArgumentError, /itersize/)
        expect { cursor.arraysize = wrong }.to raise_error(ArgumentError, /arraysize/)
      end
      expect { cursor.itersize = nil }.to raise_error(TypeError)
      expect([cursor.itersize, cursor.arraysize]).to eq([2000, 1])
    end
  end

  describe "scrolls" do
    let(:named) { declared(10, scrollable: true).tap { |made| made.itersize = 4 } }

    it "by MOVE, forward and back, relative and absolute" do
      expect(named.scroll(3)).to be(named)
      expect(named.fetch_value).to eq(4)
      expect(named.scroll(-3).fetch_value).to eq(2)
      expect(named.scroll(8, :absolute).fetch_value).to eq(9)
      expect(named.scroll(0, "absolute").fetch_all).to eq((1..10).map { |i| [i] })
      expect(named.scroll(-1, "relative").fetch_value).to eq(10)
    end

    it "from the row that was read, where a page is half read, with nothing sent within the page" do
      named.each { |row| break if row[0] == 2 }
      expect(statements { named.scroll(1) }).to eq([])
      expect(named.fetch_value).to eq(4)
      expect(named.scroll(-4).fetch_value).to eq(1)
      named.each { |row| break if row[0] == 2 }
      expect(named.scroll(5).fetch_value).to eq(8)
      named.scroll(-3)
      expect(named.rownumber).to eq(5)
      expect(named.fetch_many(9).size).to eq(5)
    end

    it "out of range without an error: before the first and behind the last row" do
      expect(named.scroll(-5).fetch_value).to eq(1)
      expect(named.scroll(100).fetch).to be_nil
      expect(named.rownumber).to eq(10)
      expect(named.scroll(-2).fetch_value).to eq(9)
      expect(named.scroll(-100).fetch_value).to eq(1)
      expect(named.scroll(50, :absolute).fetch).to be_nil
      expect(named.scroll(2**40).fetch).to be_nil
      expect(named.scroll(-2**40).fetch_value).to eq(1)
      expect(named.scroll(-1, :absolute).fetch_value).to eq(1)
    end

    it "to where each fetch is right, whatever was read and skipped before" do
      random = Random.new(7)
      position = 0
      200.times do
        case random.rand(4)
        when 0
          position = (position + (step = random.rand(-12..12))).clamp(0, 10)
          named.scroll(step)
        when 1 then named.scroll(position = random.rand(0..10), :absolute)
        when 2
          expect(values(named.fetch_many(count = random.rand(1..4)))).to eq([*1..10][position, count])
          position = [position + count, 10].min
        else
          limit = position + random.rand(1..3)
          named.each { |row| break if row[0] == limit }
          position = [limit, 10].min
        end
        expect(named.rownumber).to eq(position)
      end
    end

    it "forward only with NO SCROLL" do
      forward = declared(10, scrollable: false)
      expect(forward.scroll(3).fetch_value).to eq(4)
      expect(forward.scroll(6, :absolute).fetch_value).to eq(7)
      expect { forward.scroll(-2) }.to raise_error(Pgconn::Errors::ObjectNotInPrerequisiteState)
    end

    it "by relative and absolute only, and by whole numbers" do
      expect { named.scroll(1, :sideways) }.to raise_error(ArgumentError, /:relative or :absolute/)
      expect { named.scroll("1") }.to raise_error(TypeError)
    end
  end

  describe "that a function has opened" do
    before do
      connection.execute(<<~SQL)
        CREATE FUNCTION pg_temp.opened(name refcursor, count int) RETURNS refcursor LANGUAGE plpgsql AS $$
        BEGIN OPEN name SCROLL FOR SELECT i, '(1,2)'::point FROM generate_series(1, count) AS i; RETURN name; END $$
      SQL
      connection.cursor.callproc(%w[pg_temp opened], ["ref \"1\"", 5])
    end

    let(:named) { connection.cursor("ref \"1\"") }

    it "is fetched from without execute, by each way of fetching" do
      expect(named.description).to be_nil
      expect(named.fetch).to eq([1, "(1,2)"])
      expect(named.description.map(&:name)).to eq(%w[i point])
      expect(named.fetch_many(2)).to eq([[2, "(1,2)"], [3, "(1,2)"]])
      expect(values(named)).to eq([4, 5])
      named.close
      expect(open_cursors).to eq([])
    end

    it "can be scrolled before and after it was fetched from" do
      expect(named.scroll(2).fetch_value).to eq(3)
      expect(named.scroll(-3).fetch_value).to eq(1)
      expect(named.scroll(3, :absolute).fetch_value).to eq(4)
    end

    it "can be scrolled past its end and before its beginning, and back" do
      expect(named.scroll(100, :absolute).fetch).to be_nil
      expect(named.scroll(3, :absolute).fetch_value).to eq(4)
      expect(named.scroll(100, :absolute).scroll(-1).fetch_value).to eq(5)
      expect(named.scroll(-100).fetch_value).to eq(1)
      expect([named.scroll(2, :absolute).fetch_value, named.rownumber]).to eq([3, 3])
    end

    it "can't be executed once it was fetched from" do
      named.fetch
      expect { named.execute("SELECT 1") }.to raise_error(Pgconn::ProgrammingError, /once only/)
    end

    it "ends with the transaction" do
      named.fetch
      connection.commit
      expect { named.fetch }.to raise_error(Pgconn::ProgrammingError, /isn't valid anymore/)
    end

    it "raises the server's error if there is none of that name" do
      expect { connection.cursor("none").fetch }.to raise_error(Pgconn::Errors::InvalidCursorName, /none/)
    end
  end

  it "that SQL has declared WITH HOLD is read in autocommit, with withhold: true" do
    alone = connect(autocommit: true)
    alone.execute("DECLARE held CURSOR WITH HOLD FOR SELECT generate_series(1, 3)")
    held = alone.cursor("held", withhold: true)
    expect([held.fetch, held.fetch_all]).to eq([[1], [[2], [3]]])
  end

  it "that SQL has declared isn't read in autocommit without that, and keeps its rows" do
    alone = connect(autocommit: true)
    alone.execute("DECLARE held CURSOR WITH HOLD FOR SELECT generate_series(1, 3)")
    expect { alone.cursor("held").fetch }.to raise_error(Pgconn::ProgrammingError, /withhold: true/)
    expect(alone.cursor("held", withhold: true).fetch_value).to eq(1)
    expect(alone.transaction { alone.cursor("held").fetch_value }).to eq(2)
  end
end
