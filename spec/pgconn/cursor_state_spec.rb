# frozen_string_literal: true

require "spec_helper"

RSpec.describe "What a cursor knows" do
  let(:connection) { connect }
  let(:cursor) { connection.cursor }

  before { connection.execute("CREATE TEMP TABLE t (id int PRIMARY KEY, price numeric(10, 2), code varchar(5))") }

  it "is its connection" do
    expect(cursor.connection).to be(connection)
  end

  describe "rowcount" do
    it "is -1 before anything was executed and after a failure" do
      expect(cursor.rowcount).to eq(-1)
      expect { cursor.execute("SELECT 1/0") }.to raise_error(Pgconn::DataError)
      expect(cursor.rowcount).to eq(-1)
    end

    it "is the number of rows of a SELECT" do
      expect(cursor.execute("SELECT FROM generate_series(1, 7)").rowcount).to eq(7)
      expect(cursor.execute("SELECT 1 WHERE false").rowcount).to eq(0)
    end

    it "is the number of affected rows of INSERT, UPDATE and DELETE" do
      expect(cursor.execute("INSERT INTO t SELECT i FROM generate_series(1, 5) i").rowcount).to eq(5)
      expect(cursor.execute("UPDATE t SET price = 1 WHERE id > 2").rowcount).to eq(3)
      expect(cursor.execute("DELETE FROM t WHERE id > 9").rowcount).to eq(0)
      expect(cursor.execute("DELETE FROM t RETURNING id").rowcount).to eq(5)
    end

    it "is -1 for a command that counts nothing" do
      expect(cursor.execute("CREATE TEMP TABLE other (id int)").rowcount).to eq(-1)
    end
  end

  describe "rownumber" do
    it "is the number of rows that were fetched" do
      cursor.execute("SELECT FROM generate_series(1, 5)")
      steps = [-> {}, -> { cursor.fetch }, -> { cursor.fetch_many(2) }, -> { cursor.fetch_all }, -> { cursor.fetch }]
      expect(steps.map { |step| step.call && nil || cursor.rownumber }).to eq([0, 1, 3, 5, 5])
    end

    it "begins again with each execute" do
      cursor.execute("SELECT 1").fetch
      expect(cursor.execute("SELECT 1").rownumber).to eq(0)
    end
  end

  describe "query" do
    it "is the text as it was sent, nil at first" do
      expect(cursor.query).to be_nil
      cursor.execute("SELECT $1::int", [1])
      expect(cursor.query).to eq("SELECT $1::int")
      cursor.execute("SELECT :a::int + :b::int + :a::int", a: 1, b: 2)
      expect(cursor.query).to eq("SELECT $1::int + $2::int + $1::int")
    end
  end

  describe "statusmessage" do
    it "is the server's command tag, nil at first" do
      expect(cursor.statusmessage).to be_nil
      expect(cursor.execute("SELECT 1").statusmessage).to eq("SELECT 1")
      expect(cursor.execute("INSERT INTO t VALUES (1), (2)").statusmessage).to eq("INSERT 0 2")
      expect(cursor.execute("SAVEPOINT s").statusmessage).to eq("SAVEPOINT")
    end
  end

  describe "arraysize" do
    it "is a number" do
      expect { cursor.arraysize = "many" }.to raise_error(TypeError)
    end
  end

  describe "description" do
    it "is nil before anything was executed and for a command without rows" do
      expect(cursor.description).to be_nil
      expect(cursor.execute("INSERT INTO t VALUES (1)").description).to be_nil
    end

    it "has a Column with name and type for each column, also of an empty result" do
      columns = cursor.execute("SELECT 1::int8 AS a, 'x'::text AS b, true WHERE false").description
      expect(columns).to all(be_a(Pgconn::Column))
      expect(columns.map { |column| [column.name, column.type_oid, column.internal_size] })
        .to eq([["a", 20, 8], ["b", 25, nil], ["?column?", 16, 1]])
    end

    it "has a numeric's precision and scale" do
      columns = cursor.execute("SELECT price, 1.5::numeric, 1::int FROM t").description
      expect(columns.map { |column| [column.precision, column.scale] }).to eq([[10, 2], [nil, nil], [nil, nil]])
    end

    it "has a varchar's length" do
      columns = cursor.execute("SELECT code, 'x'::varchar FROM t").description
      expect(columns.map { |column| [column.precision, column.scale] }).to eq([[5, nil], [nil, nil]])
    end

    it "has the table and the column's place in it" do
      oid = connection.execute("SELECT 't'::regclass::oid").fetch_value
      columns = cursor.execute("SELECT code, id, 1 FROM t").description
      expect(columns.map { |column| [column.table_oid, column.table_column] }).to eq([[oid, 3], [oid, 1], [nil, nil]])
    end

    it "has names in Ruby's encoding", :gc_stress do
      expect(cursor.execute('SELECT 1 AS "größe"').description.first.name).to eq("größe")
    end
  end
end
