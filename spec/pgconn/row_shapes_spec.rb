# frozen_string_literal: true

require "spec_helper"

# What a cursor gives for a row, and how it moves among them.
RSpec.describe "The shape of rows" do
  let(:connection) { connect(autocommit: true) }

  def cursor(row, sql, params = nil)
    connection.cursor(row: row).execute(sql, params)
  end

  # A statement, the names of its columns, the values of its only row.
  results = {
    "usual names" => ["SELECT 1 AS id, 'a' AS name, NULL AS note", %w[id name note], [1, "a", nil]],
    "a name that occurs twice" => ["SELECT 1 AS a, 2 AS b, 3 AS a", %w[a b a], [1, 2, 3]],
    "no names" => ["SELECT 1, 2", ["?column?", "?column?"], [1, 2]],
    "names that Ruby has other uses for" => ['SELECT 1 AS class, 2 AS "self", 3 AS "to_s", 4 AS "a?", 5 AS "@a", 6 AS "A"',
                                             ["class", "self", "to_s", "a?", "@a", "A"], [*1..6]],
    "names outside of ASCII, and with spaces" => ['SELECT 1 AS "größe", 2 AS "世界", 3 AS " ", 4 AS "a b"', ["größe", "世界", " ", "a b"], [1, 2, 3, 4]],
    "names of 63 bytes" => ["SELECT 1 AS \"#{"x" * 63}\"", ["x" * 63], [1]],
    "1,664 columns" => ["SELECT #{(1..1664).map { |number| "#{number} AS c#{number}" }.join(", ")}", (1..1664).map { |number| "c#{number}" }, [*1..1664]]
  }

  results.each do |what, (sql, names, values)|
    context "with #{what}" do
      let(:hash) { names.map(&:to_sym).zip(values).to_h }

      def fetched(row, sql)
        3.times.map { cursor(row, sql).fetch_all }.uniq
      end

      it "is a Row, an Array, a Hash, or what a callable makes" do
        expect(fetched(nil, sql)).to eq([[values]])
        expect(cursor(nil, sql).fetch).to be_a(Pgconn::Row).and have_attributes(to_h: hash)
        expect(fetched(:array, sql)).to eq([[values]])
        expect(fetched(:hash, sql)).to eq([[hash]])
        expect(fetched(->(columns, row) { [columns.map(&:name), row] }, sql)).to eq([[[names, values]]])
      end

      it "is a Struct" do
        struct = cursor(:struct, sql).fetch
        expect(struct).to be_a(Struct).and have_attributes(to_h: hash)
        names.uniq.each { |name| expect(struct[name]).to eq(values[names.rindex(name)]) }
      end

      it "is found by name as by position" do
        names.first(10).each_with_index do |name, index|
          expect(cursor(:array, sql).column(index)).to eq([values[index]])
          expect(cursor(:hash, sql).column(name)).to eq([values[names.rindex(name)]])
        end
      end
    end
  end

  it "is empty where there are no columns" do
    expect([cursor(nil, "SELECT").fetch.to_a, cursor(:array, "SELECT").fetch, cursor(:hash, "SELECT").fetch]).to eq([[], [], {}])
    expect(cursor(->(*arguments) { arguments }, "SELECT FROM generate_series(1, 2)").fetch_all).to eq([[[], []]] * 2)
  end

  ['SELECT 1 AS "a="', 'SELECT 1 AS "nil?"', *("SELECT" if RUBY_VERSION < "3.3")].each do |sql|
    it "is a ProgrammingError where Ruby has no such Struct: #{sql}" do
      given = cursor(:struct, sql)
      expect { given.fetch }.to raise_error(Pgconn::ProgrammingError, /Struct/)
      expect(connection.execute("SELECT 1").fetch_value).to eq(1)
    end
  end

  it "is the same in every way of fetching" do
    { nil => [[1], [2], [3]], array: [[1], [2], [3]], hash: [{ i: 1 }, { i: 2 }, { i: 3 }], ->(_, row) { row } => [[1], [2], [3]] }.each do |shape, rows|
      ways = { fetch: ->(c) { [c.fetch, c.fetch, c.fetch] }, fetch_many: ->(c) { c.fetch_many(2) + c.fetch_many(2) }, fetch_all: :fetch_all.to_proc,
               each: :to_a.to_proc, next: ->(c) { c.each.first(3) } }
      ways.each { |name, way| expect([name, way.call(cursor(shape, "SELECT i FROM generate_series(1, 3) i"))]).to eq([name, rows]) }
    end
  end

  it "never changes what is fetched as a value or a column" do
    [nil, :array, :hash, :struct, ->(*) { :made }].each do |shape|
      expect(cursor(shape, "SELECT 1 AS a").fetch_value).to eq(1)
      expect(cursor(shape, "SELECT 1 AS a").column(:a)).to eq([1])
    end
  end

  it "makes new Arrays and Hashes that can be changed" do
    expect(cursor(:array, "SELECT 1").fetch << 2).to eq([1, 2])
    expect(cursor(:hash, "SELECT 1 AS a").fetch.merge!(b: 2)).to eq(a: 1, b: 2)
    expect(cursor(:struct, "SELECT 1 AS a").fetch.tap { |struct| struct.a = 2 }.a).to eq(2)
  end

  [:rows, "hash", 1, true, [], Object.new].each do |shape|
    it "can't be #{shape.inspect[0, 10]}" do
      expect { connection.cursor(row: shape) }.to raise_error(ArgumentError, /row must be nil, :array, :hash, :struct/)
    end
  end

  describe "as Structs" do
    it "has one class for the rows of a statement, however often it is executed" do
      structs = Array.new(3) { cursor(:struct, "SELECT i AS a FROM generate_series(1, 3) i").fetch_all }.flatten(1)
      expect(structs.map(&:class).uniq.size).to eq(1)
      expect(structs.map(&:a)).to eq([1, 2, 3] * 3)
      expect(structs[0]).to eq(structs[3])
    end

    it "has another class where the columns have changed" do
      connection.execute("CREATE TEMP TABLE changing AS SELECT 1 AS a")
      before = Array.new(3) { cursor(:struct, "SELECT * FROM changing").fetch }.last
      connection.execute("ALTER TABLE changing ADD b int DEFAULT 2")
      expect(cursor(:struct, "SELECT * FROM changing").fetch.to_h).to eq(a: 1, b: 2)
      expect(before.to_h).to eq(a: 1)
    end
  end

  describe "as a callable makes it" do
    it "may be nil or false, which is no end" do
      odd = ->(_, (number)) { number.odd? || nil }
      sql = "SELECT generate_series(1, 5)"
      expect(cursor(odd, sql).fetch_all).to eq([true, nil, true, nil, true])
      expect(cursor(odd, sql).to_a).to eq([true, nil, true, nil, true])
    end

    it "gets the same columns for all rows" do
      columns = cursor(->(given, _) { given }, "SELECT generate_series(1, 3) AS a").fetch_all
      expect(columns.map(&:object_id).uniq.size).to eq(1)
      expect(columns.first).to eq(cursor(nil, "SELECT 1 AS a").description)
    end

    it "may be of any object that has call, such as a Method" do
      maker = Class.new { def self.call(columns, row) = { columns.first.name => row.first } }
      expect(cursor(maker, "SELECT 1 AS a").fetch).to eq("a" => 1)
      expect(cursor(maker.method(:call), "SELECT 1 AS a").fetch).to eq("a" => 1)
    end

    it "is past the row for which it raised" do
      picky = ->(_, (number)) { number == 3 ? raise(IndexError, "three") : number }
      given = cursor(picky, "SELECT generate_series(1, 5)")
      expect { given.fetch_all }.to raise_error(IndexError, "three")
      expect([given.rownumber, given.fetch, given.fetch_all]).to eq([3, 4, [5]])
      given.scroll(1, :absolute)
      expect { given.fetch_many(10) }.to raise_error(IndexError)
      expect(given.each.to_a).to eq([4, 5])
      given.scroll(2, :absolute)
      expect { given.fetch }.to raise_error(IndexError)
      expect(given.fetch).to eq(4)
      expect(given.execute("SELECT 7").fetch).to eq(7)
    end

    it "may itself fetch and scroll" do
      given = nil
      given = cursor(->(_, row) { [*row, *given.fetch] }, "SELECT generate_series(1, 5)")
      expect([given.fetch_all, given.fetch]).to eq([[[1, 2, 3, 4, 5]], nil])
      given = cursor(->(_, (number)) { given.scroll(3, :absolute) && number }, "SELECT generate_series(1, 5)")
      expect(given.fetch_many(3)).to eq([1, 4, 4])
    end

    it "harms nothing by executing with its own cursor, or closing it" do
      [->(own) { own.execute("SELECT 9") }, :close.to_proc].each do |tamper|
        given = nil
        given = cursor(->(_, (number)) { number == 2 ? tamper.call(given) : number }, "SELECT generate_series(1, 5)")
        expect(given.fetch_all.first).to eq(1)
        expect(connection.execute("SELECT 1").fetch_value).to eq(1)
      end
    end
  end

  describe "of the factories" do
    let(:doubling) { Class.new(Pgconn::Cursor) { def fetch = super&.to_a&.map { |value| value * 2 } } }

    it "is a Hash from HashCursor and a Struct from StructCursor" do
      expect(connection.cursor(cursor_factory: Pgconn::HashCursor).execute("SELECT 1 AS a").fetch).to eq(a: 1)
      expect(connection.cursor(cursor_factory: Pgconn::StructCursor).execute("SELECT 1 AS a").fetch.a).to eq(1)
      expect(connect(cursor_factory: Pgconn::HashCursor).execute("SELECT 1 AS a").fetch_all).to eq([{ a: 1 }])
      expect(connect(cursor_factory: Pgconn::StructCursor).execute("SELECT 1 AS a").map(&:a)).to eq([1])
    end

    it "can still be chosen for a cursor" do
      expect(connection.cursor(cursor_factory: Pgconn::HashCursor, row: :array).execute("SELECT 1 AS a").fetch).to eq([1])
      expect(Pgconn::HashCursor.new(connection).execute("SELECT 1 AS a").fetch).to eq(a: 1)
    end

    it "is what a subclass makes of it" do
      expect(connection.cursor(cursor_factory: doubling).execute("SELECT 2").fetch).to eq([4])
      expect(connect(cursor_factory: doubling).execute("SELECT 2")).to be_a(doubling)
    end

    it "can't be of another class" do
      [Object, "Pgconn::Cursor", :hash, doubling.new(connection)].each do |factory|
        expect { connection.cursor(cursor_factory: factory) }.to raise_error(TypeError, /cursor_factory/)
        expect { connect(cursor_factory: factory) }.to raise_error(TypeError, /cursor_factory/)
      end
    end

    it "may come from a subclass of Connection, whose cursors and blocks are its own" do
      calls = []
      factory = Class.new(Pgconn::Connection) do
        define_method(:initialize) { |conninfo, **keywords| super(conninfo, cursor_factory: Pgconn::HashCursor, **keywords) }
        define_method(:commit) { calls << :commit && super() }
        define_method(:rollback) { calls << :rollback && super() }
      end
      row = Pgconn.connect(server.conninfo, connection_factory: factory) { |own| own.execute("SELECT 1 AS a").fetch }
      expect([row, calls]).to eq([{ a: 1 }, [:commit]])
      expect { Pgconn.connect(server.conninfo, connection_factory: factory) { raise IndexError } }.to raise_error(IndexError)
      expect(calls.last).to eq(:rollback)
    end
  end

  describe "and the cursor's position" do
    let(:given) { cursor(:array, "SELECT generate_series(10, 14)") }

    # From position 2: the arguments, the position after, the row there.
    [[[1], 3, 13], [[-2], 0, 10], [[0], 2, 12], [[2, :relative], 4, 14], [[-1, "relative"], 1, 11], [[0, :absolute], 0, 10], [[4, "absolute"], 4, 14]]
      .each do |arguments, position, value|
      it "moves by scroll(#{arguments.map(&:inspect).join(", ")})" do
        given.fetch_many(2)
        expect(given.scroll(*arguments)).to be(given)
        expect([given.rownumber, given.fetch_all.first]).to eq([position, [value]])
      end
    end

    [[3], [-3], [5, :absolute], [-1, :absolute], [2**63 - 1], [-2**63], [2**70], [-2**70, :absolute], [2**31 - 2]].each do |arguments|
      it "stays where it is for scroll(#{arguments.map(&:inspect).join(", ")})" do
        given.fetch_many(2)
        expect { given.scroll(*arguments) }.to raise_error(Pgconn::ProgrammingError, /the result has 5 rows/)
        expect([given.rownumber, given.fetch]).to eq([2, [12]])
      end
    end

    { [1, :sideways] => ArgumentError, [1, nil] => ArgumentError, ["1"] => TypeError, [nil] => TypeError, [] => ArgumentError }.each do |arguments, error|
      it "stays where it is for scroll(#{arguments.map(&:inspect).join(", ")}), a #{error}" do
        given.fetch
        expect { given.scroll(*arguments) }.to raise_error(error)
        expect(given.rownumber).to eq(1)
      end
    end

    it "can't move without rows" do
      expect { connection.cursor.scroll(0) }.to raise_error(Pgconn::ProgrammingError, "no results to fetch")
      expect { connection.execute("SET TimeZone = 'UTC'").scroll(0) }.to raise_error(Pgconn::ProgrammingError)
      expect { connection.execute("SELECT 1 WHERE false").scroll(0) }.to raise_error(Pgconn::ProgrammingError)
    end
  end

  describe "and cast" do
    it "reads text as a column of that type would be read" do
      { [23, "42"] => 42, [1007, "{1,NULL}"] => [1, nil], [16, "t"] => true, [1082, "2024-02-29"] => Date.new(2024, 2, 29), [17, "\\x00ff"] => "\0\xFF".b,
        [25, "ü"] => "ü", [3904, "[1,5)"] => Pgconn::Range.new(1, 5), [23, nil] => nil, [4_000_000_000, "x"] => "x" }
        .each { |arguments, value| expect(connection.cursor.cast(*arguments)).to eq(value) }
    end

    it "raises for what can't be read, and for what is no text or OID" do
      expect { connection.cursor.cast(23, "x") }.to raise_error(Pgconn::DataError, 'malformed int4: "x"')
      expect { connection.cursor.cast(23, 1) }.to raise_error(TypeError)
      expect { connection.cursor.cast("int4", "1") }.to raise_error(TypeError)
      expect { connection.cursor.cast(2**32, "1") }.to raise_error(RangeError)
    end
  end

  describe "names of columns" do
    it "are found as Symbols and Strings of the program, whatever the client's encoding" do
      %w[UTF8 LATIN1 WIN1252 SQL_ASCII].each do |encoding|
        row = connect(client_encoding: encoding).execute('SELECT 1 AS "größe"').fetch
        next expect(row.names.first.b).to eq("größe".b) if encoding == "SQL_ASCII"

        expect([row[:größe], row["größe"], row.to_h]).to eq([1, 1, { größe: 1 }]), encoding
      end
    end

    it "may be initialize, in a Struct" do
      row = connect.cursor(row: :struct).execute("SELECT 1 AS initialize, 2 AS b").fetch
      expect(row.to_a).to eq([1, 2])
    end
  end

  it "are all there where a callable executes something else on the same cursor" do
    cursor = nil
    cursor = connect.cursor(row: lambda { |_, values|
      values.tap do
        cursor.execute("SELECT 'other'") if values == [2]
      end
    })
    expect(cursor.execute("SELECT generate_series(1, 3)").fetch_all).to eq([[1], [2], [3]])
    expect(cursor.fetch_all).to eq([["other"]])
  end
end
