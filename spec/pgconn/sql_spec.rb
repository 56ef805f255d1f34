# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::SQL do
  let(:connection) { connect(autocommit: true) }

  def sql(text) = described_class.new(text)
  def name(*names) = described_class::Identifier.new(*names)
  def literal(value) = described_class::Literal.new(value)
  def placeholder(name = nil) = described_class::Placeholder.new(name)
  def render(composable) = composable.to_sql(connection)

  odd = ["\"; DROP TABLE users; --", "'; DROP TABLE users; --", "\\'; DROP TABLE users; --", "\\", "''", "{}", "{0}", "{name}",
         "{{", "$1", ":name", "--", "/*", "$$", "E'", "a\nb", "grüße 世界 \u{1F600}", "%s"]

  describe "#format" do
    it "puts pieces in the place of {}, {0} and {name}" do
      expect(render(sql("SELECT {} FROM {}").format(name("a"), name("s", "t")))).to eq('SELECT "a" FROM "s"."t"')
      expect(render(sql("{1}, {0}, {1}").format(name("a"), name("b")))).to eq('"b", "a", "b"')
      expect(render(sql("{a} = {b}").format(a: name("x"), b: literal(1)))).to eq('"x" = 1')
      expect(render(sql("{} = {b}").format(name("x"), b: literal(1)))).to eq('"x" = 1')
    end

    it "is the same as Pgconn::SQL.format" do
      expect(described_class.format("{} {a}", name("x"), a: literal(1))).to eq(sql("{} {a}").format(name("x"), a: literal(1)))
    end

    it "reads {{ and }} as braces" do
      expect(render(sql("SELECT '{{\"a\": {{}}}}'::json, {}").format(literal(1)))).to eq("SELECT '{\"a\": {}}'::json, 1")
      expect(render(sql("{{{}}}").format(literal(1)))).to eq("{1}")
    end

    it "doesn't look for braces in the pieces" do
      expect(render(sql("{} {}").format(name("{}"), sql("{0}")))).to eq('"{}" {0}')
    end

    it "takes composed pieces, and formats them again" do
      inner = sql("{} = {}").format(name("a"), placeholder)
      expect(render(sql("SELECT {} AND {}").format(inner, inner))).to eq('SELECT "a" = $1 AND "a" = $2')
    end

    it "raises ArgumentError that names a missing piece" do
      expect { sql("{} {}").format(name("a")) }.to raise_error(ArgumentError, /place for piece number 2, not given/)
      expect { sql("{2}").format(name("a")) }.to raise_error(ArgumentError, /number 3, not given/)
      expect { sql("{table}").format(tabel: name("a")) }.to raise_error(ArgumentError, /place for \{table\}, not given/)
    end

    it "raises ArgumentError that names an unused piece" do
      expect { sql("{}").format(name("a"), name("b")) }.to raise_error(ArgumentError, /no place for piece number 2/)
      expect { sql("{a}").format(a: name("a"), b: name("b")) }.to raise_error(ArgumentError, /no place for \{b\}/)
      expect { sql("SELECT 1").format(name("a")) }.to raise_error(ArgumentError, /no place/)
    end

    it "raises ArgumentError for braces without a counterpart and for {} beside {0}" do
      expect { sql("a { b").format }.to raise_error(ArgumentError, /"\{" at character 3/)
      expect { sql("a } b").format }.to raise_error(ArgumentError, /"\}" at character 3/)
      expect { sql("{a b}").format(a: name("a")) }.to raise_error(ArgumentError, /counterpart/)
      expect { sql("{} {0}").format(name("a")) }.to raise_error(ArgumentError, /both \{\} and \{0\}/)
    end

    it "raises TypeError that tells what to wrap a String or another object in" do
      [["users"], [1], [nil]].each do |pieces|
        expect { sql("{}").format(*pieces) }.to raise_error(TypeError, /Identifier if it is a name.*Literal if it is a value/)
      end
      expect { sql("{a}").format(a: "users") }.to raise_error(TypeError, /String is none/)
    end
  end

  describe "composing" do
    it "joins pieces with the text between them" do
      expect(render(sql(", ").join([name("a"), name("b"), literal(1)]))).to eq('"a", "b", 1')
      expect(render(sql(", ").join(placeholder * 3))).to eq("$1, $2, $3")
      expect(render(sql(", ").join([]))).to eq("")
      expect(render(sql(" OR ").join([sql("a = {}").format(placeholder)].each))).to eq("a = $1")
      expect { sql(", ").join(%w[a b]) }.to raise_error(TypeError, /String is none/)
    end

    it "adds pieces by + and repeats them by *" do
      sum = sql("SELECT ") + name("a") + sql(" FROM ") + (name("t") + sql(";"))
      expect(render(sum)).to eq('SELECT "a" FROM "t";')
      expect(sum.to_a.size).to eq(5)
      expect(render(sql(", ").join(sql("({})").format(placeholder) * 2))).to eq("($1), ($2)")
      text = "a"
      expect { sql("SELECT ") + text }.to raise_error(TypeError, /String is none/)
    end

    it "numbers placeholders without a name in the order of the whole text, so that none takes another's value" do
      one = sql("a = {}").format(placeholder)
      other = sql("b = {} AND c = {}").format(placeholder, placeholder)
      expect(render(one + sql(" OR ") + other)).to eq("a = $1 OR b = $2 AND c = $3")
      expect(render(other + sql(" OR ") + one)).to eq("b = $1 AND c = $2 OR a = $3")
    end

    it "gives {0} that is written twice a number for each" do
      expect(render(sql("{0} + {0}").format(placeholder))).to eq("$1 + $2")
    end

    it "raises ProgrammingError where a text has a number of its own beside placeholders that are numbered" do
      expect { render(sql("a = $1 AND b = {}").format(placeholder)) }.to raise_error(Pgconn::ProgrammingError, /\$1 of its own/)
      expect(render(sql("a = '$1' AND b = {}").format(placeholder))).to eq("a = '$1' AND b = $1")
    end

    it "raises ProgrammingError for a value, a name or a placeholder in quotes or in a comment, where it could get out" do
      ["'{}'", "' {} '", '"{}"', '" {} "', "1 --{}", "1 -- {}", "1 /* {} */", "1 /* /* */ {} */", "$$ {} $$", "$a$ {} $a$", "E'\\'{}'",
       "'a'\n{}"].each do |text|
        [placeholder, placeholder(:a), literal(" OR 1=1 --"), literal("\n; DROP TABLE users"), literal(1), literal("\\"), name("a\nb"),
         name("s", "*/ 1")].each do |piece|
          next if text.start_with?("'a'") && !piece.inspect.include?("Literal \" ") # only a string goes on

          expect { render(sql("SELECT #{text}").format(piece)) }
            .to raise_error(Pgconn::ProgrammingError, /in quotes or in a comment/), "#{text} with #{piece.inspect}"
        end
      end
    end

    it "takes quotes and comments beside the pieces" do
      query = sql("SELECT '--', {}, /* ' */ {} -- \"\n, $$'$$, {}::int").format(literal("a'"), literal("\\"), placeholder)
      expect(connection.execute(query, [1]).fetch.to_a).to eq(["--", "a'", "\\", "'", 1])
    end

    it "leaves the numbers of a text without such placeholders alone" do
      expect(connection.execute(sql("SELECT $1::int + {}").format(literal(2)), [1]).fetch_value).to eq(3)
    end

    it "keeps what adjoins apart, so that no two pieces become another one" do
      expect(render(literal("a") + literal("b"))).to eq("'a' 'b'")
      expect(render(name("a") + name("b"))).to eq('"a" "b"')
      expect(render(literal(1) + literal(2))).to eq("1 2")
      expect(render(sql("LIMIT{}0").format(placeholder))).to eq("LIMIT $1 0")
      expect(render(sql("E{}").format(literal("a")))).to eq("E 'a'")
      expect(render(sql("'x'{}").format(literal("a")))).to eq("'x' 'a'")
      expect(render(sql("{}x").format(literal(nil)))).to eq("NULL x")
      expect(render(sql("{}.{}({})::{}").format(name("s"), name("f"), literal("a"), name("t")))).to eq("\"s\".\"f\"('a')::\"t\"")
      expect(render(sql("[{}:{}]").format(placeholder("x"), placeholder("y")))).to eq("[:x: :y]")
      expect(render(sql("::{}").format(placeholder("x")))).to eq(":: :x")
      expect(render(sql("[:{}]").format(literal(true)))).to eq("[: true]")
      expect(render(sql("{}.5, 1.{}").format(literal(1), literal(5)))).to eq("1 .5, 1. 5")
      expect(render(sql("${}, $ {}").format(literal(1), placeholder))).to eq("$ 1, $ $1")
      expect(render(sql("U&{}").format(name("\\0041")))).to eq('U& "\\0041"')
      expect(render(sql("a") + sql("b"))).to eq("ab")
    end

    it "lets bounds of a slice be parameters" do
      query = sql("SELECT (ARRAY[1, 2, 3])[{}:{}]").format(placeholder("x"), placeholder("y"))
      expect(connection.execute(query, x: 2, y: 3).fetch_value).to eq([2, 3])
    end
  end

  describe "values that try to get out" do
    it "stay names as Identifier" do
      odd.each do |value|
        query = sql("SELECT 1 AS {}").format(name(value))
        expect(connection.execute(query).description.map(&:name)).to eq([value])
      end
    end

    it "stay values as Literal, be standard_conforming_strings on or off" do
      %w[on off].each do |setting|
        connection.execute("SET standard_conforming_strings = #{setting}")
        odd.each { |value| expect(connection.execute(sql("SELECT {}").format(literal(value))).fetch_value).to eq(value) }
      end
    end

    it "stay parameters as Placeholder" do
      odd.each { |value| expect(connection.execute(sql("SELECT {}").format(placeholder), [value]).fetch_value).to eq(value) }
    end

    it "are refused with a NUL byte and as broken text" do
      expect { name("a\0") }.to raise_error(Pgconn::DataError, /NUL/)
      expect { name("a\xFF") }.to raise_error(Pgconn::DataError, /valid/)
      expect { render(literal("a\0")) }.to raise_error(Pgconn::DataError, /NUL/)
      expect { render(literal("a\xFF")) }.to raise_error(Pgconn::DataError, /valid/)
      expect { sql("a\xFF") }.to raise_error(Pgconn::DataError, /valid/)
    end
  end

  describe "executing" do
    let(:query) { sql("SELECT {value} AS {name}").format(value: placeholder(:v), name: name("It's")) }

    it "takes composed SQL in place of a String, on the connection and on a cursor" do
      expect(connection.execute(query, v: "a").fetch.to_h).to eq("It's": "a")
      expect(connection.cursor.execute(query, { "v" => "b" }).fetch_value).to eq("b")
      expect(connection.execute(sql("SELECT 1")).fetch_value).to eq(1)
    end

    it "takes it in subclasses of Cursor and Connection, too" do
      cursor_class = Class.new(Pgconn::Cursor)
      other = connect(cursor_factory: cursor_class, connection_factory: Class.new(Pgconn::Connection))
      expect(other.execute(query, v: "a")).to be_a(cursor_class)
    end

    it "renders for the connection that executes: cursor.query and errors have the text" do
      cursor = connection.execute(query, v: "a")
      expect(cursor.query).to eq('SELECT $1 AS "It\'s"')
      expect { connection.execute(sql("SELECT {}").format(name("nope"))) }
        .to raise_error(Pgconn::Errors::UndefinedColumn) { |error| expect(error.query).to eq('SELECT "nope"') }
    end

    it "raises TypeError for what is neither a String nor composed" do
      [1, Object.new, [query]].each { |other| expect { connection.execute(other) }.to raise_error(TypeError, /Pgconn::SQL/) }
    end

    it "works under a client encoding with characters that end like quotes and backslashes" do
      other = connect(client_encoding: "SJIS", autocommit: true)
      composed = sql("SELECT {}, '表' AS {}".encode("Windows-31J")).format(literal("ソ\\"), name("能"))
      expect(other.execute(composed).fetch.to_a.map { |text| text.encode("UTF-8") }).to eq(["ソ\\", "表"])
    end
  end

  describe "pieces" do
    it "are frozen, equal to the same and keys of a Hash" do
      pairs = [-> { sql("a") }, -> { name("a", "b") }, -> { literal("a") }, -> { placeholder }, -> { placeholder(:a) },
               -> { sql("{} {a}").format(name("x"), a: literal(1)) }]
      pairs.each do |make|
        expect(make.call).to be_frozen
        expect(make.call).to eq(make.call)
        expect({ make.call => 1 }[make.call]).to eq(1)
      end
      all = pairs.map(&:call)
      expect(all.uniq.size).to eq(all.size)
    end

    it "differ where they mean another thing" do
      expect(name("a")).not_to eq(literal("a"))
      expect(name("a", "b")).not_to eq(name("a.b"))
      expect(literal(1)).not_to eql(literal(1.0))
      expect(sql("a")).not_to eq("a")
    end

    it "don't change with the String that they were made from" do
      text = +"a"
      pieces = [sql(text), name(text)]
      text << "\"; --"
      expect(pieces.map { |piece| render(piece) }).to eq(["a", '"a"'])
    end

    it "don't change with a Literal's value, what is in Arrays, Hashes and Sets too" do
      make = -> { [+"a", [+"b", [+"c"]], { +"d" => [+"e"] }, Set[+"f"], [{ "g" => +"h" }]] }
      values = make.call
      pieces = values.map { |value| literal(value) }
      values[0] << "!"
      values[1][1] << "!"
      values[2]["d"] << "!"
      values[3] << "!"
      values[4][0]["g"] << "!"
      expect(pieces.map(&:value)).to eq(make.call)
      expect(pieces.map(&:value)).to all(be_frozen)
      expect(pieces[2].value["d"]).to be_frozen
    end

    it "leave a Literal's value as it was, and what it is" do
      type = Class.new(String)
      value = [type.new("a"), recursive = [], 1, nil, Date.new(2024, 1, 1)]
      recursive << recursive
      copy = literal(value).value
      expect(copy.map(&:class)).to eq([type, Array, Integer, NilClass, Date])
      expect(copy[1][0]).to equal(copy[1])
      expect([value, recursive, value[0]].map(&:frozen?)).to all(be(false))
    end

    it "have a readable inspect" do
      expect(sql("a = {}").format(name("s", "t")).inspect)
        .to eq('#<Pgconn::SQL::Composed [#<Pgconn::SQL "a = ">, #<Pgconn::SQL::Identifier "s"."t">]>')
      expect([literal("a"), placeholder, placeholder(:a)].map(&:inspect))
        .to eq(['#<Pgconn::SQL::Literal "a">', "#<Pgconn::SQL::Placeholder>", "#<Pgconn::SQL::Placeholder :a>"])
    end

    it "tell what they are made of" do
      expect([sql("a").text, name("s", :t).names, name(%w[s t]).names, literal(1).value, placeholder("a").name])
        .to eq(["a", %w[s t], %w[s t], 1, :a])
      expect((sql("a") + name("b")).each.to_a).to eq([sql("a"), name("b")])
    end

    it "are rendered for a Connection or a Cursor, and nothing else" do
      expect(name("a").as_string(connection.cursor)).to eq('"a"')
      expect { name("a").to_sql(nil) }.to raise_error(TypeError, /Connection or a Cursor/)
    end

    it "refuse arguments of another kind" do
      expect { sql(:a) }.to raise_error(TypeError, /String, not Symbol/)
      expect { name }.to raise_error(ArgumentError, /empty/)
      expect { name("") }.to raise_error(ArgumentError, /empty/)
      expect { name(1) }.to raise_error(TypeError, /Integer/)
      expect { placeholder(1) }.to raise_error(TypeError, /name or none/)
      ["", "a b", "a)", "1a", "é"].each { |bad| expect { placeholder(bad) }.to raise_error(ArgumentError, /can't be called/) }
      expect { described_class::Composed.new(["a"]) }.to raise_error(TypeError, /String is none/)
      expect { described_class::Composed.new(nil) }.to raise_error(TypeError, /pieces must be Enumerable.*not NilClass/)
      expect { sql(", ").join(nil) }.to raise_error(TypeError, /pieces must be Enumerable.*not NilClass/)
      expect { sql(", ").join("a") }.to raise_error(TypeError, /pieces must be Enumerable.*not String/)
      expect { sql("a") * "x" }.to raise_error(TypeError, /Integer.*not String/)
      expect { sql("a") * 1.5 }.to raise_error(TypeError, /Integer.*not Float/)
      expect { sql("a") * -1 }.to raise_error(ArgumentError, /-1/)
    end
  end
end
