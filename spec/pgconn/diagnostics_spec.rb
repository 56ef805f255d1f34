# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::Diagnostics do
  subject(:diag) do
    described_class.new(
      severity: "ERROR", sqlstate: "23505", message_primary: "duplicate key", message_hint: nil,
      message_detail: "Key (id)=(1) already exists.", statement_position: "13",
      schema_name: "public", table_name: "users", column_name: "id", datatype_name: "email",
      constraint_name: "users_pkey"
    )
  end

  it "has PostgreSQL's fields, nil for those that it was not given" do
    expect(diag.to_h.keys.map { |name| diag.public_send(name) }).to eq(diag.to_h.values)
    expect(diag).to have_attributes(context: nil, internal_query: nil, source_file: nil)
    expect(described_class::FIELDS.map { |name| described_class::EMPTY.public_send(name) })
      .to all(be_nil)
  end

  it "has the short names too" do
    expect(diag).to have_attributes(
      message: "duplicate key", detail: "Key (id)=(1) already exists.", hint: nil, position: 13,
      schema: "public", table: "users", column: "id", datatype: "email", constraint: "users_pkey"
    )
  end

  it "has positions as Integers" do
    diag = described_class.new(statement_position: 3, internal_position: "12")

    expect(diag).to have_attributes(statement_position: 3, internal_position: 12)
  end

  it "raises ArgumentError for a field that doesn't exist" do
    expect { described_class.new(colour: "red") }.to raise_error(ArgumentError, /colour/)
  end

  it "holds copies and can be shared between Ractors" do
    table = +"users"
    diag = described_class.new(table_name: table)
    table << " changed"

    expect(diag.table).to eq("users")
    expect(Ractor.shareable?(diag)).to be(true)
    expect(Ractor.shareable?(described_class::EMPTY)).to be(true)
  end

  it "keeps the encoding of its texts" do
    diag = described_class.new(message_primary: "é".encode(Encoding::ISO_8859_1))

    expect(diag.message.encoding).to be(Encoding::ISO_8859_1)
  end

  it "matches patterns by either name" do
    case diag
    in { sqlstate: "23505", constraint:, constraint_name:, hint: nil }
      expect([constraint, constraint_name]).to eq(%w[users_pkey users_pkey])
    end
    expect(diag.deconstruct_keys(%i[freeze hint])).to eq({ hint: nil })
  end

  it "equals another with the same fields" do
    other = described_class.new(**diag.to_h)

    expect(other).to eq(diag)
    expect({ diag => 1 }[other]).to eq(1)
    expect(described_class::EMPTY).not_to eq(diag)
    expect(diag).not_to eq(diag.to_h)
  end

  it "makes a Marshal round trip" do
    copy = Marshal.load(Marshal.dump(diag))

    expect(copy).to eq(diag)
    expect(Ractor.shareable?(copy)).to be(true)
  end

  it "shows no texts that may quote the statement" do
    diag = described_class.new(severity: "ERROR", internal_query: "PASSWORD 'secret'",
                               context: "SQL statement \"PASSWORD 'secret'\"")

    expect(diag.inspect).to include("ERROR")
    expect(diag.inspect).not_to include("secret")
  end
end
