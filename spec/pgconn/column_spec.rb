# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::Column do
  def column(**values)
    described_class.new(name: "price", type_oid: 23, **values)
  end

  it "tells what the server said of the column" do
    expect(column(internal_size: 4, table_oid: 16_384, table_column: 2)).to have_attributes(
      name: "price", type_oid: 23, type_code: 23, internal_size: 4, precision: nil, scale: nil,
      table_oid: 16_384, table_column: 2
    )
  end

  it "has nil where nothing applies" do
    expect(column(internal_size: -1, type_modifier: -1, table_oid: 0, table_column: 0))
      .to have_attributes(internal_size: nil, precision: nil, scale: nil, table_oid: nil,
                          table_column: nil)
    expect(column(internal_size: -2).internal_size).to be_nil
  end

  # Type modifiers as pg_attribute.atttypmod of PostgreSQL 15 has them.
  {
    "numeric" => [1700, -1, nil, nil],
    "numeric(10,2)" => [1700, 655_366, 10, 2],
    "numeric(5)" => [1700, 327_684, 5, 0],
    "numeric(3,-2)" => [1700, 198_658, 3, -2],
    "numeric(2,5)" => [1700, 131_081, 2, 5],
    "numeric(1000,1000)" => [1700, 65_537_004, 1000, 1000],
    "numeric(1000,-1000)" => [1700, 65_537_052, 1000, -1000],
    "varchar" => [1043, -1, nil, nil],
    "varchar(20)" => [1043, 24, 20, nil],
    "char(1)" => [1042, 5, 1, nil],
    "timestamp(3)" => [1114, 3, nil, nil],
    "int4" => [23, -1, nil, nil]
  }.each do |type, (oid, modifier, precision, scale)|
    it "has precision #{precision.inspect} and scale #{scale.inspect} for #{type}" do
      expect(column(type_oid: oid, type_modifier: modifier))
        .to have_attributes(precision: precision, scale: scale)
    end
  end

  it "holds a copy of the name and can be shared between Ractors" do
    name = +"price"
    column = column(name: name)
    name << " changed"

    expect(column.name).to eq("price")
    expect(Ractor.shareable?(column)).to be(true)
  end

  it "matches patterns" do
    case column(internal_size: 4)
    in { name: "price", type_oid:, scale: nil }
      expect(type_oid).to eq(23)
    end
  end

  it "equals another that says the same" do
    expect(column(internal_size: 4)).to eq(column(internal_size: 4))
    expect({ column => 1 }[column]).to eq(1)
    expect(column).not_to eq(column(internal_size: 4))
    expect(column).not_to eq(column.to_h)
  end

  it "makes a Marshal round trip" do
    column = column(type_oid: 1700, type_modifier: 655_366, table_oid: 7, table_column: 1)
    copy = Marshal.load(Marshal.dump(column))

    expect(copy).to eq(column)
    expect(Ractor.shareable?(copy)).to be(true)
  end

  it "has a readable inspect" do
    expect(column(type_oid: 1700, type_modifier: 655_366).inspect)
      .to eq('#<Pgconn::Column name="price" type_oid=1700 precision=10 scale=2>')
    expect(column.inspect).to eq('#<Pgconn::Column name="price" type_oid=23>')
  end
end
