# frozen_string_literal: true

require "spec_helper"
require "bigdecimal"
require "date"
require "ipaddr"
require "set"

# Ruby's values and names on their way to the server, which isn't needed for it.
RSpec.describe "Pgconn::Params" do
  # [oid, format, bytes] of each
  def encode(*values, encoding: "UTF-8")
    Pgconn::Params.encode(values, encoding)
  end

  def text(value, **options)
    oid, format, bytes = encode(value, **options).first
    raise "type #{oid}, format #{format}" unless [oid, format] == [0, 0]

    bytes
  end

  def bind(sql, arguments = nil, standard_strings: true)
    Pgconn::Params.bind(sql, arguments, standard_strings)
  end

  def self.day(year, month, day) = Date.new(year, month, day, Date::GREGORIAN)
  def self.object(name, &block) = Class.new { define_method(name, &block) }.new

  describe "text forms" do
    {
      nil => nil,
      true => "true",
      false => "false",
      0 => "0",
      -1 => "-1",
      2**62 - 1 => "4611686018427387903",
      -2**62 - 1 => "-4611686018427387905",
      2**64 => "18446744073709551616",
      0.1 => "0.1",
      -0.0 => "-0.0",
      1e22 => "1.0e+22",
      5e-324 => "5.0e-324",
      Float::MAX => "1.7976931348623157e+308",
      Float::NAN => "NaN",
      Float::INFINITY => "Infinity",
      -Float::INFINITY => "-Infinity",
      BigDecimal("-1.50") => "-1.5",
      BigDecimal("10") => "10",
      BigDecimal("0") => "0",
      BigDecimal("1e-30") => "0.#{"0" * 29}1",
      BigDecimal("1e30") => "1#{"0" * 30}",
      BigDecimal("1e131071") => "1#{"0" * 131_071}",
      BigDecimal("-1e-16383") => "-0.#{"0" * 16_382}1",
      BigDecimal("NaN") => "NaN",
      BigDecimal("Infinity") => "Infinity",
      BigDecimal("-Infinity") => "-Infinity",
      Rational(0) => "0",
      Rational(5) => "5",
      Rational(1200) => "1200",
      Rational(1, 8) => "0.125",
      Rational(-7, 20) => "-0.35",
      Rational(12_345, 100) => "123.45",
      Rational(-1, 1024) => "-0.0009765625",
      Rational(1, 5**30) => BigDecimal(2**30).mult(BigDecimal("1e-30"), 0).to_s("F"),
      Rational(10**50 + 1, 10**40) => "10000000000.#{"0" * 39}1",
      "" => "",
      "grüße" => "grüße".b,
      "a\\b" => "a\\b",
      :symbol => "symbol",
      Date.new(2024, 2, 29) => "2024-02-29",
      Date.new(1500, 2, 28) => "1500-03-09",
      day(1500, 2, 28) => "1500-02-28",
      day(1, 1, 1) => "0001-01-01",
      day(0, 12, 31) => "0001-12-31 BC",
      day(-43, 3, 15) => "0044-03-15 BC",
      day(5_874_897, 12, 31) => "5874897-12-31",
      Time.utc(2024, 2, 29, 13, 14, 15) => "2024-02-29 13:14:15.000000+00",
      Time.new(2024, 1, 1, 0, 0, 0, "+05:30") => "2023-12-31 18:30:00.000000+00",
      Time.at(0, 1_999, :nsec) => "1970-01-01 00:00:00.000001+00",
      Time.at(-1, 999_999_999, :nsec) => "1969-12-31 23:59:59.999999+00",
      Time.at(Rational(-1, 10**15)) => "1969-12-31 23:59:59.999999+00",
      Time.utc(-43, 3, 15, 12) => "0044-03-15 12:00:00.000000+00 BC",
      Time.utc(294_276, 12, 31, 23, 59, 59, 999_999) => "294276-12-31 23:59:59.999999+00",
      DateTime.new(2024, 2, 29, 13, 14, Rational(31, 2), "+05:30") => "2024-02-29 07:44:15.500000+00",
      DateTime.new(1969, 12, 31, 23, 59, Rational(599_999_999, 10**7)) => "1969-12-31 23:59:59.999999+00",
      DateTime.new(1500, 2, 27) => "1500-03-08 00:00:00.000000+00",
      DateTime.new(294_276, 12, 31, 23, 59, 59) => "294276-12-31 23:59:59.000000+00",
      IPAddr.new("192.168.7.9") => "192.168.7.9/32",
      IPAddr.new("192.168.7.9/16") => "192.168.0.0/16",
      IPAddr.new("2001:db8::/32") => "2001:db8::/32"
    }.each do |value, expected|
      it "writes #{value.inspect[0, 60]}" do
        expect(text(value)).to eq(expected)
      end
    end

    it "write many values at once, and NULLs between them" do
      values = Array.new(65_535) { |i| i.odd? ? nil : i }
      expect(encode(*values).map(&:last)).to eq(values.map { |value| value&.to_s })
    end

    it "write none" do
      expect(encode).to eq([])
    end

    it "write subclasses as their superclass" do
      expect(text(Class.new(String).new("sub"))).to eq("sub")
      expect(text(Class.new(Date).new(2024, 2, 29))).to eq("2024-02-29")
      expect(text(Class.new(DateTime).new(2024, 2, 29))).to eq("2024-02-29 00:00:00.000000+00")
      expect(text(Class.new(Time).utc(2024))).to eq("2024-01-01 00:00:00.000000+00")
    end
  end

  describe "Strings" do
    it "are transcoded to the client's encoding" do
      expect(text("ü".encode("UTF-16LE"))).to eq("ü".b)
      expect(text("ü", encoding: "ISO-8859-1")).to eq("\xFC".b)
      expect(text(:ü, encoding: "ISO-8859-1")).to eq("\xFC".b)
    end

    it "raise DataError that names the parameter where they can't be" do
      expect { encode(1, "€", encoding: "ISO-8859-1") }.to raise_error(Pgconn::DataError, /parameter \$2/)
      expect { encode("\xFF") }.to raise_error(Pgconn::DataError, /parameter \$1/)
    end

    it "raise DataError for a NUL byte" do
      expect { encode(1, "a\0b") }.to raise_error(Pgconn::DataError, /parameter \$2 has a NUL byte/)
      expect { encode(:"a\x00b") }.to raise_error(Pgconn::DataError, /NUL/)
      expect { encode(Pgconn::Typed.new("a\0b", 25)) }.to raise_error(Pgconn::DataError, /NUL/)
    end

    it "pass as they are when they are ASCII-8BIT" do
      expect(text("\xFCber".b)).to eq("\xFCber".b)
    end

    ["a\\b", "a\0b"].each do |bytes|
      it "raise DataError that tells of Typed when they are ASCII-8BIT with #{bytes.inspect}" do
        expect { encode(bytes.b) }.to raise_error(Pgconn::DataError, /Pgconn::Typed\.new\(string, 17\)/)
      end
    end
  end

  describe "Typed" do
    it "sends its type, and the text form" do
      expect(encode(Pgconn::Typed.new("1", 20), Pgconn::Typed.new(nil, 1186), 3)).to eq([[20, 0, "1"], [1186, 0, nil], [0, 0, "3"]])
      expect(encode(Pgconn::Typed.new("a\\b".b, 25))).to eq([[25, 1, "a\\b"]])
    end

    it "sends ASCII-8BIT for bytea as raw bytes, other Strings as the server reads them" do
      bytes = (0..255).map(&:chr).join.b
      expect(encode(Pgconn::Typed.new(bytes, 17))).to eq([[17, 1, bytes]])
      expect(encode(Pgconn::Typed.new("".b, 17))).to eq([[17, 1, ""]])
      expect(encode(Pgconn::Typed.new("\\x41", 17))).to eq([[17, 0, "\\x41"]])
    end

    it "sends nil as NULL of bytea, too" do
      expect(encode(Pgconn::Typed.new(nil, 17)).first.values_at(0, 2)).to eq([17, nil])
    end

    it "has the outermost type where there is one in another" do
      expect(encode(Pgconn::Typed.new(Pgconn::Typed.new("1", 21), 20))).to eq([[20, 0, "1"]])
    end

    it "refuses what can't be an OID" do
      expect { Pgconn::Typed.new(1, "int8") }.to raise_error(TypeError)
      [0, -1, 2**32].each { |oid| expect { Pgconn::Typed.new(1, oid) }.to raise_error(ArgumentError) }
    end

    it "is a frozen value" do
      typed = Pgconn::Typed.new("a", 25)
      expect(typed).to be_frozen
      expect(typed).to eq(Pgconn::Typed.new("a", 25)).and eql(Pgconn::Typed.new("a", 25))
      expect(typed.hash).to eq(Pgconn::Typed.new("a", 25).hash)
      expect([Pgconn::Typed.new("b", 25), Pgconn::Typed.new("a", 17), "a"]).not_to include(typed)
      expect(typed.inspect).to eq('#<Pgconn::Typed value="a" oid=25>')
      expect(Marshal.load(Marshal.dump(typed))).to eq(typed)
    end

    it "is known to pattern matching" do
      case Pgconn::Typed.new("a", 25)
      in { value: String => value, oid: 25 }
        expect(value).to eq("a")
      end
      case Pgconn::Typed.new("a", 25)
      in [value, oid]
        expect([value, oid]).to eq(["a", 25])
      end
    end
  end

  describe "objects with methods for it" do
    it "are asked for their to_pg, whose result is encoded again" do
      inner = self.class.object(:to_pg) { 42 }
      expect(text(inner)).to eq("42")
      expect(text(self.class.object(:to_pg) { inner })).to eq("42")
      expect(text(self.class.object(:to_pg) { nil })).to be_nil
      expect(encode(self.class.object(:to_pg) { Pgconn::Typed.new("\0".b, 17) })).to eq([[17, 1, "\0"]])
      expect(encode(Pgconn::Typed.new(inner, 20))).to eq([[20, 1, [42].pack("q>")]])
    end

    it "are asked for to_pg ahead of what their superclass would be" do
      expect(text(Class.new(String) { def to_pg = 1 }.new("x"))).to eq("1")
      expect(text(Class.new(Array) { def to_pg = "{1}" }.new)).to eq("{1}")
    end

    it "raise DataError where to_pg goes round" do
      expect { encode(self.class.object(:to_pg) { self }) }.to raise_error(Pgconn::DataError, /to_pg/)
      expect { encode(self.class.object(:to_pg) { Pgconn::Typed.new(self, 25) }) }.to raise_error(Pgconn::DataError, /to_pg/)
    end

    it "may raise what they like" do
      expect { encode(1, self.class.object(:to_pg) { raise IndexError, "mine" }) }.to raise_error(IndexError, "mine")
      expect { catch(:out) { encode(self.class.object(:to_pg) { throw :out }) } }.not_to raise_error
    end

    it "are durations where their iso8601 says so" do
      expect(text(self.class.object(:iso8601) { "P1Y2M3DT4H5M6.789S" })).to eq("P1Y2M3DT4H5M6.789S")
      ["2024-01-01T00:00:00Z", "", "-", "P", nil, 1].each do |answer|
        expect { encode(self.class.object(:iso8601) { answer }) }.to raise_error(Pgconn::DataError)
      end
    end

    it "can't harm the call by changing what was given", :gc_stress do
      values = ["first"]
      meddler = self.class.object(:to_pg) do
        values.clear
        GC.start
        "x" * 100
      end
      values << meddler << "last"
      expect(Pgconn::Params.encode(values, "UTF-8").map(&:last)).to eq(["first", "x" * 100, "last"])
    end

    it "can't harm the call by changing their own text" do
      shared = +"a" * 1000
      values = [shared, self.class.object(:to_pg) { shared.replace("b") }, shared]
      expect(encode(*values).map(&:last)).to eq(%w[b b b])
    end
  end

  describe "values that can't be encoded" do
    {
      Rational(1, 3) => %r{1/3},
      Rational(1, 10**16_384) => /no finite decimal/,
      BigDecimal("1e131072") => /out of the range of numeric/,
      BigDecimal("1e-16384") => /out of the range of numeric/,
      BigDecimal("1e1000000000000") => /out of the range of numeric/,
      Date.new(10**8, 1, 1) => /out of the range/,
      Date.new(10**30, 1, 1) => /out of the range/,
      Time.at(2**70) => /out of the range/,
      Time.at(-2**62) => /out of the range/,
      DateTime.new(10**12, 1, 1) => /out of the range/,
      { a: 1 } => /parameter \$1: Hash for the type with the OID 0;/,
      Struct.new(:a).new(1) => /parameter \$1: .*Class.* for the type with the OID 0;/,
      [[1], [2, 3]] => /parameter \$1 as an array: the Arrays in it must have the same size/,
      [1, [Object.new]] => /parameter \$1 as an array: the Arrays in it must have the same size/,
      [Object.new] => /parameter \$1: Object;/,
      [[[[[[[1]]]]]]] => /parameter \$1 as an array: it has more than six dimensions/,
      Object.new => /parameter \$1: Object; accepted are/,
      Complex(1, 2) => /parameter \$1: Complex;/
    }.each do |value, message|
      it "raise DataError: #{value.inspect[0, 40]}" do
        expect { encode(value) }.to raise_error(Pgconn::DataError, message)
      end
    end

    it "raise DataError for objects without any methods" do
      expect { encode(BasicObject.new) }.to raise_error(Pgconn::DataError, /BasicObject/)
      expect { encode(Class.new.new) }.to raise_error(Pgconn::DataError, /#<Class:/)
    end

    it "are named by their number" do
      expect { encode(1, 2, {}) }.to raise_error(Pgconn::DataError, /parameter \$3: Hash/)
    end

    it "raise ProgrammingError with both numbers where there are too many" do
      expect { encode(*Array.new(65_536, 1)) }.to raise_error(Pgconn::ProgrammingError, /65536.*65535/)
    end
  end

  describe "names" do
    it "become numbers, and everything else stays as it was" do
      expect(bind("/* :x */ SELECT :b,\t:a :: int, :b -- é", { a: 1, "b" => 2 }))
        .to eq(["/* :x */ SELECT $1,\t$2 :: int, $1 -- é", [2, 1]])
    end

    it "keep apart from a word in front of them" do
      expect(bind("SELECT 1 LIMIT:n OFFSET(:n)", { n: 1 })).to eq(["SELECT 1 LIMIT $1 OFFSET($1)", [1]])
    end

    it "are found among Symbols before they are among Strings" do
      expect { bind("SELECT :a", { a: 1, "a" => 2 }) }.to raise_error(Pgconn::ProgrammingError, /no "a"/)
    end

    it "may have nil and false as values, and don't use the Hash's default" do
      expect(bind("SELECT :a, :b", { a: nil, b: false })).to eq(["SELECT $1, $2", [nil, false]])
      expect { bind("SELECT :a", Hash.new(1)) }.to raise_error(Pgconn::ProgrammingError, /:a/)
    end

    it "leave the Hash as it was" do
      arguments = { a: 1 }
      bind("SELECT :a", arguments)
      expect(arguments).to eq({ a: 1 })
    end

    it "raise ProgrammingError that names what is missing and what is unused" do
      expect { bind("SELECT :a, :b, :b, :c", { c: 1 }) }.to raise_error(Pgconn::ProgrammingError, "no value given for :a, :b")
      expect { bind("SELECT :a", { a: 1, "b" => 2, 3 => 4 }) }.to raise_error(Pgconn::ProgrammingError, 'the statement has no "b", 3')
      expect { bind("SELECT :nmae", { name: 1 }) }
        .to raise_error(Pgconn::ProgrammingError, "no value given for :nmae; the statement has no :name")
    end

    it "raise ProgrammingError beside numbers" do
      expect { bind("SELECT $2, :a", { a: 1 }) }.to raise_error(Pgconn::ProgrammingError, /\$2/)
      expect { bind("SELECT $2", {}) }.to raise_error(Pgconn::ProgrammingError, /\$2/)
    end

    it "are found in every encoding" do
      %w[UTF-16LE UTF-16BE ISO-8859-1 Windows-1252].each do |encoding|
        sql, values = bind("SELECT 'ü', :größe".encode(encoding), { größe: 1 })
        expect([sql.encode("UTF-8"), values]).to eq(["SELECT 'ü', $1", [1]]), encoding
      end
    end

    it "aren't confused by bytes that look like ASCII" do
      # The second byte of ソ is a backslash in Windows-31J.
      expect(bind("SELECT E'ソ', :a".encode("Windows-31J"), { a: 1 })).to eq(["SELECT E'ソ', $1", [1]])
    end

    it "raise DataError where the SQL isn't valid" do
      expect { bind("SELECT :a\xFF", { "a\xFF" => 1 }) }.to raise_error(Pgconn::DataError, /SQL/)
    end
  end

  # SQL with what it becomes where :a, :b... have values 1, 2...
  {
    "a[lo:hi]" => nil,
    "a[1:hi]" => nil,
    "a['1':hi]" => nil,
    'a["lo":hi]' => nil,
    "a[f(x):hi]" => nil,
    "a[b[1]:hi]" => nil,
    "a[:hi]" => "a[$1]",
    "a[:hi:c]" => "a[$1:c]",
    "a[:hi : :lo]" => "a[$1 : $2]",
    "a[lo : :hi]" => "a[lo : $1]",
    "ARRAY[:a, :b]" => "ARRAY[$1, $2]",
    "ARRAY[(SELECT x LIMIT :a)]" => "ARRAY[(SELECT x LIMIT $1)]",
    "ARRAY[CASE WHEN :a THEN :b ELSE :c END]" => "ARRAY[CASE WHEN $1 THEN $2 ELSE $3 END]",
    "ARRAY[t AT TIME ZONE :a]" => "ARRAY[t AT TIME ZONE $1]",
    "f(x):a" => "f(x)$1",
    "x::int" => nil,
    ":a::int" => "$1::int",
    "f(n := :a)" => "f(n := $1)",
    "':a'" => nil,
    "'it''s :a' :b" => "'it''s :a' $1",
    "'\\' :a" => "'\\' $1",
    "E'\\' :a' :b" => "E'\\' :a' $1",
    "E'x'\n'\\' :a' :b" => "E'x'\n'\\' :a' $1",
    "E'x' -- y\n '\\' :a' :b" => "E'x' -- y\n '\\' :a' $1",
    "E'x' '\\' :a" => "E'x' '\\' $1",
    "te'\\' :a" => "te'\\' $1",
    "B'01' :a" => "B'01' $1",
    "U&'\\0041' :a" => "U&'\\0041' $1",
    'U&"\\0041:b" :a' => 'U&"\\0041:b" $1',
    '":a"' => nil,
    '"x"":a"' => nil,
    "$$:a$$" => nil,
    "$$:a$$:b" => "$$:a$$ $1",
    "$x$ $$ :a $y$ $x$ :b" => "$x$ $$ :a $y$ $x$ $1",
    "x$y$ :a $y$" => "x$y$ $1 $y$",
    "-- :a\n:b" => "-- :a\n$1",
    "-- :a\r:b" => "-- :a\r$1",
    "/* /* :a */ :b */ :c" => "/* /* :a */ :b */ $1",
    "'open :a" => nil,
    "$$open :a" => nil,
    "/* open :a" => nil,
    '"open :a' => nil,
    ": a" => nil,
    ":1" => nil,
    ":" => nil,
    "pg_typeof(:a)" => "pg_typeof($1)",
    "x->>:a" => "x->>$1",
    ":a:b" => "$1 $2",
    ":ä_1-1" => "$1-1"
  }.each do |sql, expected|
    it "reads #{sql.inspect} as the server does" do
      names = expected.to_s.scan(/\$\d/).uniq.size
      keys = sql.scan(/:([[:alpha:]_]\w*)/).flatten.uniq
      found = keys.combination(names).filter_map do |used|
        bind(sql, used.to_h { |key| [key, key] })
      rescue Pgconn::ProgrammingError
        nil
      end
      expect(found.map(&:first)).to eq([expected || sql])
    end
  end

  it "knows standard_conforming_strings" do
    expect(bind("'\\' :a' :b", { b: 1 }, standard_strings: false)).to eq(["'\\' :a' $1", [1]])
  end

  describe "numbers" do
    it "are compared with what the statement has" do
      expect(bind("SELECT $1, $2", [1, 2])).to eq(["SELECT $1, $2", [1, 2]])
      expect(bind("SELECT 1")).to eq(["SELECT 1", []])
      expect(bind("SELECT 1", [])).to eq(["SELECT 1", []])
      { ["SELECT $1, $3", [1, 2]] => "2 parameters given, the statement has 3",
        ["SELECT 1", [1]] => "1 parameter given, the statement has 0",
        ["SELECT $1", nil] => "0 parameters given, the statement has 1",
        ["SELECT $1", []] => "0 parameters given, the statement has 1",
        ["SELECT $99999999999", [1]] => "1 parameter given, the statement has 2147483647" }.each do |(sql, arguments), message|
        expect { bind(sql, arguments) }.to raise_error(Pgconn::ProgrammingError, /\A#{message}/)
      end
    end

    it "aren't read in literals, comments and identifiers" do
      sql = %q(SELECT '$1', E'\'$1', "$1", a$1, $$ $1 $$, $x$ $1 $x$ /* $1 */ -- $1)
      expect(bind(sql)).to eq([sql, []])
    end

    it "may belong to a statement within the statement" do
      ["CREATE FUNCTION f(int) RETURNS int RETURN $1", "/* x */ create view v AS SELECT $1", "ALTER TABLE t ADD CHECK ($1)",
       "PREPARE p AS SELECT $1", "EXPLAIN SELECT $1", "SELECT 1; CREATE FUNCTION f(int) RETURNS int RETURN $1"].each do |sql|
        expect(bind(sql)).to eq([sql, []])
        expect(bind(sql, [])).to eq([sql, []])
      end
      expect(bind("EXPLAIN SELECT $1", [1])).to eq(["EXPLAIN SELECT $1", [1]])
      expect { bind("EXPLAIN SELECT $1", [1, 2]) }.to raise_error(Pgconn::ProgrammingError, /2.*1/)
      expect { bind("SELECT $1, create") }.to raise_error(Pgconn::ProgrammingError)
    end

    it "leave names alone" do
      expect(bind("SELECT $1, :a", [1])).to eq(["SELECT $1, :a", [1]])
    end
  end

  describe "SQL" do
    it "raises ProgrammingError for a NUL byte" do
      expect { bind("SELECT 1\0") }.to raise_error(Pgconn::ProgrammingError, /NUL/)
      expect { bind("SELECT 1\0".encode("UTF-16LE")) }.to raise_error(Pgconn::ProgrammingError, /NUL/)
    end

    it "raises TypeError for what is no String" do
      expect { bind(1) }.to raise_error(TypeError)
    end
  end

  describe "positions" do
    def user_position(sql, arguments, position)
      Pgconn::Params.user_position(sql, arguments, true, position)
    end

    it "are found in the user's text, counted in characters" do
      sql = "SELECT 'ü', :größe, :a + nix, :größe FROM t WHERE:a"
      sent, = bind(sql, { größe: 1, a: 2 })
      ["SELECT", "'ü'", "+", "nix", "FROM", "WHERE"].each do |part|
        expect(user_position(sql, { größe: 1, a: 2 }, sent.index(part) + 1)).to eq(sql.index(part) + 1), part
      end
      expect(user_position(sql, { größe: 1, a: 2 }, sent.index("$1") + 1)).to eq(sql.index(":größe") + 1)
      expect(user_position(sql, { größe: 1, a: 2 }, sent.index("$2") + 2)).to eq(sql.index(":a") + 1)
      expect(user_position(sql, { größe: 1, a: 2 }, sent.rindex("$2") + 1)).to eq(sql.rindex(":a") + 1)
      expect(user_position(sql, { größe: 1, a: 2 }, sent.size + 1)).to eq(sql.size + 1)
    end

    it "are the same where nothing was rewritten" do
      expect(user_position("SELECT $1, :a", [1], 12)).to eq(12)
      expect(user_position("SELECT 1", nil, 8)).to eq(8)
    end

    it "count characters in SQL that is ASCII-8BIT, too" do
      expect(user_position("SELECT 'ü', :a, nix".b, { a: 1 }, 17)).to eq(17)
      expect(user_position("SELECT 'ü', :abc, nix".b, { abc: 1 }, 17)).to eq(19)
    end
  end
end
