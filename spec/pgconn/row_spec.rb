# frozen_string_literal: true

require "spec_helper"
require "stringio"

RSpec.describe Pgconn::Row do
  let(:connection) { connect }
  let(:row) { connection.execute("SELECT 42 AS id, 'Ada' AS name, NULL::text AS note").fetch }

  def fetch_row(sql)
    connection.execute(sql).fetch
  end

  describe "#[]" do
    it "takes an index, also from the end, and gives nil outside" do
      expect([row[0], row[1], row[-3], row[3], row[-4]]).to eq([42, "Ada", 42, nil, nil])
    end

    it "takes a name as Symbol or String" do
      expect([row[:id], row["name"], row[:note]]).to eq([42, "Ada", nil])
    end

    it "raises KeyError that names an unknown name" do
      expect { row[:nonsense] }.to raise_error(KeyError, /nonsense/)
      expect { row["ID"] }.to raise_error(KeyError, /ID/)
    end

    it "gives the last one of a name that occurs twice" do
      twice = fetch_row("SELECT 1 AS a, 2 AS b, 3 AS a")
      expect([twice[:a], twice.to_a, twice.to_h]).to eq([3, [1, 2, 3], { a: 3, b: 2 }])
    end

    it "finds names outside of ASCII" do
      expect(fetch_row('SELECT 1 AS "größe"')[:größe]).to eq(1)
    end

    it "raises TypeError for what is neither" do
      expect { row[nil] }.to raise_error(TypeError)
      expect { row[Object.new] }.to raise_error(TypeError)
    end
  end

  describe "#fetch" do
    it "gives what is there" do
      expect([row.fetch(0), row.fetch(-2), row.fetch(:id), row.fetch("name"), row.fetch(:note)])
        .to eq([42, "Ada", 42, "Ada", nil])
    end

    it "raises, gives the default or calls the block for what isn't" do
      expect { row.fetch(:nonsense) }.to raise_error(KeyError, /nonsense/)
      expect { row.fetch(3) }.to raise_error(IndexError, /3/)
      expect([row.fetch(:nonsense, 1), row.fetch(3, 2), row.fetch("x") { |key| key * 2 }]).to eq([1, 2, "xx"])
    end
  end

  it "digs" do
    expect([row.dig(0), row.dig(:name), row.dig("note", :deeper)]).to eq([42, "Ada", nil])
  end

  describe "as an Array and a Hash" do
    it "has to_a, a new Array each time" do
      row.to_a << 1
      expect(row.to_a).to eq([42, "Ada", nil])
    end

    it "has to_h with Symbol keys" do
      expect(row.to_h).to eq(id: 42, name: "Ada", note: nil)
    end

    it "has a size, and each yields the values" do
      expect([row.size, row.length]).to eq([3, 3])
      expect { |block| row.each(&block) }.to yield_successive_args(42, "Ada", nil)
      expect(row.each).to be_an(Enumerator)
    end

    it "is Enumerable" do
      expect(row.map(&:to_s)).to eq(["42", "Ada", ""])
      expect(row.include?("Ada")).to be(true)
    end

    it "is taken apart by assignment, by flatten, by Array() and by puts" do
      id, name, = row
      expect([id, name]).to eq([42, "Ada"])
      expect([[row]].flatten).to eq([42, "Ada", nil])
      expect(Array(row)).to eq([42, "Ada", nil])
      printed = StringIO.new.tap { |io| io.puts(row) }.string
      expect(printed).to eq("42\nAda\n\n")
    end

    it "is taken apart by a block's parameters" do
      pairs = connection.execute("SELECT 1, 2 UNION ALL SELECT 3, 4").map { |first, second| [second, first] }
      expect(pairs).to eq([[2, 1], [4, 3]])
    end
  end

  describe "pattern matching" do
    it "works by place" do
      matched = case row
                in [Integer => id, String => name, nil] then [id, name]
                end
      expect(matched).to eq([42, "Ada"])
    end

    it "works by name" do
      matched = case row
                in { id: 42, name: } then name
                end
      expect(matched).to eq("Ada")
    end

    it "doesn't match a name that it hasn't" do
      matched = (row in { nonsense: _ })
      expect(matched).to be(false)
    end

    it "gives the names that were asked for, or all" do
      expect(row.deconstruct_keys([:id])).to include(id: 42)
      expect(row.deconstruct_keys(nil)).to eq(row.to_h)
    end
  end

  describe "comparing" do
    let(:same) { fetch_row("SELECT 42 AS id, 'Ada' AS name, NULL::text AS note") }

    it "is equal to a Row and to an Array of the same values" do
      expect(row == same).to be(true)
      expect(row == [42, "Ada", nil]).to be(true)
      expect([42, "Ada", nil] == row).to be(true)
    end

    it "is not equal to others" do
      others = [fetch_row("SELECT 42, 'Ada'"), fetch_row("SELECT 42, 'Bob', NULL"), [42], nil, 42, "Ada", row.to_h]
      others.each { |other| expect(row == other).to be(false), other.inspect }
    end

    it "has the same hash as an equal Row and is eql? to it, but not to an Array" do
      expect([row.eql?(same), row.hash == same.hash]).to eq([true, true])
      expect(row.eql?(row.to_a)).to be(false)
      expect({ row => :found }[same]).to eq(:found)
    end

    it "tells 1 from 1.0 in eql? only, as an Array does" do
      integer = fetch_row("SELECT 1 AS a")
      float = fetch_row("SELECT 1::float8 AS a")
      expect([integer == float, integer.eql?(float)]).to eq([true, false])
    end
  end

  it "is frozen" do
    expect(row).to be_frozen
  end

  it "has no constructor" do
    expect { described_class.new }.to raise_error(NoMethodError)
    expect { described_class.allocate.to_a }.to raise_error(TypeError)
  end

  it "shows names and values in inspect" do
    expect(row.inspect).to include("Pgconn::Row", "id", "42", "name", '"Ada"', "nil")
  end

  it "comes back from Marshal with its names" do
    copy = Marshal.load(Marshal.dump(row))
    expect(copy).to be_a(described_class).and eq(row)
    expect(copy.to_h).to eq(row.to_h)
    expect(copy).to be_frozen
  end

  it "is shareable between Ractors when its values are" do
    numbers = fetch_row("SELECT 1 AS a, 2.5::float8 AS b, NULL AS c, true AS d")
    expect(Ractor.shareable?(numbers)).to be(true)
    expect(Ractor.shareable?(row)).to be(false)
    expect(Ractor.shareable?(Ractor.make_shareable(row))).to be(true)
  end

  it "outlives its cursor and its connection", :gc_stress do
    rows = Pgconn.connect(server.conninfo) { |own| own.execute("SELECT i AS id, i::text AS name FROM generate_series(1, 5) i").fetch_all }
    GC.start
    expect(rows.map(&:to_h)).to eq((1..5).map { |number| { id: number, name: number.to_s } })
  end

  it "counts with all that it holds", :gc_stress do
    require "objspace"
    wide = fetch_row("SELECT #{(1..30).to_a.join(", ")}")
    expect(ObjectSpace.memsize_of(wide)).to be > 30 * 8
    expect(wide.to_a).to eq((1..30).to_a)
  end
end
