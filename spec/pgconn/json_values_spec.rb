# frozen_string_literal: true

require "spec_helper"

RSpec.describe "json and jsonb on the server" do
  include CodecHelpers

  let(:oids) { { json: 114, jsonb: 3802 } }
  let(:connection) { connect(autocommit: true) }
  let(:random) { Random.new(RSpec.configuration.seed) }

  def random_string
    Array.new(random.rand(12)) { [random.rand(1..127), random.rand(128..0xD7FF), random.rand(0xE000..0x10FFFF)].sample(random: random) }.pack("U*")
  end

  def random_scalar
    [nil, true, false, random.rand((-2**70)..(2**70)) >> random.rand(70), random.rand(-1e9..1e9), random_string].sample(random: random)
  end

  def random_value(depth)
    size = random.rand(4)
    case depth.zero? ? 0 : random.rand(3)
    when 0 then random_scalar
    when 1 then Array.new(size) { random_value(depth - 1) }
    else Array.new(size) { [random_string, random_value(depth - 1)] }.to_h
    end
  end

  # Sent as a parameter, and read in both formats.
  def echo(type, value)
    read, bytes = *connection.execute("SELECT $1::#{type}, #{type}_send($1)", [value]).fetch
    [read, decode(type, bytes.force_encoding("UTF-8"), format: :binary)]
  end

  %i[json jsonb].each do |type|
    it "are what was sent, in both formats: #{type}" do
      200.times do
        value = [[random_value(5)], { "a" => random_value(5) }].sample(random: random)
        expect(echo(type, value)).to eq([value, value])
      end
    end

    it "are what was sent within arrays: #{type}" do
      50.times do
        values = Array.new(3) { { "a" => random_value(3) } } << nil << { "b" => [] }
        expect(connection.execute("SELECT $1::#{type}[]", [values]).fetch_value).to eq(values)
      end
    end
  end

  it "are the same in another client encoding" do
    value = { "größe" => ["ä", { "ß" => "\u00FF" }] }
    connection.execute("SET client_encoding = LATIN1")
    expect(connection.execute("SELECT $1::json, $1::jsonb", [value]).fetch).to eq([value, value])
    expect { connection.execute("SELECT $1::json", [["世"]]) }.to raise_error(Pgconn::DataError, /parameter \$1 .*U\+4E16/)
  end

  it "are nil for null and for NULL" do
    expect(connection.execute("SELECT 'null'::json, 'null'::jsonb, NULL::json, NULL::jsonb").fetch).to eq([nil] * 4)
  end

  it "are read down to a thousand levels, also where Fibers fetch" do
    row = Fiber.new { connection.execute("SELECT (repeat('[', 1000) || repeat(']', 1000))::jsonb").fetch }.resume
    expect(row.first.flatten).to eq([])
    expect { connection.execute("SELECT (repeat('[', 1001) || repeat(']', 1001))::jsonb").fetch }
      .to raise_error(Pgconn::DataError, /nested deeper than 1000 levels/)
    expect(connection.execute("SELECT 1").fetch_value).to eq(1)
  end

  it "take Strings as JSON text, and numbers, true and false" do
    row = connection.execute("SELECT $1::json, $2::jsonb, $3::json, $4::jsonb, $5::jsonb", ['{"a": [1]}', '"x"', 1.5, true, 2**70]).fetch
    expect(row).to eq([{ "a" => [1] }, "x", 1.5, true, 2**70])
  end

  # Of escapes json is checked for their form alone, and jsonb for what they mean.
  it "raise DataError for half a surrogate, which json may have" do
    expect { connection.execute(%q(SELECT '"\\udc00"'::json)).fetch }.to raise_error(Pgconn::DataError, /malformed json/)
  end
end
