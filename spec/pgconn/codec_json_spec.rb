# frozen_string_literal: true

require "spec_helper"
require "set"

RSpec.describe "json and jsonb" do
  include CodecHelpers

  let(:oids) { { json: 114, jsonb: 3802 } }

  # What one type's binary form has ahead of the text.
  prefixes = { json: "", jsonb: "\x01" }

  # So many Arrays or Hashes within each other. Where there is no leaf the innermost one is empty.
  def nest(shape, levels, leaf: nil)
    inner = shape == :arrays ? [leaf].compact : { "a" => leaf }.compact
    (levels - 1).times { inner = shape == :arrays ? [inner] : { "a" => inner } }
    inner
  end

  def nest_text(shape, levels, leaf: nil)
    open, close, key = shape == :arrays ? ["[", "]", ""] : ["{", "}", '"a":']
    "#{"#{open}#{key}" * (levels - 1)}#{open}#{"#{key}#{leaf}" if leaf}#{close * levels}"
  end

  values = {
    "null" => nil,
    "true" => true,
    "false" => false,
    "0" => 0,
    "-9223372036854775809" => -2**63 - 1,
    "1.5" => 1.5,
    "-2.5e-3" => -0.0025,
    '""' => "",
    '"grüße 🐘"' => "grüße \u{1F418}",
    '"\u00fc\ud83d\udc18\u0000\n\\\\"' => "ü\u{1F418}\0\n\\",
    '"\\\\ud800 \\\\\\\\udc00"' => "\\ud800 \\\\udc00",
    "[]" => [],
    "{}" => {},
    ' [1, "a", null, [true]] ' => [1, "a", nil, [true]],
    '{"a": {"b": [1, 2]}, "": "x"}' => { "a" => { "b" => [1, 2] }, "" => "x" },
    '{"a": 1, "a": 2}' => { "a" => 2 },
    '{"json_class": "Set", "a": [1]}' => { "json_class" => "Set", "a" => [1] }
  }

  prefixes.each do |type, prefix|
    describe type.to_s do
      values.each do |text, value|
        it "is #{value.inspect} from the text and the binary form of #{text}" do
          expect(decode(type, text)).to eql(value)
          expect(decode(type, "#{prefix}#{text}", format: :binary)).to eql(value)
        end
      end

      ["", " ", "x", "nul", "1 2", "01", "-", "1.", "[", "[1", "[1,]", "{", '{"a"', '{"a":1,}', "{1:2}", '"', '"\\', '"\\u12"', "\"a\nb\"",
       "NaN", "[Infinity]", "-Infinity", "1\0", "\0", '"\ud800"', '"\udc00"', '"\ud800a"', '"\ud800\n"', '"\ud800\u0041"', '"\uDBFF\uDBFF"',
       '{"\udc00": 1}', "\"\xFF\"", "[\"\xC3\"]", "\"\xED\xA0\x80\""].each do |text|
        it "raises DataError for #{text.inspect}" do
          [[text, :text], ["#{prefix}#{text}", :binary]].each do |bytes, format|
            expect { decode(type, bytes, format: format) }.to raise_error(Pgconn::DataError, /\Amalformed #{type}: "/)
          end
        end
      end

      it "raises DataError for each proper beginning of a value" do
        text = '{"a": ["\ud83d\udc18", null, {"b": -1.5e+3}], "c": ""}'
        (0...text.size).each do |length|
          [[text[0, length], :text], ["#{prefix}#{text}"[0, prefix.size + length], :binary]].each do |bytes, format|
            expect { decode(type, bytes, format: format) }.to raise_error(Pgconn::DataError, /\Amalformed #{type}: "/)
          end
        end
      end
    end
  end

  it "has another version of jsonb's binary form for malformed, and none at all" do
    ["", "1", "\x02[]", "\0[]", "[]"].each do |bytes|
      expect { decode(:jsonb, bytes, format: :binary) }.to raise_error(Pgconn::DataError, /\Amalformed jsonb: "/)
    end
  end

  it "says why in the cause" do
    expect { decode(:json, "[1,]") }.to raise_error(Pgconn::DataError) { |error| expect(error.cause).to be_a(JSON::ParserError) }
  end

  describe "other encodings" do
    it "are read into UTF-8" do
      { "ISO-8859-1" => "ü", "Windows-31J" => "ソ\\\\表", "EUC-JP" => "世界", "Windows-1251" => "мир" }.each do |encoding, word|
        value = decode(:json, "{\"#{word}\": [\"#{word}\"]}".encode(encoding))
        expect(fingerprint(value.values.first.first)).to eq([String, word.gsub("\\\\", "\\"), Encoding::UTF_8])
        expect(value.keys.first.encoding).to be(Encoding::UTF_8)
      end
    end

    it "are UTF-8 where the database has none, and a DataError where that isn't so" do
      expect(fingerprint(decode(:json, '"ü"'.b))).to eq([String, "ü", Encoding::UTF_8])
      expect { decode(:json, "\"\xFC\"".b) }.to raise_error(Pgconn::DataError, 'malformed json: "\"\xFC\""')
    end

    it "raise DataError for bytes that they don't have" do
      { "EUC-JP" => "\"\xFF\"", "Windows-1252" => "\"\x81\"" }.each do |encoding, bytes|
        expect { decode(:json, bytes.dup.force_encoding(encoding)) }.to raise_error(Pgconn::DataError, /\Amalformed json: "/)
      end
    end

    it "are written from UTF-8, where they have its characters" do
      value = { "ü" => ["ü".encode("UTF-16LE"), "ü".encode("ISO-8859-1")] }
      expect(encode(:json, value, encoding: "ISO-8859-1")).to eq("{\"\xFC\":[\"\xFC\",\"\xFC\"]}".b)
      expect(encode(:jsonb, value)).to eq("\x01{\"ü\":[\"ü\",\"ü\"]}".b)
      expect(encode(:json, value, encoding: "ASCII-8BIT")).to eq('{"ü":["ü","ü"]}'.b)
      expect { encode(:json, ["世"], encoding: "ISO-8859-1") }
        .to raise_error(Pgconn::DataError, /\Aparameter \$1 can't be sent as ISO-8859-1: U\+4E16/)
    end
  end

  describe "parameters" do
    {
      { a: 1, "b" => [nil, true, 1.5, :c] } => '{"a":1,"b":[null,true,1.5,"c"]}',
      [] => "[]",
      {} => "{}",
      [1, [2, { "a" => "\u{1F418}\0\"" }]] => '[1,[2,{"a":"🐘\u0000\""}]]',
      Set[1, "a"] => '[1,"a"]',
      Class.new(Hash)["a", 1] => '{"a":1}',
      Class.new(Array).new([1]) => "[1]"
    }.each do |value, text|
      it "are JSON: #{text}" do
        expect([encode(:json, value), encode(:jsonb, value)]).to eq([text.b, "\x01#{text}".b])
      end
    end

    it "of other classes go in their own text form" do
      values = ["[1]", "x", 1, 1.5, true, false, nil, :a, Struct.new(:a).new(1), Time.now, Object.new, 1..2]
      expect(values.product(%i[json jsonb]).map { |value, type| encode(type, value) }).to all(be_nil)
    end

    it "raise DataError where there is no JSON for them" do
      [[Float::NAN], { a: -Float::INFINITY }, ["\xFF"], { "a" => "\xC3" }, { "\xFF" => 1 }, ["\xFF".b]].each do |value|
        expect { encode(:jsonb, value) }
          .to raise_error(Pgconn::DataError, /\Aparameter \$1 can't be written as JSON: \S/), value.inspect
      end
    end

    it "raise DataError with a message of a line's length" do
      expect { encode(:json, ["x" * 10_000, "\xFF", Float::NAN]) }
        .to raise_error(Pgconn::DataError) { |error| expect(error.message.size).to be < 200 }
    end

    it "let through what their own methods raise" do
      value = Class.new { define_method(:to_json) { |*| raise IndexError, "mine" } }.new
      expect { encode(:json, [value]) }.to raise_error(IndexError, "mine")
    end
  end

  # A caller's stack may be small; the json library may need some for each level.
  {
    "here" => ->(&work) { work.call },
    "in a Fiber" => ->(&work) { Fiber.new(&work).resume },
    "in a Fiber in a Fiber" => ->(&work) { Fiber.new { Fiber.new(&work).resume }.resume },
    "in an Enumerator" => ->(&work) { Enumerator.new { |yielder| yielder << work.call }.next },
    "in a Thread" => ->(&work) { Thread.new(&work).tap { |thread| thread.report_on_exception = false }.value }
  }.each do |place, run|
    describe "nested values #{place}" do
      shapes = %i[arrays hashes].product([nil, 1])

      it "are read down to a thousand levels" do
        [1, 99, 100, 101, 102, 1000].product(shapes) do |levels, (shape, leaf)|
          text = nest_text(shape, levels, leaf: leaf)
          expect(run.call { decode(:jsonb, text) }).to eq(nest(shape, levels, leaf: leaf)), text
        end
      end

      it "aren't read from there on" do
        [1001, 1002, 10_000].product(shapes) do |levels, (shape, leaf)|
          text = nest_text(shape, levels, leaf: leaf)
          expect { run.call { decode(:jsonb, text) } }
            .to raise_error(Pgconn::DataError, /\Acan't read jsonb ".*: it is nested deeper than 1000 levels\z/)
        end
      end

      it "are written down to a thousand levels" do
        [1, 99, 100, 101, 102, 1000].product(shapes) do |levels, (shape, leaf)|
          value = nest(shape, levels, leaf: leaf)
          expect(run.call { encode(:json, value) }).to eq(nest_text(shape, levels, leaf: leaf))
        end
      end

      it "aren't written from there on" do
        [1001, 1002, 10_000].product(shapes) do |levels, (shape, leaf)|
          value = nest(shape, levels, leaf: leaf)
          expect { run.call { encode(:json, value) } }
            .to raise_error(Pgconn::DataError, "parameter $1 is nested deeper than 1000 levels")
        end
      end
    end
  end

  it "counts no brackets within strings" do
    text = "#{"[" * 500}\"#{"[{\\\"" * 2000}\"#{"]" * 500}"
    expect(decode(:json, text).flatten).to eq(["[{\"" * 2000])
  end

  it "raises DataError for what contains itself" do
    array = []
    array << { "a" => array }
    expect { encode(:jsonb, array) }.to raise_error(Pgconn::DataError, /nested deeper/)
  end

  describe "deeply nested values" do
    it "let through what their own methods raise" do
      value = Class.new { define_method(:to_json) { |*| raise IndexError, "mine" } }.new
      expect { encode(:json, nest(:arrays, 200, leaf: value)) }.to raise_error(IndexError, "mine")
    end

    it "raise DataError for what is malformed or no JSON" do
      expect { decode(:json, "#{"[" * 200}x#{"]" * 200}") }.to raise_error(Pgconn::DataError, /\Amalformed json: "\[/)
      expect { encode(:json, nest(:arrays, 200, leaf: Float::NAN)) }.to raise_error(Pgconn::DataError, /can't be written as JSON/)
    end

    it "leave no thread behind when the caller is killed" do
      threads = Thread.list
      started = Queue.new
      value = Class.new { define_method(:to_json) { |*| started.push(true) && sleep } }.new
      caller = Thread.new { encode(:json, nest(:arrays, 200, leaf: value)) }
      started.pop
      caller.kill.join
      (Thread.list - threads).each { |thread| thread.join(10) }
      expect(Thread.list - threads).to eq([])
    end
  end

  it "holds on to what it makes", :gc_stress do
    text = "{\"a\":[\"#{"x" * 50}\",1.5]}"
    expect(decode(:jsonb, "\x01#{text}", format: :binary)).to eq({ "a" => ["x" * 50, 1.5] })
    expect(decode(:json, text.encode("Windows-1252"))).to eq({ "a" => ["x" * 50, 1.5] })
    expect(encode(:jsonb, { a: ["ü" * 50] }, encoding: "ISO-8859-1")).to eq("\x01{\"a\":[\"#{"\xFC" * 50}\"]}".b)
  end
end
