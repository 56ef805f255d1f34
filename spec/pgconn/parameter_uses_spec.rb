# frozen_string_literal: true

require "spec_helper"
require "bigdecimal"
require "date"
require "ipaddr"
require "set"

# A value is sent in one way while nothing is known of a statement's parameters, and in another once their
# types are. Each use has to have the effect that the text of the value would have.
RSpec.describe "Each use of a parameter" do
  include CodecHelpers

  # Far from UTC, so that it shows where a value is read in the session's time zone.
  def connection_with(threshold)
    connect(autocommit: true, prepare_threshold: threshold, options: "-c TimeZone=America/St_Johns")
  end

  # What both the server and Ruby make of a value, each time that it is sent.
  def uses(connection, sql, value)
    Array.new(4) { fingerprint(connection.execute(sql, [value]).fetch.to_a) }
  end

  # What they make of a literal in the SQL itself.
  def read(connection, type, literal)
    fingerprint(connection.execute("SELECT x::text, x FROM (SELECT '#{literal.gsub("'", "''")}'::#{type}) y(x)").fetch.to_a)
  end

  # The class of the error, or what came instead.
  def refusals(connection, sql, value)
    Array.new(4) do
      connection.execute(sql, [value]).fetch.to_a
    rescue Pgconn::DataError
      :refused
    end
  end

  def self.gregorian(*numbers) = Date.new(*numbers, Date::GREGORIAN)
  def self.range(...) = Pgconn::Range.new(...)
  def self.typed(...) = Pgconn::Typed.new(...)
  def self.to_pg(value) = Class.new { define_method(:to_pg) { value } }.new

  inf = Float::INFINITY
  nan = Float::NAN
  noon = Time.utc(2024, 2, 29, 13, 14, Rational(15_123_456, 1_000_000))
  noon_elsewhere = noon.getlocal("+05:30")
  bytes = (0..255).map(&:chr).join.b
  quoting = ["", " ", "NULL", "null", "a,b", "{}", "\"", "\\", "a\"\\b", "ü", "\n", "'", "$1", ";"]
  quoted = %({""," ","NULL","null","a,b","{}","\\"","\\\\","a\\"\\\\b",ü,"\n",',$1,;})

  # What the server reads, and the values that stand for it.
  table = {
    "bool" => { "t" => [true, 1, "yes", :on, "t".b, to_pg(true)], "f" => [false, 0, "off"] },
    "int2" => { "-32768" => [-32_768, "-32768", BigDecimal(-32_768), Rational(-32_768)] },
    "int4" => { "2147483647" => [2**31 - 1, " 2147483647 ", BigDecimal(2**31 - 1), Rational(2**31 - 1), to_pg(2**31 - 1)],
                "0" => [0, "-0", :"0", typed(0, 23), typed(0, 20), typed("0", 25), to_pg(typed(0, 21))] },
    "int8" => { "-9223372036854775808" => [-2**63, BigDecimal(-2**63)], "4611686018427387904" => [2**62, Rational(2**62)] },
    "oid" => { "4294967295" => [2**32 - 1, -1, "-1"], "0" => [0] },
    "float4" => { "0.1" => [0.1, "0.1", BigDecimal("0.1"), Rational(1, 10)], "1.0000001" => [1.0000000596046448, 1.0000001192092896],
                  "1.00000006" => [1.0000000596046448], "-0" => [-0.0], "16777216" => [2**24, 16_777_217, 16_777_217.0],
                  "NaN" => [nan, BigDecimal("NaN")], "-Infinity" => [-inf, BigDecimal("-Infinity")], "3.4028235e38" => [3.4028234663852886e38, 3.4028235677973366e38],
                  "1e-45" => [1e-45, 1.4e-45] },
    "float8" => { "0.1" => [0.1, "0.1", BigDecimal("0.1"), Rational(1, 10)], "9007199254740993" => [2**53 + 1, BigDecimal(2**53 + 1)],
                  "5e-324" => [Float::MIN.prev_float - Float::MIN.prev_float + 5e-324], "NaN" => [nan], "Infinity" => [inf], "-0" => [-0.0],
                  "1e22" => [1e22, 10**22], "1e100" => [10**100] },
    "numeric" => { "0.1" => [0.1, "0.1", BigDecimal("0.1"), Rational(1, 10)], "1.0" => [1.0], "1" => [1, BigDecimal("1.0"), Rational(1)],
                   "10000000000000000000000" => [10**22], "1e22" => [1e22], "-1e-30" => [BigDecimal("-1e-30"), Rational(-1, 10**30)],
                   "NaN" => [nan, BigDecimal("NaN")], "Infinity" => [inf, BigDecimal("Infinity")], "18446744073709551616" => [2**64] },
    "numeric(5,2)" => { "1.235" => [1.235, BigDecimal("1.235")], "100" => [100, 100.0] },
    "text" => { "1" => [1, "1", :"1", BigDecimal(1), Rational(1), typed(1, 23)], "1.5" => [1.5, BigDecimal("1.5"), Rational(3, 2)],
                "true" => [true], "1.0e+22" => [1e22], "" => ["", "".b], "grüße\\" => ["grüße\\", "grüße\\".b, :"grüße\\", "grüße\\".encode("UTF-16LE")],
                "2024-02-29" => [Date.new(2024, 2, 29)], "2024-02-29 13:14:15.123456+00" => [noon, noon_elsewhere, noon.to_datetime],
                "13:14:15" => [Pgconn::TimeOfDay.new(13, 14, 15)], "P1DT2H" => [Pgconn::Interval.new(days: 1, hours: 2)],
                "10.0.0.1/8" => [Pgconn::Inet.new("10.0.0.1/8")], "Infinity" => [inf], "NaN" => [nan] },
    "varchar(3)" => { "abc" => ["abc", :abc, "abc".b], "12" => [12] },
    "char(4)" => { "ab" => ["ab", :ab, "ab  "] },
    "name" => { "pg_class" => ["pg_class", :pg_class, "pg_class".b] },
    '"char"' => { "x" => ["x", :x], "7" => [7] },
    "bytea" => { "\\x#{bytes.unpack1("H*")}" => [bytes], "\\x5c" => ["\\".b, "\\\\", "\\x5C"], "\\x" => ["".b, ""], "\\x3131" => [11, "11", "11".b, :"11"],
                 "\\xc3bc" => ["ü", "ü".b] },
    "uuid" => { "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11" => ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{A0EEBC999C0B4EF8BB6D6BB9BD380A11}",
                                                           :"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11".b] },
    "date" => { "2024-02-29" => [Date.new(2024, 2, 29), "29 Feb 2024", DateTime.new(2024, 2, 29, 23), noon, noon_elsewhere],
                "1500-03-09" => [Date.new(1500, 2, 28)], "0044-03-15 BC" => [gregorian(-43, 3, 15), Time.utc(-43, 3, 15, 12)],
                "5874897-12-31" => [gregorian(5_874_897, 12, 31)], "4714-11-24 BC" => [gregorian(-4713, 11, 24)], "infinity" => [inf, :infinity],
                "-infinity" => [-inf, BigDecimal("-Infinity")] },
    "timestamp" => { "2024-02-29 13:14:15.123456" => [noon, noon_elsewhere, noon.to_datetime, Time.at(noon.to_r + Rational(9, 10**7))],
                     "2024-02-29" => [Date.new(2024, 2, 29)], "infinity" => [inf], "-infinity" => [-inf],
                     "294276-12-31 23:59:59.999999" => [Time.utc(294_276, 12, 31, 23, 59, Rational(59_999_999, 10**6))],
                     "4714-11-24 00:00:00 BC" => [Time.utc(-4713, 11, 24), gregorian(-4713, 11, 24)] },
    "timestamptz" => { "2024-02-29 13:14:15.123456+00" => [noon, noon_elsewhere, noon.to_datetime],
                       "2024-02-29" => [Date.new(2024, 2, 29), "2024-02-29"], "1800-01-01" => [Date.new(1800, 1, 1)], "infinity" => [inf],
                       "1969-12-31 23:59:59.999999+00" => [Time.at(-1, 999_999_999, :nsec), Time.at(Rational(-1, 10**15))] },
    "time" => { "13:14:15.5" => [Pgconn::TimeOfDay.new(13, 14, 15.5), Pgconn::TimeOfDay.new(13, 14, 15.5, offset: 3600), "1:14:15.5 pm"],
                "13:14:15.123456" => [noon, noon_elsewhere, noon.to_datetime], "24:00" => [Pgconn::TimeOfDay.new(24)] },
    "timetz" => { "13:14:15.5+01" => [Pgconn::TimeOfDay.new(13, 14, 15.5, offset: 3600)], "13:14:15.123456+00" => [noon],
                  "00:00-15:59:59" => [Pgconn::TimeOfDay.new(0, offset: -57_599)] },
    "interval" => { "14 mons -3 days 04:05:06.789" => [Pgconn::Interval.parse("P1Y2M-3DT4H5M6.789S"), "P1Y2M-3DT4H5M6.789S"],
                    "13:14:15" => [Pgconn::TimeOfDay.new(13, 14, 15)], "5 seconds" => [5, "5"], "-178956970 years -8 mons" => [Pgconn::Interval.new(months: -2**31)] },
    "inet" => { "10.0.0.1/8" => [Pgconn::Inet.new("10.0.0.1/8"), "10.0.0.1/8"], "10.0.0.0/8" => [IPAddr.new("10.0.0.0/8")], "::1" => [IPAddr.new("::1")] },
    "cidr" => { "10.0.0.0/8" => [Pgconn::Inet.new("10.0.0.0/8"), IPAddr.new("10.1.2.3/8")] },
    "macaddr" => { "08:00:2b:01:02:03" => ["08:00:2b:01:02:03", "08002B:010203"] },
    "json" => { '{"a":[1,null,"ü",1.5,true]}' => [{ "a" => [1, nil, "ü", 1.5, true] }, { a: [1, nil, :ü, 1.5, true] }], "[]" => [[], Set[]], "{}" => [{}],
                "[[1,2],[3]]" => [[[1, 2], [3]], Set[[1, 2], [3]]], "true" => [true], "18446744073709551616" => [2**64], '["\\u0000"]' => [["\0"]],
                "0.1" => [0.1, BigDecimal("0.1"), Rational(1, 10)], '"x"' => [:'"x"', '"x"'.b], '{"a": 1}' => [typed('{"a": 1}', 114), to_pg('{"a": 1}')] },
    "jsonb" => { '{"a": [1, null, "ü", 1.5, true]}' => [{ "a" => [1, nil, "ü", 1.5, true] }, { a: [1, nil, :ü, 1.5, true] }], "[]" => [[], Set[]],
                 "[[1, 2], [3]]" => [[[1, 2], [3]]], "false" => [false], "18446744073709551616" => [2**64], '{"a": 1}' => [typed({ a: 1 }, 3802), to_pg({ a: 1 })] },
    "point" => { "(1,2)" => ["(1,2)", :"1,2"] },
    "money" => { "5" => [5, "5", BigDecimal(5)], "1.5" => [1.5] },
    "bit varying" => { "101" => ["101", 101] },
    "int4[]" => { "{}" => [[], [[]], [[], []], Set[], "{}"], "{1,NULL,3}" => [[1, nil, 3], Set[1, nil, 3], ["1", nil, :"3"], [1, nil, BigDecimal(3)], to_pg([1, nil, 3])],
                  "{NULL}" => [[nil]], "{{1,2},{3,NULL}}" => [[[1, 2], [3, nil]], Set[[1, 2], [3, nil]]],
                  "{{{1},{2}},{{3},{4}}}" => [[[[1], [2]], [[3], [4]]]], "{2147483647}" => [[2**31 - 1], [typed(2**31 - 1, 23)], [to_pg(2**31 - 1)]] },
    "int2[]" => { "{-32768,1}" => [[-32_768, 1]] },
    "int8[]" => { "{-9223372036854775808,1}" => [[-2**63, 1], typed([-2**63, 1], 1016)] },
    "oid[]" => { "{4294967295}" => [[2**32 - 1], [-1]] },
    "bool[]" => { "{t,f,NULL}" => [[true, false, nil], [1, 0, nil], [:on, "off", nil]] },
    "float4[]" => { "{0.1,1.0000001,NaN}" => [[0.1, 1.0000000596046448, nan]], "{1}" => [[1], [BigDecimal(1)]] },
    "float8[]" => { "{0.1,-0,Infinity}" => [[0.1, -0.0, inf]], "{1,2.5}" => [[1, BigDecimal("2.5")], [1, Rational(5, 2)]] },
    "numeric[]" => { "{1,2.5,0.1,NaN}" => [[1, Rational(5, 2), 0.1, nan], ["1", BigDecimal("2.5"), "0.1", BigDecimal("NaN")]] },
    "text[]" => { quoted => [quoting, quoting.map(&:to_sym), quoting.map(&:b)], "{1,2.5,true,NULL}" => [[1, 2.5, true, nil]],
                  "{2024-02-29,13:14:15}" => [[Date.new(2024, 2, 29), Pgconn::TimeOfDay.new(13, 14, 15)]], "{{a,b},{c,NULL}}" => [[%w[a b], ["c", nil]]] },
    "varchar(2)[]" => { "{ab,NULL}" => [["ab", nil]] },
    "bytea[]" => { "{\"\\\\x#{bytes.unpack1("H*")}\",NULL,\"\\\\x\"}" => [[bytes, nil, "".b]], '{"\\\\x5c","\\\\x41"}' => [["\\".b, "\\x41"], ["\\\\", "A"]] },
    "date[]" => { "{2024-02-29,infinity,NULL}" => [[Date.new(2024, 2, 29), inf, nil], ["29 Feb 2024", "infinity", nil], [noon, inf, nil]] },
    "timestamp[]" => { '{"2024-02-29 13:14:15.123456",2024-02-29}' => [[noon, Date.new(2024, 2, 29)]] },
    "timestamptz[]" => { '{"2024-02-29 13:14:15.123456+00",-infinity,NULL}' => [[noon, -inf, nil], [noon_elsewhere, -inf, nil], [noon.to_datetime, -inf, nil]],
                         "{2024-02-29}" => [[Date.new(2024, 2, 29)]] },
    "time[]" => { "{13:14:15.5,NULL}" => [[Pgconn::TimeOfDay.new(13, 14, 15.5), nil]] },
    "interval[]" => { '{"1 day 02:00:00",NULL}' => [[Pgconn::Interval.new(days: 1, hours: 2), nil]] },
    "uuid[]" => { "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,NULL}" => [["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", nil]] },
    "inet[]" => { "{10.0.0.1/8,::1}" => [[Pgconn::Inet.new("10.0.0.1/8"), IPAddr.new("::1")]] },
    "json[]" => { '{"{\\"a\\":1}",NULL,"[1,[2]]",1.5}' => [[{ a: 1 }, nil, [1, [2]], 1.5], ['{"a":1}', nil, "[1,[2]]", "1.5"]] },
    "jsonb[]" => { '{"{\\"a\\": 1}",NULL}' => [[{ a: 1 }, nil]], '{"[1, 2]","[]"}' => [[[1, 2], []]], "{}" => [[]] },
    "box[]" => { "{(2,2),(1,1);(4,4),(3,3)}" => [["(2,2),(1,1)", "(4,4),(3,3)"]], "{NULL;(4,4),(3,3)}" => [[nil, "(4,4),(3,3)"]] },
    "int4range" => { "[1,6)" => [1..5, 1...6, range(0, 5, "(]"), range(0, 6, "()"), "[1,5]", range("1", 6), to_pg(1..5)], "empty" => [range(5, 5), Pgconn::Range.empty, 5...5],
                     "[1,)" => [1.., range(1, nil), 1..nil], "(,6)" => [..5, ...6, range(nil, 5, "[]"), range(to_pg(nil), typed(6, 23)), range(typed(nil, 23), to_pg(6))], "(,)" => [nil..nil, range(nil, nil)] },
    "int8range" => { "[-9223372036854775808,1)" => [-2**63...1, -2**63..0] },
    "numrange" => { "[1.5,2]" => [1.5..2, BigDecimal("1.5")..2, range(Rational(3, 2), 2, "[]")], "(0.1,0.25]" => [range(0.1, Rational(1, 4), "(]")],
                    "[1,Infinity]" => [1..inf], "(,1)" => [nil...1] },
    "daterange" => { "[2024-02-01,2024-03-01)" => [Date.new(2024, 2, 1)..Date.new(2024, 2, 29), Date.new(2024, 2, 1)...Date.new(2024, 3, 1)],
                     "[2024-02-01,infinity)" => [range(Date.new(2024, 2, 1), inf)], "[2024-02-01,)" => [Date.new(2024, 2, 1)..] },
    "tsrange" => { '["2024-02-29 13:14:15.123456","2024-03-01")' => [noon...Time.utc(2024, 3, 1), range(noon, Date.new(2024, 3, 1))] },
    "tstzrange" => { '["2024-02-29 13:14:15.123456+00","2024-03-01 00:00:00+00"]' => [noon..Time.utc(2024, 3, 1), noon_elsewhere..Time.utc(2024, 3, 1)],
                     '["2024-02-29 13:14:15.123456+00",infinity)' => [range(noon, inf)], '("-infinity","2024-02-29 13:14:15.123456+00")' => [range(-inf, noon, "()")],
                     "[2024-02-01,2024-03-01)" => [Date.new(2024, 2, 1)...Date.new(2024, 3, 1)] },
    "int4range[]" => { '{"[1,6)",empty,NULL}' => [[1..5, Pgconn::Range.empty, nil]], "{}" => [[]], '{{"[1,2)","(,3)"}}' => [[[1...2, ...3]]] },
    "tstzrange[]" => { '{"[\"2024-02-29 13:14:15.123456+00\",infinity)"}' => [[range(noon, inf)]] },
    "int4multirange" => { "{[1,3),[5,7)}" => [[1...3, 5...7], [to_pg(1..2), typed(range("5", 7), 3904)], [5..6, 1..2], Set[1...3, 5...7], "{[1,2],[5,6]}"], "{}" => [[], [Pgconn::Range.empty]], "{(,)}" => [[nil..nil]] },
    "nummultirange" => { "{[1.5,2]}" => [[1.5..2], [1.5...1.75, BigDecimal("1.75")..2]] },
    "int4multirange[]" => { '{"{[1,3),[5,7)}","{}"}' => [[[1...3, 5...7], []]] }
  }

  # What no type like this can hold.
  refused = {
    "bool" => [2, 1.5, "maybe", Date.new(2024), [true], nan],
    "int2" => [32_768, -32_769, "32768", 1.0, true, BigDecimal("1.5"), nan, [1], 1..2, ""],
    "int4" => [2**31, -2**31 - 1, 2**70, 1.0, 1.5, false, BigDecimal("2147483648"), BigDecimal("1.5"), Rational(3, 2), nan, inf, Date.new(2024), noon, "x",
               [1], Set[1], 1..2, {}, Object.new, to_pg(2**31), to_pg("x"), "\x00\x00\x00\x01".b],
    "int8" => [2**63, -2**63 - 1, 2**70, 1.0, "9223372036854775808"],
    "oid" => [2**32, -2**31 - 1, 1.0, "-"],
    "float4" => [1e39, -1e39, 3.402823567797337e38, 1e-46, 10**40, BigDecimal("1e39"), true, "x"],
    "float8" => [10**400, BigDecimal("1e400"), BigDecimal("1e-400"), true, Rational(1, 3), noon, "1e400"],
    "numeric" => [true, Rational(1, 3), BigDecimal("1e131072"), BigDecimal("1e-16384"), Date.new(2024), "x"],
    "numeric(3,1)" => [100, 99.95, BigDecimal("99.95"), Rational(9995, 100), inf],
    "text" => ["a\0", :"a\x00", "a\0".b, "\xFF", "\xFF".b, Rational(1, 3), Object.new, ["\0"]],
    "bytea" => ["\\x4", "\\400"],
    "uuid" => ["x", 1, "\0" * 16, ("\0" * 16).b, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1"],
    "date" => [1, 1.5, nan, true, "x", gregorian(5_874_898, 1, 1), Date.jd(-1), Date.new(10**12), Pgconn::TimeOfDay.new(1), [Date.new(2024), Date.new(2024)]],
    "timestamp" => [1, nan, Time.utc(294_277), Time.utc(-4713, 11, 23), gregorian(294_277, 1, 1), Time.at(2**70), "x"],
    "timestamptz" => [1, nan, Time.utc(294_277), Time.utc(-4714), DateTime.new(294_277), Date.new(294_277), "x"],
    "time" => [true, "x", 1.5, inf, Pgconn::Interval.new(days: 1)],
    "timetz" => [true, "x", inf],
    "interval" => [true, "x", nan, Date.new(2024)],
    "json" => ["x", "", "{", nan, [nan], { a: inf }, Date.new(2024), ["\xFF"], "\"\0\"", noon],
    "jsonb" => ["x", "{", nan, ["a\0"], { "a\0" => 1 }, '"\\u0000"', ["\xFF"]],
    "inet" => [1, "x", IPAddr.new("fe80::1%lo"), [Pgconn::Inet.new("::1")]],
    "cidr" => [Pgconn::Inet.new("10.0.0.1/8"), -1, "x"],
    "int4[]" => [[2**31], [1, "x"], [1.5], [[1], [2, 3]], [[1], 2], [1, [2]], [nil, [1]], [[], [1]], [[1], []], "x", 1, 1..2, [1..2], {}, [{}],
                 [[[[[[[1]]]]]]], [Object.new], [noon], [Rational(1, 3)], Set[2**31], [to_pg([1])], [to_pg(2**31)]],
    "float4[]" => [[1e39], [1e-46]],
    "text[]" => [["a\0"], ["\xFF"], ["\xFF".b], [Rational(1, 3)], "{\0}", ["a", ["b"]]],
    "bytea[]" => [["\\x4"], ["\\400", "".b]],
    "date[]" => [[Date.jd(-1)], [1], [nan]],
    "timestamptz[]" => [[Time.utc(294_277)], [nan], [noon, "x"]],
    "int4range" => [5..1, 1..(2**31), 1.5..2, 1, [1], range(1, "x"), Date.new(2024).., "a".."b", "x", range(2**31, nil), range(nan, nil)],
    "numrange" => [range(2, 1), range(nil, Rational(1, 3)), Date.new(2024)..],
    "tstzrange" => [noon..Time.utc(2023), Time.utc(294_277).., range(nil, Time.utc(-4714)), range(1, 2)],
    "int4range[]" => [[5..1], [1], 1..2, [[1..2], [3..4, 5..6]], [1..(2**31)]],
    "int4multirange" => [[1..2, nil], [to_pg(nil)], 1..2, [1], [5..1], ["x"], "x", [[1..2]], [1..(2**31)]]
  }

  { 1 => "named at once", 2 => "named at its second", nil => "never named" }.each do |threshold, name|
    context "of a statement #{name}" do
      let(:connection) { connection_with(threshold) }

      table.each do |type, rows|
        it "has the effect of its text: #{type}" do
          sql = "SELECT ($1::#{type})::text, $1::#{type}"
          rows.each_with_index do |(literal, values), row|
            expected = read(connection, type, literal)
            [literal, *values].each_with_index do |value, index|
              expect([value, *uses(connection, "#{sql} -- #{row}, #{index}", value)]).to eq([value, *[expected] * 4])
              expect([value, *uses(connection, sql, value)]).to eq([value, *[expected] * 4])
            end
          end
        end

        it "has the effect of its text in a column: #{type}" do
          connection.execute("CREATE TEMP TABLE column_of (x #{type})")
          sql = "INSERT INTO column_of VALUES ($1) RETURNING x::text, x"
          rows.each do |literal, values|
            expected = read(connection, type, literal)
            values.grep_v(Pgconn::Typed).each do |value|
              expect([value, *uses(connection, sql, value)]).to eq([value, *[expected] * 4])
            end
          end
        end
      end

      it "is NULL for nil, whatever the type" do
        [*table.keys, "json", "jsonb", "xml"].product([nil, self.class.to_pg(nil)]) do |type, value|
          expect(uses(connection, "SELECT ($1::#{type}) IS NULL, $1::#{type}", value).uniq).to eq([fingerprint([true, nil])])
        end
      end

      refused.each do |type, values|
        it "is a DataError where the type can't hold it, and nothing else is harmed: #{type}" do
          connection.execute("CREATE TEMP TABLE column_of (x #{type})")
          ["SELECT $1::#{type}", "INSERT INTO column_of VALUES ($1)"].each do |sql|
            values.each { |value| expect([value, *refusals(connection, sql, value)]).to eq([value, *[:refused] * 4]) }
            expect(connection.execute(sql, [nil]).rowcount).to eq(1)
          end
        end
      end
    end
  end
end
