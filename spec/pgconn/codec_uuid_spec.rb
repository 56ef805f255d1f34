# frozen_string_literal: true

require "spec_helper"

RSpec.describe "uuid" do
  include CodecHelpers

  let(:oids) { { uuid: 2950 } }
  let(:connection) { connect(autocommit: true) }
  let(:random) { Random.new(RSpec.configuration.seed) }

  {
    "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11" => "a0eebc999c0b4ef8bb6d6bb9bd380a11",
    "00000000-0000-0000-0000-000000000000" => "0" * 32,
    "ffffffff-ffff-ffff-ffff-ffffffffffff" => "f" * 32,
    "01234567-89ab-cdef-0123-456789abcdef" => "0123456789abcdef" * 2
  }.each do |text, hex|
    bytes = [hex].pack("H*")

    it "is the String #{text} from both formats" do
      expect(fingerprint(decode(:uuid, text))).to eq([String, text, Encoding::UTF_8])
      expect(fingerprint(decode(:uuid, bytes.dup.force_encoding("UTF-8"), format: :binary))).to eq([String, text, Encoding::UTF_8])
    end

    it "is written in binary from #{text} in either case" do
      expect([encode(:uuid, text), encode(:uuid, text.upcase)]).to eq([bytes, bytes])
    end
  end

  it "is in the client's encoding, and ASCII as all Strings may find out" do
    text = decode(:uuid, ("\xFF" * 16).dup.force_encoding("ISO-8859-1"), format: :binary)
    expect(text).to have_attributes(encoding: Encoding::ISO_8859_1, ascii_only?: true, frozen?: false)
    expect(text << "ä".encode("ISO-8859-1")).to have_attributes(ascii_only?: false, size: 37)
  end

  it "has 16 bytes, no fewer and no more" do
    mutilations("\xA0".b * 16).each do |bytes|
      expect { decode(:uuid, bytes, format: :binary) }.to raise_error(Pgconn::DataError, /\Amalformed uuid: "/)
    end
  end

  it "is left to the server in its other forms, and where it isn't one" do
    text = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    others = [text.delete("-"), "{#{text}}", text.tr("-", "+"), text.sub("a", "g"), text[0..-2], "#{text}0", "", "x" * 36,
              "#{text[0..-2]}é", text.encode("UTF-16LE"), text.dup.force_encoding("UTF-16LE"), text.to_sym, 1, nil, [text]]
    expect(others.map { |value| encode(:uuid, value) }).to all(be_nil)
    (0...36).each { |position| expect(encode(:uuid, text.dup.tap { |copy| copy[position] = "/" })).to be_nil }
  end

  it "is the same in both formats as the server writes it" do
    texts = Array.new(200) { random.bytes(16).unpack1("H*").unpack("a8a4a4a4a12").join("-") }
    rows = connection.execute("SELECT id, uuid_send(id) FROM (VALUES ('#{texts.join("'::uuid), ('")}')) AS ids(id)").fetch_all
    texts.zip(rows) do |text, (read, bytes)|
      expect([read, decode(:uuid, bytes, format: :binary), encode(:uuid, text)]).to eq([text, text, bytes])
    end
  end
end
