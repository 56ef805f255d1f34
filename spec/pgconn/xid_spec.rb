# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::Xid do
  def xid(...) = described_class.new(...)
  def parse(...) = described_class.from_string(...)

  it_behaves_like "a frozen value" do
    let(:value) { parse("1_Z3RyaWQ=_YnF1YWw=", prepared: Time.utc(2026, 11, 25), owner: "ada", database: "shop") }
    let(:same) { xid(1, "gtrid", "bqual") }
    let(:others) { [xid(2, "gtrid", "bqual"), xid(1, "gtri", "bqual"), xid(1, "gtrid", ""), parse("gtrid")] }
  end

  # Its arguments and the wire form.
  [
    [[0, "", ""], "0__"],
    [[1, "gtrid", "bqual"], "1_Z3RyaWQ=_YnF1YWw="],
    [[2_147_483_647, "a_b", " ~"], "2147483647_YV9i_IH4="],
    [[42, "x" * 64, "y" * 64], "42_#{["x" * 64].pack("m0")}_#{["y" * 64].pack("m0")}"]
  ].each do |arguments, text|
    it "is #{text[0, 30]} on the wire, and is read from that" do
      expect(xid(*arguments).to_s).to eq(text)
      expect(parse(text)).to eql(xid(*arguments)).and have_attributes(to_s: text, format_id: arguments[0], gtrid: arguments[1], bqual: arguments[2])
    end
  end

  # Among them what only looks like the wire form: padding, digits, characters and sizes that it can't have.
  ["", "order 4711", "'quoted' \\ é", "1_Z3RyaWQ=", "x_Z3RyaWQ=_YnF1YWw=", "1_Z3RyaWQ_YnF1YWw", "01_Z3RyaWQ=_YnF1YWw=", "-1_YQ==_YQ==",
   "2147483648_YQ==_YQ==", "1_#{["\n"].pack("m0")}_", "1_#{["x" * 65].pack("m0")}_", "1_YQ==_YR==", "1_YQ==_YQ==_", "1_YQ==_YQ==\n", "1_YQ==\n_YQ=="].each do |text|
    it "keeps any other string as gtrid, with the rest nil: #{text[0, 30].inspect}" do
      expect(parse(text)).to have_attributes(format_id: nil, gtrid: text, bqual: nil, to_s: text)
    end
  end

  it "is read by parse, too" do
    expect(described_class.parse("1_Z3RyaWQ=_YnF1YWw=")).to eq(xid(1, "gtrid", "bqual"))
  end

  it "is read from strings in other encodings" do
    expect(parse("1_Z3RyaWQ=_YnF1YWw=".encode("UTF-16LE"))).to eql(xid(1, "gtrid", "bqual"))
    expect(parse("1_Z3RyaWQ=_YnF1YWw=".b)).to eql(xid(1, "gtrid", "bqual"))
    expect(parse("\xFF".b).gtrid).to eq("\xFF".b)
  end

  it "leaves the Strings that it is made of alone" do
    text = +"gtrid"
    value = xid(1, text, text)
    text << "!"
    expect([value.gtrid, value.bqual]).to eq(%w[gtrid gtrid]).and all(be_frozen)
  end

  it "knows when, by whom and where it was prepared, if it was recovered" do
    time = Time.utc(2026, 11, 25)
    expect(parse("x", prepared: time, owner: "ada", database: "shop")).to have_attributes(prepared: time, owner: "ada", database: "shop")
    expect(xid(1, "", "")).to have_attributes(prepared: nil, owner: nil, database: nil)
  end

  it "keeps these in Marshal's round trip" do
    recovered = parse("x", prepared: Time.utc(2026, 11, 25, 1, 2, 3.000004r), owner: "ada", database: "shop")
    copy = Marshal.load(Marshal.dump(recovered))
    expect(copy).to have_attributes(gtrid: "x", prepared: recovered.prepared, owner: "ada", database: "shop")
  end

  it "is known to pattern matching" do
    case xid(1, "gtrid", "bqual")
    in [1, gtrid, String => bqual]
      expect([gtrid, bqual]).to eq(%w[gtrid bqual])
    end
    case parse("x", owner: "ada")
    in { gtrid:, format_id: nil, owner: "ada", prepared: nil, database: nil }
      expect(gtrid).to eq("x")
    end
  end

  it "has a readable inspect" do
    expect(xid(1, "gtrid", "bqual").inspect).to eq("#<Pgconn::Xid 1_Z3RyaWQ=_YnF1YWw=>")
  end

  describe "what it is called with" do
    it "raises TypeError that names what is of the wrong kind" do
      expect { xid("1", "a", "b") }.to raise_error(TypeError, "format_id must be an Integer, not String")
      expect { xid(1.0, "a", "b") }.to raise_error(TypeError, "format_id must be an Integer, not Float")
      expect { xid(1, nil, "b") }.to raise_error(TypeError, "gtrid must be a String, not NilClass")
      expect { xid(1, "a", :b) }.to raise_error(TypeError, "bqual must be a String, not Symbol")
      expect { parse(4711) }.to raise_error(TypeError, "xid must be a String or an Xid, not Integer")
    end

    it "raises ArgumentError that names what is out of range" do
      [-1, 2**31].each do |number|
        expect { xid(number, "a", "b") }.to raise_error(ArgumentError, "format_id must be from 0 to 2147483647, not #{number}")
      end
      expect { xid(1, "x" * 65, "b") }.to raise_error(ArgumentError, "gtrid can't have over 64 characters")
      expect { xid(1, "a", "x" * 65) }.to raise_error(ArgumentError, "bqual can't have over 64 characters")
      ["é", "\n", "a\n", "\x7F", "\0", "\xFF", "a".encode("UTF-16LE")].each do |text|
        expect { xid(1, text, "b") }.to raise_error(ArgumentError, /\Agtrid can have printable ASCII characters only/)
        expect { xid(1, "a", text) }.to raise_error(ArgumentError, /\Abqual can have printable ASCII characters only/)
      end
      expect { parse("a\0b") }.to raise_error(ArgumentError, /NUL/)
    end
  end
end
