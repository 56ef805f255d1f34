# frozen_string_literal: true

require "spec_helper"

# Values at random, of each type: the text, the binary form and the way through the server and back give the
# same, alone and within arrays.
RSpec.describe "Random values" do
  include CodecHelpers

  let(:random) { RandomValues.new(Random.new(RSpec.configuration.seed)) }
  let(:oids) { Pgconn::Codec.types.invert }
  let(:connection) { connect(autocommit: true, options: "-c TimeZone=America/St_Johns") }

  # From first to third use the parameters and the results go over from text to binary.
  def expect_echoes(type, values)
    sql = "SELECT #{(1..values.size).map { |number| "$#{number}::#{type}" }.join(", ")}"
    3.times do
      pairs = values.zip(connection.execute(sql, values).fetch.to_a)
      expect(pairs.reject { |sent, got| fingerprint(sent) == fingerprint(got) }).to eq([])
    end
  end

  # What the server writes in either format, and the encoder where it writes binary; of JSON's spaces and
  # an array's flag for NULLs either has its own opinion.
  def expect_forms(type, send, values)
    values.each do |value|
      text, bytes = *connection.execute("SELECT format('%s', x), #{send}(x) FROM (SELECT $1::#{type}) y(x)", [value]).fetch
      read = [decode(type, text), decode(type, bytes.dup.force_encoding("UTF-8"), format: :binary)]
      expect(read.map { |one| fingerprint(one) }).to eq([fingerprint(value)] * 2)
      written = encode(type, value)
      expect(written).to eq(bytes) if written && !type.end_with?("[]", "json", "jsonb")
    end
  end

  def send_function(type)
    connection.execute("SELECT typsend::text FROM pg_type WHERE oid = $1::regtype", [type]).fetch_value
  end

  RandomValues::TYPES.each do |type|
    it "of #{type} are the same in every form" do
      values = Array.new(40) { random.of(type) }
      expect_echoes(type.to_s, values)
      expect_forms(type.to_s, send_function(type.to_s), values.first(25))
    end

    it "of arrays of #{type} are the same in every form" do
      values = Array.new(15) { random.array_of(type) }
      expect_echoes("#{type}[]", values)
      expect_forms("#{type}[]", "array_send", values)
    end
  end
end
