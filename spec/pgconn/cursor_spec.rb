# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::Cursor do
  let(:connection) { connect }
  let(:cursor) { connection.cursor }
  let(:five) { connection.execute("SELECT i, i * i AS square FROM generate_series(1, 5) i") }

  describe "#execute" do
    it "gives the cursor itself" do
      expect(cursor.execute("SELECT 1")).to be(cursor)
    end

    it "is a short cut on the connection, with a cursor of its own" do
      first = connection.execute("SELECT 1")
      expect(connection.execute("SELECT 2")).to be_a(described_class)
      expect(first.fetch_value).to eq(1)
    end

    it "replaces the result before" do
      cursor.execute("SELECT 1 UNION ALL SELECT 2")
      expect(cursor.execute("SELECT 3").fetch_all).to eq([[3]])
    end

    it "drops the result before when it fails" do
      cursor.execute("SELECT 1")
      expect { cursor.execute("SELECT 1/0") }.to raise_error(Pgconn::DataError)
      expect { cursor.fetch }.to raise_error(Pgconn::ProgrammingError, /no results to fetch/)
      expect([cursor.rowcount, cursor.description]).to eq([-1, nil])
    end

    it "leaves the results of other cursors alone" do
      other = connection.cursor.execute("SELECT 'other'")
      cursor.execute("SELECT 'mine'")
      expect([other.fetch_value, cursor.fetch_value]).to eq(%w[other mine])
    end

    it "raises ProgrammingError for nil and for SQL without a statement, and sends nothing" do
      [nil, "", ";", "  ", " ; "].each do |sql|
        expect { cursor.execute(sql) }.to raise_error(Pgconn::ProgrammingError), sql.inspect
      end
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
    end

    it "raises TypeError for SQL that is no String" do
      expect { cursor.execute(42) }.to raise_error(TypeError)
    end

    it "refuses COPY before anything is sent, however it is written" do
      ["COPY pg_class TO STDOUT", "copy t FROM stdin", "/* a /* nested */ one */ -- and\n copy (select 1) to stdout"]
        .each { |sql| expect { cursor.execute(sql) }.to raise_error(Pgconn::ProgrammingError, /COPY/) }
      expect(connection.transaction_status).to eq(Pgconn::TRANSACTION_STATUS_IDLE)
      expect(cursor.execute("SELECT 1").fetch_value).to eq(1)
    end
  end

  describe "#fetch" do
    it "gives the rows one by one, then nil" do
      expect(Array.new(6) { five.fetch&.to_a }).to eq([[1, 1], [2, 4], [3, 9], [4, 16], [5, 25], nil])
    end

    it "gives rows without columns, too" do
      expect(connection.execute("SELECT FROM generate_series(1, 3)").fetch_all.map(&:to_a)).to eq([[], [], []])
    end
  end

  describe "#fetch_many" do
    it "gives arraysize rows, which is 1 at first" do
      expect(five.arraysize).to eq(1)
      expect(five.fetch_many.size).to eq(1)
      five.arraysize = 3
      expect(five.fetch_many).to eq([[2, 4], [3, 9], [4, 16]])
    end

    it "gives as many as there are, then none" do
      expect([five.fetch_many(3), five.fetch_many(3), five.fetch_many(3)].map(&:size)).to eq([3, 2, 0])
    end

    it "gives the rest for -1" do
      five.fetch
      expect(five.fetch_many(-1).map(&:first)).to eq([2, 3, 4, 5])
    end

    it "gives nothing for 0" do
      expect(five.fetch_many(0)).to eq([])
      expect(five.fetch[0]).to eq(1)
    end
  end

  describe "#fetch_all" do
    it "gives the rest, then none" do
      five.fetch
      expect(five.fetch_all.map(&:first)).to eq([2, 3, 4, 5])
      expect(five.fetch_all).to eq([])
    end

    it "gives every row of a large result", :gc_stress do
      rows = connection.execute("SELECT i, 'row ' || i FROM generate_series(1, $1::int) i", [GC.stress ? 30 : 50_000])
      expect(rows.fetch_all).to eq((1..rows.rowcount).map { |number| [number, "row #{number}"] })
    end
  end

  describe "#fetch_value" do
    it "gives the first column of the next row, nil when there is none" do
      expect(Array.new(6) { five.fetch_value }).to eq([1, 2, 3, 4, 5, nil])
    end
  end

  describe "#column" do
    it "gives one column's values, by name or by index" do
      expect(five.column(:square)).to eq([1, 4, 9, 16, 25])
      expect(connection.execute("SELECT 1 AS one, 2 AS two").column("two")).to eq([2])
      expect(connection.execute("SELECT 1 AS one, 2 AS two").column(0)).to eq([1])
      expect(connection.execute("SELECT 1 AS one, 2 AS two").column(-1)).to eq([2])
    end

    it "raises KeyError for an unknown name and IndexError for an index outside" do
      expect { five.column(:cube) }.to raise_error(KeyError, /cube/)
      expect { five.column(2) }.to raise_error(IndexError)
    end
  end

  describe "#each" do
    it "yields each row" do
      expect { |block| five.each(&block) }.to yield_successive_args([1, 1], [2, 4], [3, 9], [4, 16], [5, 25])
    end

    it "leaves to the next fetch what a break left" do
      five.each { |row| break if row[0] == 2 }
      expect(five.fetch[0]).to eq(3)
    end

    it "gives an Enumerator without a block" do
      expect(five.each).to be_an(Enumerator)
      expect(five.each.next).to eq([1, 1])
    end

    it "makes the cursor Enumerable" do
      expect(five.map { |row| row[:square] }).to eq([1, 4, 9, 16, 25])
      expect(connection.execute("SELECT 1 UNION ALL SELECT 2").to_a).to eq([[1], [2]])
    end

    it "lets the block use the connection" do
      sums = five.map { |row| connection.execute("SELECT $1::int + 1", [row[0]]).fetch_value }
      expect(sums).to eq([2, 3, 4, 5, 6])
    end

    it "lets the block execute on the cursor itself, and then goes on with the new rows or ends" do
      seen = []
      five.each do |row|
        seen << row.to_a
        five.execute("SELECT 100") if seen.size == 1
      end
      expect([[[1, 1]], [[1, 1], [100]]]).to include(seen)
    end
  end

  it "answers to the seed's names" do
    expect(five.fetchone).to eq([1, 1])
    expect(five.fetchmany(2)).to eq([[2, 4], [3, 9]])
    expect(five.fetchall).to eq([[4, 16], [5, 25]])
  end

  it "raises ProgrammingError for a fetch where there is no result" do
    fetches = [:fetch, [:fetch_many, 2], :fetch_all, :fetch_value, [:column, 0], :first]
    ["CREATE TEMP TABLE t (id int)", "INSERT INTO t VALUES (1)", nil].each do |sql|
      fresh = sql ? connection.execute(sql) : connection.cursor
      fetches.each do |fetch|
        expect { fresh.public_send(*fetch) }.to raise_error(Pgconn::ProgrammingError, /no results to fetch/), fetch.inspect
      end
    end
  end
end
