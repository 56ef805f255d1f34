# frozen_string_literal: true

require "spec_helper"
require "pathname"
require "stringio"
require "tmpdir"
require "tempfile"

RSpec.describe "COPY" do
  let(:connection) { connect(autocommit: true).tap { |connection| prepare(connection) } }

  def prepare(connection)
    connection.execute("CREATE TEMP TABLE things (id int, name text, at timestamptz, data bytea)")
  end

  def things(connection)
    connection.execute("SELECT * FROM things ORDER BY id").fetch_all.map(&:to_a)
  end

  def expect_usable(connection)
    connection.rollback
    3.times { |number| expect(connection.execute("SELECT $1::int", [number]).fetch_value).to eq(number) }
  end

  def open_files(path)
    ObjectSpace.each_object(File).select { |file| !file.closed? && file.path == path.to_s }
  end

  def fail_after(copy, row)
    copy << row
    raise KeyError
  end

  let(:rows) do
    [[1, "one\t\\two\nthree", Time.utc(2024, 2, 29, 1, 2, 3), "\x00\xFF".b], [2, nil, nil, nil], [3, "", nil, "".b]]
  end

  describe "in, of rows:" do
    %i[binary text csv].each do |format|
      it "takes typed values in the format #{format}, and gives their number" do
        expect(connection.copy_in("things", format: format) { |copy| rows.each { |row| copy << row } }).to eq(3)
        expect(things(connection)).to eq(rows)
      end
    end

    it "takes an Enumerable of Arrays or Rows" do
      expect(connection.copy_in("things", rows.lazy)).to eq(3)
      again = connection.execute("SELECT * FROM things").fetch_all
      connection.execute("TRUNCATE things")
      expect(connection.copy_in("things", again)).to eq(3)
      expect(things(connection)).to eq(rows)
    end

    it "takes no rows at all" do
      expect(connection.copy_in("things") { nil }).to eq(0)
      expect(connection.copy_in("things", format: :text) { nil }).to eq(0)
      expect_usable(connection)
    end

    it "fills the named columns in their order" do
      connection.copy_in("things", [["a", 1]], columns: %w[name id])
      expect(things(connection)).to eq([[1, "a", nil, nil]])
    end

    it "leaves out generated columns" do
      connection.execute("CREATE TEMP TABLE sums (a int, twice int GENERATED ALWAYS AS (a * 2) STORED, b int)")
      connection.copy_in("sums", [[1, 2]])
      expect(connection.execute("SELECT * FROM sums").fetch.to_a).to eq([1, 2, 2])
    end

    it "goes in text where a type has no binary form" do
      connection.execute("CREATE TEMP TABLE odd (a int, p point, t tsvector)")
      connection.copy_in("odd", [[1, "(1,2)", "'a' 'b'"]])
      expect(connection.execute("SELECT * FROM odd").fetch.to_a).to eq([1, "(1,2)", "'a' 'b'"])
    end

    it "goes in text where a value of the first row has no binary form" do
      connection.copy_in("things", [["7", "x", "2024-01-01 00:00Z", nil]])
      expect(things(connection)).to eq([[7, "x", Time.utc(2024), nil]])
    end

    it "takes Integers into text and Hashes into jsonb" do
      connection.execute("CREATE TEMP TABLE docs (a text, j jsonb, ns int[])")
      connection.copy_in("docs", [[5, { "a" => 1 }, [1, nil]]])
      expect(connection.execute("SELECT * FROM docs").fetch.to_a).to eq(["5", { "a" => 1 }, [1, nil]])
    end

    it "names row and column of a value that doesn't fit" do
      [["a string"], [2**40], [Object.new]].each do |values|
        expect { connection.copy_in("things", [[1], values], columns: ["id"]) }
          .to raise_error(Pgconn::DataError, /row 1, counted from 0: column id/)
        expect_usable(connection)
      end
      expect(things(connection)).to be_empty
    end

    it "names a row of too few or too many values" do
      expect { connection.copy_in("things", [rows[0], [1]]) }.to raise_error(Pgconn::DataError, /row 1, counted from 0: has 1 values/)
      expect { connection.copy_in("things", [rows[0] + [1]]) }.to raise_error(Pgconn::DataError, /row 0, counted from 0: has 5 values/)
      expect { connection.copy_in("things", [rows[0], nil]) }.to raise_error(TypeError, /row 1, counted from 0: .*NilClass/)
      expect_usable(connection)
    end

    it "takes many rows" do
      expect(connection.copy_in("things") { |copy| 50_000.times { |i| copy << [i, "name #{i}", nil, nil] } }).to eq(50_000)
      expect(connection.execute("SELECT count(*), sum(id) FROM things").fetch.to_a).to eq([50_000, 1_249_975_000])
    end

    it "says that the table doesn't exist, before the source is asked" do
      expect { connection.copy_in("nowhere", [[1]]) }.to raise_error(Pgconn::Errors::UndefinedTable)
      expect { connection.copy_in("nowhere") { raise KeyError } }.to raise_error(Pgconn::Errors::UndefinedTable)
      expect { connection.copy_in("COPY nowhere FROM STDIN") { raise KeyError } }.to raise_error(Pgconn::Errors::UndefinedTable)
      expect_usable(connection)
    end

    it "goes in text from the first row on, and loads each row once, however many there are" do
      values = Array.new(20_000) { |i| [i.to_s, "x" * 10, nil, nil] }
      expect(connection.copy_in("things", values)).to eq(20_000)
      expect(connection.execute("SELECT count(*), sum(id) FROM things").fetch.to_a).to eq([20_000, 199_990_000])
    end

    it "quotes the names of tables, with or without a schema" do
      connection.execute('CREATE TEMP TABLE "Odd ""Name" ("Id" int)')
      connection.copy_in(['Odd "Name'], [[1]])
      connection.copy_in(["pg_temp", 'Odd "Name'], [[2]], columns: ["Id"])
      expect(connection.copy_out(['Odd "Name']).map(&:to_a)).to eq([[1], [2]])
    end

    it "takes an SQL::Identifier, with or without its schema" do
      connection.copy_in(Pgconn::SQL::Identifier.new("things"), [[1, "a", nil, nil]])
      expect(connection.copy_out(Pgconn::SQL::Identifier.new("pg_temp", "things")).map { |row| row[:id] }).to eq([1])
    end

    it "takes names in any encoding, and says of what is no text that it isn't" do
      connection.copy_in("things".encode("UTF-16LE"), [[1, "a", nil, nil]])
      expect(things(connection).size).to eq(1)
      expect { connection.copy_in("\xFF", [[1]]) }.to raise_error(Pgconn::DataError, /isn't valid UTF-8/)
    end

    it "fills identity columns, and partitions, and views by their triggers" do
      connection.execute(<<~SQL)
        CREATE TEMP TABLE numbered (id int GENERATED ALWAYS AS IDENTITY, x int);
        CREATE TEMP TABLE parted (id int) PARTITION BY RANGE (id);
        CREATE TEMP TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (10);
        CREATE TEMP VIEW seen AS SELECT id FROM things;
        CREATE FUNCTION pg_temp.put() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO things VALUES (NEW.id); RETURN NEW; END $$;
        CREATE TRIGGER puts INSTEAD OF INSERT ON seen FOR EACH ROW EXECUTE FUNCTION pg_temp.put();
      SQL
      connection.copy_in("numbered", [[5, 1]])
      connection.copy_in("numbered", [[2]], columns: [:x])
      expect(connection.copy_out("numbered").map(&:to_a)).to eq([[5, 1], [1, 2]])
      expect(connection.copy_in("parted", [[1], [2]])).to eq(2)
      expect { connection.copy_in("parted", [[1], [20]]) }.to raise_error(Pgconn::Errors::CheckViolation)
      connection.copy_in("seen", [[7]])
      expect(connection.copy_out("TABLE seen").map(&:to_a)).to eq([[7]])
    end

    it "takes domains, enums, arrays and registered composites, and gives them back" do
      connection.execute(<<~SQL)
        CREATE DOMAIN pg_temp.positive AS int CHECK (VALUE > 0);
        CREATE TYPE pg_temp.mood AS ENUM ('sad', 'glad');
        CREATE TYPE pg_temp.pair AS (x int, y text);
        CREATE TEMP TABLE mixed (d pg_temp.positive, m pg_temp.mood, n int[], c pg_temp.pair);
      SQL
      connection.copy_in("mixed", [[1, :sad, [1, nil], nil], [2, "glad", [], nil]])
      expect(connection.copy_out("mixed").map(&:to_a)).to eq([[1, "sad", [1, nil], nil], [2, "glad", [], nil]])
      expect { connection.copy_in("mixed", [[-1, nil, nil, nil]]) }.to raise_error(Pgconn::Errors::CheckViolation)
      connection.types.register_composite("pair")
      connection.copy_in("mixed", [[3, nil, nil, [1, "a"]]])
      expect(connection.copy_out("SELECT c FROM mixed WHERE d = 3").first[0].to_a).to eq([1, "a"])
    end

    it "takes rows of no columns" do
      connection.execute("CREATE TEMP TABLE nothing ()")
      %i[binary text csv].each { |format| expect(connection.copy_in("nothing", [[], []], format: format)).to eq(2) }
      expect(connection.copy_out("nothing").count).to eq(6)
    end

    it "needs no right to read the table" do
      observer.execute("CREATE TABLE write_only (id int); GRANT INSERT ON write_only TO pgconn_plain")
      expect(connect(server.conninfo(user: "pgconn_plain"), autocommit: true).copy_in("write_only", [[1]])).to eq(1)
    ensure
      observer.execute("DROP TABLE write_only")
    end

    it "takes rows of 50 MB, in little time: none of it is moved again and again" do
      %i[binary text].each { |format| connection.copy_in("things", [[1, "x" * 50_000_000]], columns: %w[id name], format: format) }
      expect(connection.copy_out("SELECT name FROM things").map { |row| row[0].size }).to eq([50_000_000, 50_000_000])
    end

    it "transcodes to the client encoding" do
      connection.client_encoding = "SJIS"
      %i[binary text csv].each_with_index do |format, number|
        connection.copy_in("things", [[number, "表\\表\t", nil, nil]], format: format)
      end
      expect(connection.copy_out("things").map { |row| row[:name].encode("UTF-8") }).to eq(["表\\表\t"] * 3)
    end
  end

  describe "in, of data:" do
    it "takes an IO, in text by default" do
      expect(connection.copy_in("things", StringIO.new("1\ta\t\\N\t\\N\n2\tb\t\\N\t\\N\n"))).to eq(2)
      expect(things(connection)).to eq([[1, "a", nil, nil], [2, "b", nil, nil]])
    end

    it "respects separator:, null:, header: and columns:" do
      data = StringIO.new("name;id\nx;1\n-;2\n")
      connection.copy_in("things", data, format: :csv, separator: ";", null: "-", header: true, columns: %w[name id])
      expect(things(connection)).to eq([[1, "x", nil, nil], [2, nil, nil, nil]])
    end

    it "respects the encoding of the IO" do
      data = StringIO.new("1\t\xE9\n".dup.force_encoding("ISO-8859-1"))
      connection.copy_in("things", data, columns: %w[id name])
      expect(things(connection).first[1]).to eq("é")
    end

    it "takes a COPY as it is, its data from an IO or a block" do
      sql = "COPY things (id) FROM STDIN (FORMAT csv)"
      expect(connection.copy_in(sql, StringIO.new("1\n2\n"))).to eq(2)
      expect(connection.copy_in(sql) { |copy| copy << "3\n" << "4" << "5\n" }).to eq(2)
      expect(things(connection).map(&:first)).to eq([1, 2, 3, 45])
    end

    it "takes bytes as they are for a binary COPY, whatever the encoding of the IO" do
      connection.copy_in("things", rows)
      data = StringIO.new(+"".b)
      connection.copy_out("things", data, format: :binary)
      data.string.force_encoding("ISO-8859-1")
      connection.copy_in("things", StringIO.new(data.string), format: :binary)
      expect(things(connection).size).to eq(6)
    end

    it "says what is wrong with malformed data, and loads nothing" do
      { csv: "1,\"a\n", text: "1\n", binary: "garbage" * 9 }.each do |format, data|
        expect { connection.copy_in("things", StringIO.new(data), format: format) }.to raise_error(Pgconn::Errors::BadCopyFileFormat)
      end
      expect { connection.copy_in("things", StringIO.new("1\ta\0\n"), columns: %w[id name]) }.to raise_error(Pgconn::DatabaseError)
      expect_usable(connection)
      expect(things(connection)).to be_empty
    end

    it "wants an IO with read, or rows" do
      expect { connection.copy_in("things", 5) }.to raise_error(TypeError, /read or each/)
      expect { connection.copy_in("things") }.to raise_error(ArgumentError, /either/)
      expect { connection.copy_in("things", Struct.new(:a) { def read(_) = 5 }.new(1)) }.to raise_error(TypeError, /Integer/)
      expect_usable(connection)
    end

    it "takes an IO up to where it gives an empty String" do
      pieces = ["1\n", "", "2\n"]
      source = Class.new { define_method(:read) { |_| pieces.shift } }.new
      expect(connection.copy_in("COPY things (id) FROM STDIN", source)).to eq(1)
    end

    it "takes the bytes of an IO in US-ASCII as they are" do
      data = StringIO.new("1\té\n".dup.force_encoding("US-ASCII"))
      connection.copy_in("things", data, columns: %w[id name])
      expect(things(connection).first[1]).to eq("é")
    end

    it "says that a COPY of the caller's takes Strings, not rows" do
      sql = "COPY things (id) FROM STDIN"
      expect { connection.copy_in(sql) { |copy| copy << [1] } }.to raise_error(TypeError, /Strings of its data, not Array/)
      expect { connection.copy_in(sql, [[1]]) }.to raise_error(TypeError, /Strings of its data, not Array/)
      expect_usable(connection)
    end

    it "takes what read gives for an end only where that is nil or empty" do
      [false, :data, ["1\n"]].each do |piece|
        pieces = ["1\n", piece]
        source = Class.new { define_method(:read) { |_| pieces.shift } }.new
        expect { connection.copy_in("COPY things (id) FROM STDIN", source) }.to raise_error(TypeError, /read gave #{piece.class}/)
      end
      expect(things(connection)).to be_empty
    end

    it "takes the rows of a CSV" do
      csv = Class.new(Array) { def read = self } # takes no length, as CSV's
      expect(connection.copy_in("things", csv.new([%w[1 one], ["2", nil]]), columns: %w[id name])).to eq(2)
      expect(things(connection)).to eq([[1, "one", nil, nil], [2, nil, nil, nil]])
    end

    it "takes the file that a Pathname names, byte by byte, and closes it" do
      connection.client_encoding = "LATIN1"
      Tempfile.create("copy") do |file|
        File.binwrite(file.path, "7\t\xE9\n".b * 50_000)
        path = Pathname(file.tap(&:close).path)
        expect(connection.copy_in("things", path, columns: %w[id name])).to eq(50_000)
        expect(connection.cursor.copy_expert("COPY things (id, name) FROM STDIN", path)).to eq(50_000)
        expect(open_files(path)).to be_empty
      end
      expect(connection.execute("SELECT DISTINCT name FROM things").column(0)).to eq(["é".encode("ISO-8859-1")])
      expect { connection.copy_in("nowhere", Pathname("/nowhere")) }.to raise_error(Errno::ENOENT)
    end

    it "takes an IO that gives short pieces" do
      pieces = %w[1 2 3].join("\n").chars
      source = Class.new { define_method(:read) { |_| pieces.shift } }.new
      expect(connection.copy_in("COPY things (id) FROM STDIN", source)).to eq(3)
    end
  end

  describe "out:" do
    before { connection.copy_in("things", rows) }

    it "gives typed rows of a table" do
      seen = []
      expect(connection.copy_out("things") { |row| seen << row }).to eq(3)
      expect(seen).to all(be_a(Pgconn::Row))
      expect(seen.map(&:to_a)).to eq(rows)
      expect(seen.first[:name]).to eq(rows[0][1])
    end

    it "gives typed rows of queries" do
      ["SELECT id FROM things WHERE id > 1 -- two", "TABLE things", "WITH a AS (SELECT 1) SELECT * FROM a",
       "VALUES (1), (2)", "(SELECT 1)", "select 1;"].each do |sql|
        expect(connection.copy_out(sql).map(&:to_a)).to eq(connection.execute(sql).fetch_all.map(&:to_a))
      end
    end

    it "gives the rows of a table without what is generated, or was dropped, as copy_in takes them" do
      connection.execute(<<~SQL)
        CREATE TEMP TABLE sums (gone text, a int, twice int GENERATED ALWAYS AS (a * 2) STORED,
                                id int GENERATED ALWAYS AS IDENTITY, "B b" text DEFAULT 'x');
        ALTER TABLE sums DROP gone;
      SQL
      connection.copy_in("sums", [[1, 7, "y"], [2, 8, nil]])
      expect(connection.copy_out("sums").map(&:to_h)).to eq([{ a: 1, id: 7, "B b": "y" }, { a: 2, id: 8, "B b": nil }])
      expect(connection.execute("SELECT twice FROM sums").column(0)).to eq([2, 4])
    end

    it "gives rows of no columns where all of a table's are generated" do
      connection.execute("CREATE TEMP TABLE constant (one int GENERATED ALWAYS AS (1) STORED)")
      expect(connection.copy_in("constant", [[], []])).to eq(2)
      expect(connection.copy_out("constant").map(&:to_a)).to eq([[], []])
    end

    it "gives the same in text, also where a type has no binary form" do
      expect(connection.copy_out("things", format: :text).map(&:to_a)).to eq(rows)
      expect(connection.copy_out("SELECT 1, point(1,2), '\\N'::text, E'\\b\\f\\x0b\\r'").map(&:to_a))
        .to eq([[1, "(1,2)", "\\N", "\b\f\v\r"]])
    end

    it "gives no rows" do
      expect(connection.copy_out("SELECT 1 WHERE false").to_a).to eq([])
      expect(connection.copy_out("SELECT 1 WHERE false", format: :text).to_a).to eq([])
    end

    it "gives rows without columns" do
      expect(connection.copy_out("SELECT FROM generate_series(1, 3)").map(&:to_a)).to eq([[], [], []])
      expect(connection.copy_out("SELECT FROM generate_series(1, 3)", format: :text).map(&:to_a)).to eq([[], [], []])
    end

    it "gives many and large rows" do
      sizes = [1, 100_000, 1_000_000, 5]
      query = "SELECT repeat('x', n) FROM unnest(ARRAY#{sizes}) n"
      expect(connection.copy_out(query).map { |row| row[0].size }).to eq(sizes)
      expect(connection.copy_out("SELECT i FROM generate_series(1, 100000) i").sum { |row| row[0] }).to eq(5_000_050_000)
    end

    it "writes data to an IO" do
      io = StringIO.new
      expect(connection.copy_out("SELECT id, name FROM things WHERE id > 1", io, format: :csv, header: true)).to eq(2)
      expect(io.string).to eq("id,name\n2,\n3,\"\"\n")
    end

    it "gives the data of a COPY as Strings in the client encoding, or of bytes" do
      text = []
      connection.copy_out("COPY (SELECT 'é') TO STDOUT") { |data| text << data }
      expect(text).to eq(["é\n"])
      connection.copy_out("COPY (SELECT 1) TO STDOUT (FORMAT binary)") { |data| expect(data.encoding).to eq(Encoding::BINARY) }
    end

    it "lets a file write in its own encoding" do
      Tempfile.create("copy", encoding: "ISO-8859-1") do |file|
        connection.copy_out("SELECT 'é' FROM generate_series(1, 3)", file)
        file.flush
        expect(File.binread(file.path)).to eq("\xE9\n".b * 3)
      end
    end

    it "passes on that a disk is full" do
      File.open("/dev/full", "w") do |full|
        full.sync = true
        expect { connection.copy_out("SELECT generate_series(1, 1000000)", full) }.to raise_error(Errno::ENOSPC)
      end
      expect_usable(connection)
    end

    it "writes the whole of it to the file that a Pathname names, and closes that" do
      Dir.mktmpdir do |directory|
        path = Pathname(directory) / "rows"
        sql = "SELECT i, 'é' FROM generate_series(1, 100000) i"
        expect(connection.copy_out(sql, path)).to eq(100_000)
        expect(path.readlines.values_at(0, -1)).to eq(%W[1\té\n 100000\té\n])
        expect(connection.cursor.copy_expert("COPY (SELECT 'short') TO STDOUT", path)).to eq(1)
        expect(path.read).to eq("short\n")
        expect { connection.copy_out("SELECT nowhere", path) }.to raise_error(Pgconn::Errors::UndefinedColumn)
        expect(path.read).to eq("short\n")
        expect(open_files(path)).to be_empty
        expect { connection.copy_out(sql, path / "nowhere") }.to raise_error(SystemCallError)
      end
      expect_usable(connection)
    end

    it "wants an IO with write, and says so of what were parameters, too" do
      expect { connection.copy_out("things", 5) }.to raise_error(TypeError, /write/)
      expect { connection.copy_out("things", false) }.to raise_error(TypeError, /write/)
      expect { connection.copy_out("SELECT $1", [3]) { nil } }.to raise_error(TypeError, /Array has no method write.*parameters/)
    end
  end

  describe "by psycopg2's names:" do
    let(:cursor) { connection.cursor }

    it "copy_from and copy_to" do
      expect(cursor.copy_from(StringIO.new("1|-\n"), "things", separator: "|", null: "-", columns: %w[id name])).to eq(1)
      io = StringIO.new
      expect(cursor.copy_to(io, "things", separator: "|", null: "-", columns: %w[id name])).to eq(1)
      expect(io.string).to eq("1|-\n")
      expect(cursor.rowcount).to eq(1)
      expect(cursor.query).to start_with("COPY")
      expect(cursor.statusmessage).to eq("COPY 1")
    end

    it "copy_expert goes in the direction that its SQL says" do
      expect(cursor.copy_expert("COPY things (id) FROM STDIN", StringIO.new("5\n"))).to eq(1)
      io = StringIO.new
      expect(cursor.copy_expert("COPY things (id) TO STDOUT", io)).to eq(1)
      expect(io.string).to eq("5\n")
    end
  end

  describe "that fails:" do
    it "the source's exception comes out, and nothing is loaded" do
      expect { connection.copy_in("things") { |copy| 5_000.times { |i| i == 4_999 ? raise(KeyError, "mine") : copy << [i, "x" * 100, nil, nil] } } }
        .to raise_error(KeyError, "mine")
      expect_usable(connection)
      expect(things(connection)).to be_empty
    end

    it "the sink's exception comes out, and the rest is cancelled" do
      expect { connection.copy_out("SELECT generate_series(1, 100000000)") { raise KeyError, "mine" } }
        .to raise_error(KeyError, "mine")
      expect_usable(connection)
    end

    it "the source's exception comes out where it has no row so far, as later" do
      expect { connection.copy_in("things") { raise KeyError, "mine" } }.to raise_error(KeyError, "mine")
      expect_usable(connection)
      expect do
        connection.transaction { connection.execute("SELECT 1") && connection.copy_in("things", Enumerator.new { raise KeyError }) }
      end.to raise_error(KeyError)
      expect_usable(connection)
    end

    it "break ends either" do
      connection.copy_in("things") { |copy| break copy << rows[0] }
      expect(connection.copy_out("SELECT generate_series(1, 100000000)") { |row| break row[0] }).to eq(1)
      expect_usable(connection)
      expect(things(connection)).to be_empty
    end

    it "in a transaction it is to be rolled back" do
      connection = connect
      prepare(connection)
      connection.commit
      expect { connection.copy_in("things") { |copy| fail_after(copy, rows[0]) } }.to raise_error(KeyError)
      expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::Errors::InFailedSqlTransaction)
      expect_usable(connection)
    end

    it "a server error stops the source soon" do
      sent = 0
      expect do
        connection.copy_in("COPY things (id) FROM STDIN") do |copy|
          10_000_000.times { |i| copy << (i == 10 ? "bad\n" : "1234567\n") && sent += 1 }
        end
      end.to raise_error(Pgconn::Errors::InvalidTextRepresentation)
      expect(sent).to be < 9_000_000
      expect_usable(connection)
    end

    it "an error at the last of a million rows loads nothing", :long do
      connection.execute("ALTER TABLE things ADD CHECK (id >= 0)")
      %i[binary text csv].each do |format|
        expect do
          connection.copy_in("things", format: format) { |copy| 1_000_000.times { |i| copy << [i == 999_999 ? -1 : i, "x", nil, nil] } }
        end.to raise_error(Pgconn::Errors::CheckViolation) { |error| expect(error.diag.context).to include("line 1000000") }
        expect_usable(connection)
        expect(things(connection)).to be_empty
      end
    end

    it "an error at the last row loads nothing" do
      connection.execute("ALTER TABLE things ADD UNIQUE (id)")
      expect { connection.copy_in("things", (1..20_000).map { |i| [i % 20_000, nil, nil, nil] } + [[1, nil, nil, nil]]) }
        .to raise_error(Pgconn::Errors::UniqueViolation)
      expect_usable(connection)
      expect(things(connection)).to be_empty
    end

    it "SQL that isn't one COPY, or goes the other way, is a ProgrammingError" do
      { "COPY things TO STDOUT" => /copy_out/, "COPY things FROM STDIN; SELECT 1" => /one COPY/ }.each do |sql, message|
        expect { connection.copy_in(sql, StringIO.new("")) }.to raise_error(Pgconn::ProgrammingError, message)
        expect_usable(connection)
      end
      expect { connection.copy_out("COPY things FROM STDIN", StringIO.new) }.to raise_error(Pgconn::ProgrammingError, /copy_in/)
      expect { connection.cursor.copy_expert("SELECT 1", StringIO.new) }.to raise_error(Pgconn::ProgrammingError, /one COPY/)
      expect_usable(connection)
    end

    it "tells of the user's own query, and of a position in that, both to an IO and to a block" do
      [connection, connect].product([->(*) {}, nil], [0, 3]) do |used, block, indent|
        sql = "#{" " * indent}SELECT '€', zz FROM pg_class;"
        expect { used.copy_out(sql, *(block ? [] : [StringIO.new]), &block) }.to raise_error(Pgconn::Errors::UndefinedColumn) { |error|
          expect(error.diag.position).to eq(13 + indent)
          expect(error.query).to eq(sql.chomp(";"))
        }
        used.rollback
      end
    end

    it "tells of no position that is outside of it" do
      failing = [-> { connection.copy_out("nowhere") { nil } }, -> { connection.copy_out("nowhere", StringIO.new) },
                 -> { connection.copy_in("things", [[1]], columns: ["zz"]) }, -> { connection.copy_out("SELECT (", StringIO.new) },
                 -> { connection.copy_out("SELECT 1", StringIO.new, separator: "ab") }]
      failing.each do |work|
        expect(&work).to raise_error(Pgconn::DatabaseError) { |error| expect(error.diag.position).to be_nil }
      end
      expect { connection.copy_in("nowhere", [[1]]) }
        .to raise_error(Pgconn::Errors::UndefinedTable) { |error| expect(error.query).to eq('COPY "nowhere" FROM STDIN') }
    end

    it "corrects the error's position where BEGIN goes ahead" do
      sql = "COPY nowhere, FROM STDIN"
      expect { connect.copy_in(sql, StringIO.new) }
        .to raise_error(Pgconn::Errors::SyntaxError) { |error| expect(error.diag.position).to eq(13) }
    end
  end

  describe "whose arguments are wrong" do
    it "refuses what isn't named columns of a table" do
      expect { connection.copy_in("things", [[1]], columns: "id") }.to raise_error(TypeError, /columns:/)
      expect { connection.copy_in("things", [[]], columns: []) }.to raise_error(ArgumentError, /columns:/)
      expect { connection.copy_out("SELECT 1", StringIO.new, columns: ["id"]) }.to raise_error(ArgumentError, /columns:/)
    end

    it "refuses to copy into a query" do
      expect { connection.copy_in("SELECT 1", [[1]]) }.to raise_error(ArgumentError, /no target/)
    end

    it "refuses for rows what is for data, and for a COPY what that says itself" do
      { separator: ",", null: "-", header: true }.each do |name, option|
        expect { connection.copy_in("things", [rows[0]], name => option) }.to raise_error(ArgumentError, /#{name}: .* not for rows/)
        expect { connection.copy_out("things", name => option) { nil } }.to raise_error(ArgumentError, /#{name}: .* not for rows/)
        expect { connection.copy_in("COPY things FROM STDIN", StringIO.new, name => option) }.to raise_error(ArgumentError, /says that itself/)
      end
      expect { connection.copy_out("things", format: :csv) { nil } }.to raise_error(ArgumentError, /csv/)
      expect_usable(connection)
      expect(things(connection)).to be_empty
    end

    it "refuses what doesn't read, or write, where copy_expert's SQL needs it" do
      { "COPY things FROM STDIN" => /read/, "COPY things TO STDOUT" => /write/ }.each do |sql, method|
        expect { connection.cursor.copy_expert(sql, Object.new) }.to raise_error(TypeError, method)
        expect_usable(connection)
      end
    end

    it "quotes separator: and null:" do
      io = StringIO.new
      connection.copy_out("SELECT 1, NULL", io, separator: "'")
      connection.copy_out("SELECT 1, NULL", io, null: "it's")
      expect(io.string).to eq("1'\\N\n1\tit's\n")
    end

    it "takes nothing into its SQL that isn't what it should be" do
      expect { connection.copy_out("things", StringIO.new, format: :csv, header: "true)") }.to raise_error(ArgumentError, /header:/)
      expect { connection.copy_out("things", StringIO.new, format: "csv") }.to raise_error(ArgumentError, /format:/)
    end

    it "refuses a progress: that can't be called, before anything is sent" do
      expect { connection.copy_in("things", [rows[0]], progress: 5) }.to raise_error(TypeError, /progress:/)
      expect { connection.copy_out("things", StringIO.new, progress: 5) }.to raise_error(TypeError, /progress:/)
      expect(things(connection)).to be_empty
    end

    it "refuses to copy files of the server, before it has" do
      connection.transaction { connection.execute("CREATE TEMP TABLE files (line text)") }
      expect { connection.copy_in("COPY files FROM '/etc/hostname'", StringIO.new("")) }.to raise_error(Pgconn::ProgrammingError, /files/)
      expect { connection.copy_out("COPY files TO PROGRAM 'true'", StringIO.new) }.to raise_error(Pgconn::ProgrammingError, /files/)
      expect(connection.execute("SELECT count(*) FROM files").fetch_value).to eq(0)
      expect(connection.cursor.copy_expert("COPY (VALUES (1), (2)) TO PROGRAM 'cat > /dev/null'", StringIO.new)).to eq(2)
    end
  end

  describe "holds the connection:" do
    it "what its own block executes is a ProgrammingError" do
      connection.copy_in("things") do |copy|
        copy << rows[0]
        expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::ProgrammingError, /COPY holds/)
        expect { connection.commit }.to raise_error(Pgconn::ProgrammingError, /COPY holds/)
        expect { connection.transaction { nil } }.to raise_error(Pgconn::ProgrammingError, /COPY holds/)
        expect { connection.copy_out("things") { nil } }.to raise_error(Pgconn::ProgrammingError, /COPY holds/)
        expect { connection.wait_for_notify(timeout: 1) }.to raise_error(Pgconn::ProgrammingError, /COPY holds/)
      end
      connection.copy_out("things") do
        expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::ProgrammingError, /COPY holds/)
      end
      expect(things(connection)).to eq([rows[0]])
    end

    it "what its own block executes is a ProgrammingError before its first row, too" do
      copied = connection.copy_in("things") do |copy|
        expect { connection.execute("SELECT 1") }.to raise_error(Pgconn::ProgrammingError, /COPY holds/)
        expect { connection.transaction { nil } }.to raise_error(Pgconn::ProgrammingError, /COPY holds/)
        expect { connection.copy_in("things", rows) }.to raise_error(Pgconn::ProgrammingError, /COPY holds/)
        copy << rows[0]
      end
      expect(copied).to eq(1)
      expect(things(connection)).to eq([rows[0]])
    end

    it "a source that executes on it is refused before its first row, and nothing is loaded" do
      source = Enumerator.new { |rows| rows << connection.execute("SELECT 1, NULL, NULL, NULL").fetch }
      expect { connection.copy_in("things", source) }.to raise_error(Pgconn::ProgrammingError, /COPY holds/)
      expect(things(connection)).to be_empty
    end

    it "other threads wait for its end" do
      order = Queue.new
      connection.copy_in("things") do |copy|
        thread = in_thread { connection.execute("SELECT count(*) FROM things").fetch_value.tap { order << :other } }
        eventually("it waits") { thread.status == "sleep" }
        copy << rows[0] << rows[1]
        order << :copy
        @other = thread
      end
      expect(value_of(@other)).to eq(2)
      expect(order.pop).to eq(:copy)
    end

    it "until it is left without its end: by a fiber that is collected" do
      in_dropped_fiber { expect(connection.copy_out("SELECT i FROM generate_series(1, 10000000) i").next.to_a).to eq([1]) }
      thread = in_thread { connection.execute("SELECT 7").fetch_value }
      eventually("it is collected") { GC.start || thread.join(0.05) }
      expect(value_of(thread)).to eq(7)
    end

    it "close ends it" do
      expect { connection.copy_in("things") { |copy| connection.close || (copy << rows[0]) } }.to raise_error(Pgconn::InterfaceError)
      expect { connect(autocommit: true).then { |c| c.copy_out("SELECT i FROM generate_series(1, 1000000) i") { c.close } } }
        .to raise_error(Pgconn::InterfaceError)
    end
  end

  it "goes behind what a pipeline has gathered, which raises first" do
    connection.pipeline do
      connection.execute("INSERT INTO things VALUES (1)")
      expect(connection.copy_in("things", [[2, nil, nil, nil]])).to eq(1)
      expect(connection.copy_out("SELECT id FROM things").map { |row| row[0] }).to eq([1, 2])
    end
    expect do
      connection.pipeline { connection.execute("SELECT 1/0") && connection.copy_in("things", [[3, nil, nil, nil]]) }
    end.to raise_error(Pgconn::Errors::DivisionByZero)
    expect(things(connection).size).to eq(2)
  end

  it "begins a transaction with the COPY" do
    connection = connect
    prepare(connection)
    connection.commit
    connection.copy_in("things", rows)
    expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_INTRANS)
    connection.rollback
    expect(things(connection)).to be_empty
  end

  it "tells a progress callable of rows and bytes" do
    told = []
    connection.copy_in("things", Array.new(20_000) { |i| [i, "x", nil, nil] }, progress: ->(*numbers) { told << numbers })
    expect(told.size).to be > 1
    expect(told).to eq(told.sort)
    expect(told.last).to match([20_000, be > 200_000])
  end

  it "tells the tracer" do
    events = []
    connection.tracer = ->(event) { events << [event.sql, event.rows] }
    connection.copy_in("COPY things (id) FROM STDIN", StringIO.new("1\n"))
    expect(events).to eq([["COPY things (id) FROM STDIN", 1]])
    connection.copy_out("things", StringIO.new)
    expect(events.last).to eq(['COPY "things" TO STDOUT', 1])
  end

  it "works over TLS" do
    connection = connect(nil, host: server.host, port: server.port, dbname: server.database, user: server.user,
                              sslmode: "require", autocommit: true)
    prepare(connection)
    expect(connection.copy_in("things", Array.new(30_000) { |i| [i, "x" * 50, nil, nil] })).to eq(30_000)
    expect(connection.copy_out("things").sum { |row| row[0] }).to eq(449_985_000)
    expect { connection.copy_in("COPY things FROM STDIN", StringIO.new("bad\n" * 100_000)) }.to raise_error(Pgconn::DataError)
    expect_usable(connection)
  end

  it "makes rows that the collector leaves whole", :gc_stress do
    connection.copy_in("things", rows)
    expect(connection.copy_out("things").map(&:to_a)).to eq(rows)
    expect(connection.copy_out("things", format: :text).map(&:to_a)).to eq(rows)
  end

  it "isn't for async connections" do
    connection = connect(async: true)
    connection.to_io.wait(connection.poll, 1) until connection.poll == Pgconn::POLL_OK
    expect { connection.copy_in("things", [[1]]) }.to raise_error(Pgconn::ProgrammingError)
    expect { connection.copy_out("SELECT 1", StringIO.new) }.to raise_error(Pgconn::ProgrammingError)
  end

  WaysOfWaiting.all.each do |name, way|
    it "works both ways, and fails well, in #{name}" do
      way.call(server) do |keywords|
        connection = Pgconn.connect(**keywords, autocommit: true)
        prepare(connection)
        connection.copy_in("things") { |copy| 30_000.times { |i| copy << [i, "x" * 20, nil, nil] } }
        expect(connection.copy_out("things").sum { |row| row[0] }).to eq(449_985_000)
        expect { connection.copy_in("things") { |copy| fail_after(copy, rows[0]) } }.to raise_error(KeyError)
        expect { connection.copy_out("things") { raise KeyError } }.to raise_error(KeyError)
        expect(connection.execute("SELECT count(*) FROM things").fetch_value).to eq(30_000)
        connection.close
      end
    end
  end
end
