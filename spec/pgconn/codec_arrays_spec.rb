# frozen_string_literal: true

require "spec_helper"
require "set"

# Arrays as the server writes them in text and in binary, what Ruby makes of them and sends. Most of this
# needs no server.
RSpec.describe "Pgconn::Codec of arrays" do
  include CodecHelpers

  let(:oids) { Pgconn::Codec.types.invert }

  # The binary form: a header, and each element's bytes, or nil for NULL.
  def self.binary(element, sizes, elements, bounds: sizes.map { 1 }, flags: 1)
    header = [sizes.size, flags, element, *sizes.zip(bounds).flatten].pack("N*")
    elements.inject(header) { |bytes, value| bytes + (value ? [value.bytesize].pack("N") + value.b : [-1].pack("N")) }
  end

  def self.int4(*numbers) = numbers.map { |number| number && [number].pack("N") }

  infinity = Float::INFINITY
  quoting = ["", " ", "NULL", "null", "a,b", "{}", "\"", "\\", "a\"\\b", "ü", "\n", "a b", "nil"]
  quoted = %({""," ","NULL","null","a,b","{}","\\"","\\\\","a\\"\\\\b",ü,"\n","a b",nil})

  # The type, the text, the value, the element's OID, the sizes, the elements.
  tables = [
    ["int4[]", "{}", [], 23, [], []],
    ["int4[]", "{1}", [1], 23, [1], int4(1)],
    ["int4[]", "{1,NULL,-3}", [1, nil, -3], 23, [3], int4(1, nil, -3)],
    ["int4[]", "{NULL}", [nil], 23, [1], [nil]],
    ["int4[]", "{{1,2},{3,NULL}}", [[1, 2], [3, nil]], 23, [2, 2], int4(1, 2, 3, nil)],
    ["int4[]", "{{{1},{2}},{{3},{4}},{{5},{6}}}", [[[1], [2]], [[3], [4]], [[5], [6]]], 23, [3, 2, 1], int4(*1..6)],
    ["int4[]", "{{{{{{1,2}}}}}}", [[[[[[1, 2]]]]]], 23, [1, 1, 1, 1, 1, 2], int4(1, 2)],
    ["int4[]", "{#{[*1..1000].join(",")}}", [*1..1000], 23, [1000], int4(*1..1000)],
    ["bool[]", "{t,f,NULL}", [true, false, nil], 16, [3], ["\1", "\0", nil]],
    ["int2[]", "{-32768}", [-32_768], 21, [1], ["\x80\0"]],
    ["int8[]", "{9223372036854775807}", [2**63 - 1], 20, [1], [[2**63 - 1].pack("q>")]],
    ["oid[]", "{4294967295}", [2**32 - 1], 26, [1], ["\xFF\xFF\xFF\xFF"]],
    ["float4[]", "{0.1,NaN,-0}", [0.1, Float::NAN, -0.0], 700, [3], [0.1, Float::NAN, -0.0].map { |number| [number].pack("g") }],
    ["float8[]", "{0.1,Infinity,-Infinity}", [0.1, infinity, -infinity], 701, [3], [0.1, infinity, -infinity].map { |number| [number].pack("G") }],
    ["numeric[]", "{1.5,NaN}", [BigDecimal("1.5"), BigDecimal("NaN")], 1700, [2], ["\0\2\0\0\0\0\0\1\0\1\x13\x88", "\0\0\0\0\xC0\0\0\0"]],
    ["text[]", quoted, quoting, 25, [13], quoting],
    ["text[]", "{{a,NULL},{\"\",b}}", [["a", nil], ["", "b"]], 25, [2, 2], ["a", nil, "", "b"]],
    ["varchar[]", "{a,\"b c\"}", ["a", "b c"], 1043, [2], ["a", "b c"]],
    ["bytea[]", '{"\\\\x00ff5c",NULL,"\\\\x"}', ["\0\xFF\\".b, nil, "".b], 17, [3], ["\0\xFF\\", nil, ""]],
    ["uuid[]", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"], 2950, [1], [["a0eebc999c0b4ef8bb6d6bb9bd380a11"].pack("H*")]],
    ["date[]", "{2000-01-02,infinity,NULL}", [Date.new(2000, 1, 2, Date::GREGORIAN), infinity, nil], 1082, [3], int4(1, 2**31 - 1, nil)],
    ["timestamptz[]", '{"2000-01-01 00:00:01+00",-infinity}', [Time.utc(2000, 1, 1, 0, 0, 1), -infinity], 1184, [2], [10**6, -2**63].map { |number| [number].pack("q>") }],
    ["int4range[]", '{"[1,5)",empty,NULL}', [Pgconn::Range.new(1, 5), Pgconn::Range.empty, nil], 3904, [3],
     ["\2\0\0\0\4\0\0\0\1\0\0\0\4\0\0\0\5", "\1", nil]],
    ["int4multirange[]", '{"{[1,5),[7,)}",NULL,"{}"}', [[Pgconn::Range.new(1, 5), Pgconn::Range.new(7, nil)], nil, []], 4451, [3],
     ["\0\0\0\2\0\0\0\x11\2\0\0\0\4\0\0\0\1\0\0\0\4\0\0\0\5\0\0\0\x09\x12\0\0\0\4\0\0\0\7", nil, "\0\0\0\0"]],
    ["json[]", '{"{\"a\":1}","[1,2]",NULL}'.gsub('\"a\"', '\\\\"a\\\\"'), [{ "a" => 1 }, [1, 2], nil], 114, [3], ['{"a":1}', "[1,2]", nil]]
  ]

  tables.each do |type, text, value, *form|
    describe "#{type} #{text[0, 60]}" do
      let(:bytes) { self.class.binary(*form) }

      it "is the same value in both formats, and its binary form" do
        expect(fingerprint(decode(type, text))).to eq(fingerprint(value))
        [0, 1].each do |flags|
          read = decode(type, self.class.binary(*form, flags: flags).force_encoding("UTF-8"), format: :binary)
          expect(fingerprint(read)).to eq(fingerprint(value))
        end
        expect(encode(type, value)).to eq(bytes)
      end

      it "is read the same where its bounds don't begin with 1" do
        sizes = form[1]
        bounds = sizes.map.with_index { |_, index| index - 2 }
        prefix = sizes.zip(bounds).map { |size, bound| "[#{bound}:#{bound + size - 1}]" }.join
        expect(fingerprint(decode(type, "#{prefix}=#{text}"))).to eq(fingerprint(value)) unless sizes.empty?
        read = decode(type, self.class.binary(*form, bounds: bounds).force_encoding("UTF-8"), format: :binary)
        expect(fingerprint(read)).to eq(fingerprint(value))
      end

      it "is malformed where it ends too early or goes on" do
        lengths = [*0...text.size].then { |all| all.size > 400 ? all.first(200) + all.last(200) : all }
        lengths.each { |length| expect { decode(type, text[0, length]) }.to raise_error(Pgconn::DataError, /\Amalformed/) }
        expect { decode(type, "#{text} ") }.to raise_error(Pgconn::DataError, /\Amalformed/)
        short = bytes.bytesize > 1000 ? [bytes.byteslice(0, 500), bytes.byteslice(0..-2), "#{bytes}\0".b] : mutilations(bytes)
        short.each { |cut| expect { decode(type, cut, format: :binary) }.to raise_error(Pgconn::DataError, /\Amalformed/) }
      end
    end
  end

  describe "malformed text" do
    ["", " ", "1", "{1", "1}", "{1}}", "{{1}", "{1,}", "{,1}", "{1,,2}", "{1 2}", "{ 1}", "{1 }", "{1}{2}", "{{1},2}", "{1,{2}}", "{{1},{2,3}}", "{{1,2},{3}}",
     "{{},{1}}", "{{1},{}}", "{\"1", "{\"1\"2}", "{1\"2\"}", "{\"\"}", "{\\1}", "{\"1\\\"}", "{1;2}", "{null}", "{Null}", "{x}", "{2147483648}", "{1.0}",
     "[1:2]={1}", "[1:1]={1,2}", "[1:1]{1}", "[1]={1}", "[1:]={1}", "[:1]={1}", "[2:1]={}", "[1:1][1:1]={1}", "[1:1]={{1}}", "[a:b]={1}", "[1:1={1}", "[1:1]=",
     "[1:1]=1", "[-9:9999999999]={1}", "[1:99999999999]={1}", "#{"{" * 7}1#{"}" * 7}", "#{"[1:1]" * 7}=#{"{" * 7}1#{"}" * 7}", "{1}\0", "{\0}"].each do |text|
      it "raises DataError: #{text[0, 40].inspect}" do
        expect { decode("int4[]", text) }.to raise_error(Pgconn::DataError, /\Amalformed int4(\[\])?: "/)
      end
    end

    it "names what is malformed, the array or an element of it" do
      expect { decode("int4[]", "{1,x}") }.to raise_error(Pgconn::DataError, 'malformed int4: "x"')
      expect { decode("int4[]", "{1,2") }.to raise_error(Pgconn::DataError, 'malformed int4[]: "{1,2"')
    end
  end

  describe "malformed binary" do
    none = [0, 0, 23]
    one = [1, 0, 23, 1, 1, 4, 7]

    { "no header" => [0], "a negative number of dimensions" => [-1, 0, 23], "7 dimensions" => [7, 0, 23, *[1, 1] * 7, 4, 7], "unknown flags" => [1, 2, 23, 1, 1, 4, 7],
      "another type's elements" => [1, 0, 25, 1, 1, 4, 7], "no elements though it claims one" => [1, 0, 23, 1, 1], "2^31 - 1 elements" => [1, 0, 23, 2**31 - 1, 1, 4, 7],
      "2^31 elements" => [1, 0, 23, -2**31, 1, 4, 7], "more elements than 64 bits can count" => [6, 0, 23, *[2**31 - 1, 1] * 6, 4, 7],
      "a dimension without elements" => [1, 0, 23, 0, 1], "an element of a negative length" => [1, 0, 23, 1, 1, -2, 7], "an element beyond the end" => [1, 0, 23, 1, 1, 8, 7],
      "an element of another length" => [1, 0, 23, 1, 1, 2, 7], "an element of no length" => [1, 0, 23, 1, 1, 0], "more behind it" => [*one, 7], "more behind none" => [*none, 7],
      "too few in the second dimension" => [2, 0, 23, 2, 1, 2, 1, 4, 1, 4, 2, 4, 3] }.each do |what, words|
      it "raises DataError for #{what}" do
        expect { decode("int4[]", words.pack("N*"), format: :binary) }.to raise_error(Pgconn::DataError, /\Amalformed int4(\[\])?: "/)
      end
    end
  end

  describe "multibyte encodings whose characters may end in a byte of ASCII" do
    %w[Windows-31J Shift_JIS GBK GB18030 Big5].each do |name|
      encoding = Encoding.find(name)
      lead = [*0x81..0x9F, *0xE0..0xFC].product([0x5C, 0x7B, 0x7C, 0x7D, 0x5B, 0x5D]).map { |bytes| bytes.pack("C2").force_encoding(encoding) }
      characters = lead.select(&:valid_encoding?).reject { |character| character.encode("UTF-8", undef: :replace, invalid: :replace).include?("\uFFFD") }

      it "are read by characters, and sent without changing one: #{name}" do
        expect(characters.size).to be > 100
        plain = "{#{characters.join(",")}}".force_encoding(encoding)
        escaped = "{#{characters.map { |character| "\"#{character}\\\\\\\"\"".force_encoding(encoding) }.join(",")}}".force_encoding(encoding)
        expect(decode("text[]", plain)).to eq(characters)
        expect(decode("text[]", escaped)).to eq(characters.map { |character| "#{character}\\\"" })
        expect(decode("text[]", plain).map(&:encoding).uniq).to eq([encoding])
        expect(encode("text[]", characters, encoding: name)).to eq(self.class.binary(25, [characters.size], characters))
        one, other = *characters
        as_text = "{\"#{one}\",\"\\\\#{other}\"}".b
        expect(Pgconn::Codec.encode(oids["xml[]"], [one, "\\#{other}"], name)).to eq([:text, as_text])
      end
    end

    it "never lead beyond the end" do
      ["{\x95", "{\"\x95", "{\"\x95\"", "{a\\\x95"].each do |text|
        expect { decode("text[]", text.dup.force_encoding("Windows-31J")) }.to raise_error(Pgconn::DataError, /\Amalformed/)
      end
    end
  end

  describe "delimiters" do
    it "are commas but for box[]" do
      expect(decode("box[]", "{(2,2),(1,1);NULL;(4,4),(3,3)}")).to eq(["(2,2),(1,1)", nil, "(4,4),(3,3)"])
      expect(decode("box[]", "{{(2,2),(1,1)};{NULL}}")).to eq([["(2,2),(1,1)"], [nil]])
      expect { decode("box[]", "{{NULL},{NULL}}") }.to raise_error(Pgconn::DataError, /\Amalformed box\[\]/)
      expect(Pgconn::Codec.encode(oids["box[]"], [["a"], [nil]], "UTF-8")).to eq([:text, '{{"a"};{NULL}}'.b])
    end
  end

  describe "parameters" do
    { Set[1, 2] => [1, 2], Class.new(Array).new([1]) => [1], [[]] => [], [[], []] => [], [[[]], [[]]] => [] }.each do |value, same|
      it "that are #{value.inspect} go as #{same.inspect}" do
        expect(encode("int4[]", value)).to eq(encode("int4[]", same))
      end
    end

    [[[1], [2, 3]], [[1], 2], [1, [2]], [nil, [1]], [[1], nil], [[], [1]], [[1], []], [[[1]], [[1, 2]]], [[[[[[[1]]]]]]], [[[[[[[]]]]]]]].each do |value|
      it "that no array can be raise DataError: #{value.inspect}" do
        expect { encode("int4[]", value) }.to raise_error(Pgconn::DataError, /\Acan't encode parameter \$1 as int4\[\]: /)
      end
    end

    it "that contain themselves raise DataError" do
      value = [1]
      value << value
      expect { encode("int4[]", [value]) }.to raise_error(Pgconn::DataError)
      expect { encode("text[]", [[], []].tap { |outer| outer[0] << outer }) }.to raise_error(Pgconn::DataError)
    end

    it "that are changed by their elements while they are encoded harm nothing" do
      values = [1, 2, 3]
      values[1] = Class.new { define_method(:to_pg) { values.clear && GC.start || 7 } }.new
      expect(encode("int4[]", values)).to eq(encode("int4[]", [1, 7, nil]))
    end
  end

  it "are equal to what the server makes of them, in both formats and both ways" do
    connection = connect(autocommit: true)
    ["ARRAY[]::int4[]", "ARRAY[[1,NULL],[3,4]]", "ARRAY['', 'NULL', NULL, E'a\\\\\"b', 'ü,{}']", "ARRAY[1.5, 'NaN', NULL]::numeric[]",
     "ARRAY['\\x00ff', NULL]::bytea[]", "ARRAY[int4range(1, 5), 'empty', NULL]", "ARRAY[int4multirange(int4range(1, 5), int4range(7, NULL)), '{}']",
     "ARRAY['2024-02-29 12:00+01', 'infinity', NULL]::timestamptz[]", "ARRAY['10.0.0.1/8']::inet[]", "ARRAY['1 year -2 days 3.5s']::interval[]",
     "ARRAY['{\"a\": [1]}', NULL]::jsonb[]"].each do |sql|
      oid, text, bytes = *connection.execute("SELECT pg_typeof(a)::oid, a::text, array_send(a) FROM (SELECT #{sql}) x(a)").fetch
      value = Pgconn::Codec.decode(oid, bytes.dup.force_encoding("UTF-8"), format: :binary)
      expect(fingerprint(Pgconn::Codec.decode(oid, text))).to eq(fingerprint(value))
      expect(connection.execute("SELECT $1 = #{sql}, array_send($1)", [Pgconn::Typed.new(value, oid)]).fetch).to eq([true, bytes])
    end
  end

  it "are read by characters from a server that is asked for such an encoding" do
    connection = connect(autocommit: true, client_encoding: "SJIS")
    texts = ["表", "ソ\"表", "\\表", "表,{}", "NULL"].map { |text| text.encode("Windows-31J") }
    4.times { expect(connection.execute("SELECT $1::text[], $1::text[]::text", [texts]).fetch[0].map { |text| text.encode("Windows-31J") }).to eq(texts) }
  end

  it "hold on to what they make", :gc_stress do
    value = [["a" * 50, nil], ["b" * 50, "c\"\\"]]
    expect(decode("text[]", "{{#{"a" * 50},NULL},{#{"b" * 50},\"c\\\"\\\\\"}}")).to eq(value)
    expect(decode("text[]", encode("text[]", value).force_encoding("UTF-8"), format: :binary)).to eq(value)
  end
end
