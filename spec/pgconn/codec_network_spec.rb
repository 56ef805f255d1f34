# frozen_string_literal: true

require "spec_helper"

# What the server writes in text and in binary, and what Ruby makes of it and sends. None of this needs a server.
RSpec.describe "Pgconn::Codec of network addresses" do
  oids = { inet: 869, cidr: 650, macaddr: 829, macaddr8: 774 }

  let(:oids) { oids }

  def decode(type, bytes, format = :text)
    Pgconn::Codec.decode(oids.fetch(type), bytes, format: format)
  end

  # [format, bytes]
  def encode(type, value)
    oid, *encoded = Pgconn::Params.encode([Pgconn::Typed.new(value, oids.fetch(type))], "UTF-8").first
    expect(oid).to eq(oids.fetch(type))
    encoded
  end

  def self.bytes(hex) = [hex.delete(" ")].pack("H*")

  # The text, the bytes, the address, the prefix.
  tables = {
    inet: [
      ["192.168.1.5", "02 20 00 04 c0a80105", "192.168.1.5", 32],
      ["192.168.1.5/24", "02 18 00 04 c0a80105", "192.168.1.5", 24],
      ["0.0.0.0/0", "02 00 00 04 00000000", "0.0.0.0", 0],
      ["255.255.255.255/31", "02 1f 00 04 ffffffff", "255.255.255.255", 31],
      ["2001:db8::1", "03 80 00 10 20010db8000000000000000000000001", "2001:db8::1", 128],
      ["2001:db8::1/64", "03 40 00 10 20010db8000000000000000000000001", "2001:db8::1", 64],
      ["::/0", "03 00 00 10 00000000000000000000000000000000", "::", 0],
      ["::1", "03 80 00 10 00000000000000000000000000000001", "::1", 128],
      ["::ffff:1.2.3.4/96", "03 60 00 10 00000000000000000000ffff01020304", "::ffff:1.2.3.4", 96],
      ["1:2:3:4:5:6:7:8", "03 80 00 10 00010002000300040005000600070008", "1:2:3:4:5:6:7:8", 128],
      ["ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "03 80 00 10 ffffffffffffffffffffffffffffffff",
       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 128]
    ],
    cidr: [
      ["192.168.1.0/24", "02 18 01 04 c0a80100", "192.168.1.0", 24],
      ["192.168.1.5/32", "02 20 01 04 c0a80105", "192.168.1.5", 32],
      ["0.0.0.0/0", "02 00 01 04 00000000", "0.0.0.0", 0],
      ["2001:db8::/32", "03 20 01 10 20010db8000000000000000000000000", "2001:db8::", 32],
      ["::1/128", "03 80 01 10 00000000000000000000000000000001", "::1", 128]
    ]
  }

  tables.each do |type, rows|
    rows.each do |text, hex, address, prefix|
      describe "#{type} #{text}" do
        let(:value) { Pgconn::Inet.new(address, prefix) }
        let(:binary) { self.class.bytes(hex) }

        it "is the same value in both formats" do
          read = [decode(type, text), decode(type, binary, :binary)]
          expect(read).to all(eql(value)).and all(be_frozen).and all(have_attributes(address: address, prefix: prefix))
          expect(read.map { |inet| [inet.address.encoding, inet.address.frozen?] }).to all(eq([Encoding::UTF_8, true]))
        end

        it "is sent in binary once the type is known, as text before" do
          expect(encode(type, value)).to eq([1, binary])
          expect(Pgconn::Params.encode([value], "UTF-8")).to eq([[0, 0, value.to_s]])
        end
      end
    end
  end

  # The text, the bytes.
  { macaddr: [["08:00:2b:01:02:03", "08002b010203"], ["00:00:00:00:00:00", "000000000000"], ["ff:ff:ff:ff:ff:ff", "ffffffffffff"]],
    macaddr8: [["08:00:2b:01:02:03:04:05", "08002b0102030405"], ["ff:fe:ab:cd:ef:00:00:99", "fffeabcdef000099"]] }.each do |type, rows|
    rows.each do |text, hex|
      describe "#{type} #{text}" do
        it "is the server's text in both formats, in the client's encoding" do
          [Encoding::UTF_8, Encoding::ISO_8859_1, Encoding::EUC_JP].each do |encoding|
            binary = self.class.bytes(hex).force_encoding(encoding)
            read = [decode(type, text.encode(encoding)), decode(type, binary, :binary)]
            expect(read).to all(eq(text)).and all(have_attributes(encoding: encoding, frozen?: false))
          end
        end

        it "is sent as text" do
          expect(encode(type, text)).to eq([0, text])
        end
      end
    end
  end

  describe "text that is malformed" do
    {
      inet: ["", "/", "/24", "192.168.1.5/", "192.168.1.5/33", "192.168.1.5/-1", "192.168.1.5/+8", "192.168.1.5/0024", "192.168.1.5/8/8",
             "192.168.1", "192.168.1.256", "192.168.1.5.6", "192.168.1.05", "192.168.1.5 ", " 192.168.1.5", "192.168.1.5\0", "192.168.1.5/2\0",
             "0xc0.168.1.5", "::1/129", "::1::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "g::", "[::1]", "fe80::1%lo", ":", "a", "1",
             "1:2:3:4:5:6:255.255.255.255#{"0" * 30}", "#{"0" * 45}:", ":" * 100_000],
      cidr: ["192.168.1.0", "::1", "192.168.1.0/", "192.168.1.0/33", "2001:db8::/129", "/24", ""],
      macaddr: ["", "08:00:2b:01:02", "08:00:2b:01:02:03:04:05", "08:00:2b:01:02:0", "08:00:2b:01:02:03 ", "08-00-2b-01-02-03", "08:00:2b:01:02:0g",
                "08:00:2B:01:02:03", "08002b:010203:::", ":::::::::::::::::", "08:00:2b:01:02:0\0", "08:00:2b:01:02:é"],
      macaddr8: ["", "08:00:2b:01:02:03", "08:00:2b:01:02:03:04:0", "08:00:2b:01:02:03:04:05:", "08:00:2b:01:02:03:04.05"]
    }.each do |type, texts|
      texts.each do |text|
        it "raises DataError: #{type} #{text[0, 50].inspect}" do
          expect { decode(type, text) }.to raise_error(Pgconn::DataError, /\Amalformed #{type}: "/)
        end
      end
    end
  end

  describe "binary that is malformed" do
    {
      inet: ["", "02", "02200004", "02200004c0a801", "02200004c0a8010500", "02210004c0a80105", "02ff0004c0a80105", "01200004c0a80105",
             "04200004c0a80105", "02200010c0a80105", "02200003c0a801", "03800004c0a80105", "0381001020010db8000000000000000000000001",
             "0380001020010db80000000000000000000000", "0280000420010db8000000000000000000000001"],
      cidr: ["", "02180104", "02180104c0a801", "02210104c0a80100", "05200104c0a80105"],
      macaddr: ["", "08002b0102", "08002b01020304", "08002b0102030405"],
      macaddr8: ["", "08002b010203", "08002b010203040506"]
    }.each do |type, rows|
      rows.each do |hex|
        it "raises DataError: #{type} #{hex.inspect}" do
          expect { decode(type, self.class.bytes(hex), :binary) }.to raise_error(Pgconn::DataError, /\Amalformed #{type}: "/)
        end
      end
    end
  end

  describe "parameters" do
    it "that are an IPAddr go in binary, with the bits that their text has" do
      expect(encode(:inet, IPAddr.new("192.168.7.9"))).to eq(encode(:inet, Pgconn::Inet.new("192.168.7.9")))
      expect(encode(:cidr, IPAddr.new("192.168.7.9/16"))).to eq(encode(:cidr, Pgconn::Inet.new("192.168.0.0/16")))
      expect(encode(:inet, IPAddr.new("2001:db8::/32"))).to eq(encode(:inet, Pgconn::Inet.new("2001:db8::/32")))
    end

    it "that are of a subclass go as the class above does" do
      expect(encode(:inet, Class.new(IPAddr).new("10.0.0.1"))).to eq([1, self.class.bytes("02200004 0a000001")])
      expect(encode(:inet, Class.new(Pgconn::Inet).new("10.0.0.1"))).to eq([1, self.class.bytes("02200004 0a000001")])
    end

    it "that the type can't hold go as text, for the server to say so" do
      expect(encode(:cidr, Pgconn::Inet.new("192.168.1.5/24"))).to eq([0, "192.168.1.5/24"])
      expect(encode(:cidr, Pgconn::Inet.new("2001:db8::1/127"))).to eq([0, "2001:db8::1/127"])
      expect(encode(:inet, IPAddr.new("fe80::1%lo"))).to eq([0, "fe80::1%lo/128"])
      expect(encode(:macaddr, Pgconn::Inet.new("192.168.1.5/24"))).to eq([0, "192.168.1.5/24"])
    end

    it "that are Strings go as they are" do
      expect(encode(:inet, "10.1")).to eq([0, "10.1"])
      expect(encode(:cidr, "10.1")).to eq([0, "10.1"])
    end

    it "that are of pgconn's own classes have the same text for every type" do
      { Pgconn::TimeOfDay.new(13, 14, 15.5, offset: 9000) => "13:14:15.5+02:30",
        Pgconn::Interval.new(years: 1, days: -3) => "P1Y-3D",
        Pgconn::Inet.new("10.0.0.1/8") => "10.0.0.1/8" }.each do |value, text|
        expect(Pgconn::Params.encode([value, Pgconn::Typed.new(value, 25)], "UTF-8")).to eq([[0, 0, text], [25, 0, text]])
      end
    end
  end

  it "never crashes and never gives nil, whatever the bytes" do
    random = Random.new(RSpec.configuration.seed)
    seeds = ["192.168.1.5/24", "2001:db8::1/64", "08:00:2b:01:02:03", "\x02\x18\x00\x04\xC0\xA8\x01\x05", "\x03\x40\x01\x10#{"\x20" * 16}"]
    inputs = Array.new(2000) do
      input = seeds.sample(random: random).b
      random.rand(1..3).times { input.setbyte(random.rand(input.bytesize), random.rand(256)) }
      input[0, random.rand(1..input.bytesize)]
    end
    inputs.product(oids.keys, %i[text binary]) do |input, type, format|
      expect(decode(type, input, format)).not_to be_nil
    rescue Pgconn::DataError => e
      expect(e.message).to be_valid_encoding
    end
  end

  it "holds on to what it makes", :gc_stress do
    values = [decode(:inet, "192.168.1.5/24"), decode(:inet, self.class.bytes("0220000401020304"), :binary),
              decode(:macaddr, self.class.bytes("08002b010203"), :binary)]
    expect(values).to eq([Pgconn::Inet.new("192.168.1.5/24"), Pgconn::Inet.new("1.2.3.4"), "08:00:2b:01:02:03"])
    expect(encode(:inet, IPAddr.new("1.2.3.4"))).to eq([1, self.class.bytes("0220000401020304")])
  end
end
