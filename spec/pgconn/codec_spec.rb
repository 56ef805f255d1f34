# frozen_string_literal: true

require "spec_helper"
require "bigdecimal"
require "date"

# What the server writes as text, and what Ruby makes of it. None of this needs a server.
RSpec.describe "Pgconn::Codec" do
  include CodecHelpers

  let(:oids) do
    { bool: 16, bytea: 17, char: 18, name: 19, int8: 20, int2: 21, int4: 23, text: 25, oid: 26, point: 600, float4: 700,
      float8: 701, money: 790, bpchar: 1042, varchar: 1043, date: 1082, timestamp: 1114, timestamptz: 1184, numeric: 1700,
      uuid: 2950, unheard_of: 4_000_000_000 }
  end

  def complaint(type, text)
    decode(type, text) && nil
  rescue Pgconn::DataError => e
    e.message
  end

  infinity = Float::INFINITY
  digits = "9" * 1000

  {
    bool: [["t", true], ["f", false]],
    int2: [["0", 0], ["-32768", -32_768], ["32767", 32_767]],
    int4: [["-1", -1], ["-2147483648", -2**31], ["2147483647", 2**31 - 1]],
    int8: [["-9223372036854775808", -2**63], ["9223372036854775807", 2**63 - 1],
           ["4611686018427387904", 2**62], ["-4611686018427387905", -2**62 - 1]],
    oid: [["0", 0], ["2147483648", 2**31], ["4294967295", 2**32 - 1]],
    float4: [["0.1", 0.1], ["3.4028235e+38", 3.4028235e38], ["1e-45", 1e-45], ["-0", -0.0], ["NaN", Float::NAN],
             ["Infinity", infinity], ["-Infinity", -infinity]],
    float8: [["0.1", 0.1], ["1", 1.0], ["-0", -0.0], ["1.7976931348623157e+308", Float::MAX], ["5e-324", 5e-324],
             ["2.2250738585072014e-308", Float::MIN], ["1e+22", 1e22], ["123456789.12345679", 123_456_789.12345679],
             ["NaN", Float::NAN], ["Infinity", infinity], ["-Infinity", -infinity]],
    numeric: [["0", BigDecimal("0")], ["-1.50", BigDecimal("-1.5")], ["0.00", BigDecimal("0")],
              ["9223372036854775808", BigDecimal(2**63)], ["#{digits}.#{digits}", BigDecimal("#{digits}.#{digits}")],
              ["0.#{"0" * 16_382}1", BigDecimal("1e-16383")], ["1#{"0" * 131_071}", BigDecimal("1e131071")],
              ["NaN", BigDecimal("NaN")], ["Infinity", BigDecimal("Infinity")],
              ["-Infinity", BigDecimal("-Infinity")]],
    text: [["", ""], ["grüße, 世界", "grüße, 世界"], ["a\\b\0c", "a\\b\0c"], ["x" * 100_000, "x" * 100_000]],
    char: [["x", "x"], ["", ""], ["\\", "\\"], ["\\377", "\xFF"], ["\\200", "\x80"], ["é", "é"]],
    bytea: [["\\x", "".b], ["\\x00ff5C", "\0\xFF\\".b], ["", "".b], ["a b~", "a b~".b], ["\\\\x41", "\\x41".b],
            ["a\\000\\377\\\\", "a\0\xFF\\".b]],
    name: [%w[pg_class pg_class]],
    bpchar: [["abc  ", "abc  "]],
    varchar: [["abc ", "abc "]],
    money: [["$1.50", "$1.50"]],
    point: [["(1,2)", "(1,2)"]],
    unheard_of: [["", ""], ["{1,2}", "{1,2}"]]
  }.each do |type, rows|
    describe type.to_s do
      rows.each do |text, value|
        it "reads #{text[0, 40].inspect}" do
          expect(fingerprint(decode(type, text))).to eq(fingerprint(value))
        end
      end
    end
  end

  {
    bool: ["", "true", "T", "1", "tt", "t\0"],
    int2: ["", "-", "32768", "-32769", "+1", " 1", "1 ", "1.0", "0x1", "1\0", "12a", "--1", "1_000"],
    int4: ["", "2147483648", "-2147483649", "99999999999"],
    int8: ["", "9223372036854775808", "-9223372036854775809", "18446744073709551616", "9" * 19, "1" * 30],
    oid: ["", "-1", "4294967296", "x"],
    float4: ["", ".", "1.", ".5", "1e", "1e+", "e5", "1,5", "nan", "inf", "infinity", "+1", "0x1p3", "1 ", "1__0", "1\0", "-"],
    float8: ["", "1e999", "-1e999", "1e-999", "--1", "1.2.3", "+Infinity", "Infinity ", "1#{"0" * 100}"],
    numeric: ["", "-", ".", "1.", ".5", "1e5", "1_0", " 1", "1 ", "nan", "+Infinity", "1\0", "12x", "0x10"],
    bytea: ["\\", "\\x0", "\\x0g", "\\x 00", "\\400", "\\08", "\\1", "\\12", "a\\", "é", "a\nb", "\\x00\0"]
  }.each do |type, texts|
    texts.each do |text|
      it "raises DataError for #{text[0, 40].inspect} as #{type}" do
        expect { decode(type, text) }.to raise_error(Pgconn::DataError, /\Amalformed #{type}: "/)
      end
    end
  end

  describe "every proper beginning of a valid value" do
    { float8: "-1.7976931348623157e+308", numeric: "-123.456", bytea: "\\x00ff" }.each do |type, text|
      it "is a value of its own or a DataError, but never read beyond: #{type}" do
        (0...text.size).each do |length|
          expect(decode(type, text[0, length])).not_to be_nil
        rescue Pgconn::DataError => e
          expect(e.message).to include(text[0, length].inspect[0, 20])
        end
      end
    end
  end

  describe "the message for what is malformed" do
    it "escapes what isn't printable" do
      expect { decode(:int4, "1\n\0é") }.to raise_error(Pgconn::DataError, 'malformed int4: "1\n\x00\xC3\xA9"')
    end

    it "shortens what is long" do
      expect { decode(:int4, "x" * 5000) }
        .to raise_error(Pgconn::DataError, "malformed int4: \"#{"x" * 40}\"... (5000 bytes)")
    end
  end

  describe "Strings" do
    it "have the client's encoding" do
      latin = "gr\xFC\xDFe".dup.force_encoding("ISO-8859-1")
      expect(decode(:text, latin)).to eq(latin).and have_attributes(encoding: Encoding::ISO_8859_1)
      expect(decode(:unheard_of, latin).encoding).to be(Encoding::ISO_8859_1)
      expect(decode(:uuid, "a".b).encoding).to be(Encoding::BINARY)
    end

    it "are read as they are, also where they aren't valid" do
      expect(decode(:text, "\xFF").bytes).to eq([255])
    end

    it "are ASCII-8BIT for bytea, whatever the client's encoding" do
      expect(decode(:bytea, "\\x41").encoding).to be(Encoding::BINARY)
      expect(decode(:bytea, "A").encoding).to be(Encoding::BINARY)
    end

    it "are new ones and not frozen" do
      expect(decode(:text, "text").frozen?).to be(false)
    end
  end

  describe "random values" do
    let(:random) { Random.new(RSpec.configuration.seed) }

    it "are read back as they were written: int8" do
      1000.times do
        number = random.rand(-2**63...(2**63)) >> random.rand(64)
        expect(decode(:int8, number.to_s)).to eql(number)
      end
    end

    it "are read back as they were written: float8" do
      1000.times do
        number = random.bytes(8).unpack1("G")
        next if number.nan? || number.infinite?

        expect(decode(:float8, number.to_s)).to eql(number)
      end
    end

    it "never crash and never give nil, whatever the bytes" do
      alphabet = [*"0".."9", *"-+:. /\\xeBCNaInfinity".chars, "\0", "\xFF"]
      texts = Array.new(2000) { Array.new(random.rand(12)) { alphabet.sample(random: random) }.join.b }
      texts.product(oids.keys) do |text, type|
        expect(decode(type, text)).not_to be_nil
      rescue Pgconn::DataError => e
        expect(e.message).to be_valid_encoding
      end
    end
  end

  it "holds on to what it makes", :gc_stress do
    texts = { bytea: "\\x#{"00ff" * 20}", text: "x" * 40, numeric: "12345678901234567890.5", int8: (2**63 - 1).to_s,
              date: "2024-02-29", timestamptz: "2024-02-29 13:14:15.5+01" }
    values = texts.map { |type, text| decode(type, text) }
    expect(values).to eq(["\0\xFF".b * 20, "x" * 40, BigDecimal("12345678901234567890.5"), 2**63 - 1,
                          Date.new(2024, 2, 29), Time.utc(2024, 2, 29, 12, 14, 15.5)])
    expect(complaint(:date, "x" * 100)).to end_with("x\"... (100 bytes)")
  end

  describe "what it is called with" do
    it "takes the format's name" do
      expect(Pgconn::Codec.decode(23, "1", format: :text)).to eq(1)
      expect { Pgconn::Codec.decode(23, "1", format: :json) }.to raise_error(ArgumentError, /format/)
    end

    it "raises TypeError for anything but a String" do
      expect { Pgconn::Codec.decode(23, 1) }.to raise_error(TypeError)
    end
  end
end
