# frozen_string_literal: true

# A few values of each type, as the server writes them: what mutations begin with. Those of arrays,
# ranges and multiranges are made of the ones of what is in them.
class SampleValues
  numbers = %w[0 1 -1 42]
  digits = "9876543210" * 1639 # more than a numeric can have behind the point

  # Literals by pg_type.typname. A type without a line here has no samples.
  LITERALS = {
    "bool" => %w[t f],
    "int2" => [*numbers, "-32768", "32767"],
    "int4" => [*numbers, "-2147483648", "2147483647"],
    "int8" => [*numbers, "-9223372036854775808", "9223372036854775807"],
    "oid" => %w[0 26 2147483648 4294967295],
    "float4" => %w[0 -0 1.5 0.1 3.4028235e38 1e-45 NaN Infinity -Infinity],
    "float8" => %w[0 -0 1.5 0.1 1.7976931348623157e308 5e-324 NaN Infinity -Infinity],
    "numeric" => [*numbers, "0.00", "-1.50", "10000", "123456789.987654321", "NaN", "Infinity", "-Infinity",
                  "1e-16383", "1e131071", "0.#{digits[0, 16_383]}"],
    "money" => %w[0 -1234.56 92233720368547758.07],
    "text" => ["", "a", "grüße, 世界", "{a,\"b\\\\c\",NULL}"],
    "varchar" => ["", "abc "],
    "bpchar" => ["abc"],
    "char" => ["", "x", "\\377"],
    "name" => %w[pg_class],
    "bytea" => ["", "\\x00ff5c7f", "\\x#{"ab" * 50}"],
    "uuid" => %w[a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 00000000-0000-0000-0000-000000000000],
    "xml" => ["<a>b</a>"],
    "date" => ["2000-01-01", "2024-02-29", "4713-01-01 BC", "5874897-12-31", "infinity", "-infinity"],
    "time" => %w[00:00:00 13:14:15.123456 24:00:00],
    "timetz" => %w[00:00:00+00 13:14:15.5+05:30:15 24:00:00-15:59:59],
    "timestamp" => ["2000-01-01 00:00:00", "1999-12-31 23:59:59.999999", "4713-01-01 00:00:00 BC",
                    "294276-12-31 23:59:59.999999", "infinity", "-infinity"],
    "timestamptz" => ["2000-01-01 00:00:00+00", "2024-07-01 12:00:00.000001+02", "4713-01-02 00:00:00+00 BC",
                      "294276-12-31 23:59:59.999999+00", "infinity", "-infinity"],
    "interval" => ["0", "1 year -2 months 3 days -04:05:06.789", "-178000000 years", "2147483647 days",
                   "-00:00:00.000001", "2562047788:00:54.775807"],
    "inet" => %w[0.0.0.0/0 192.168.1.7/24 10.1.2.3 ::1 2001:db8::7/64 ::ffff:1.2.3.4/128],
    "cidr" => %w[10.0.0.0/8 192.168.1.7/32 2001:db8::/32 ::/0],
    "macaddr" => %w[08:00:2b:01:02:03],
    "macaddr8" => %w[08:00:2b:01:02:03:04:05],
    "json" => ["null", "1", "-1.5e300", '"\\u00e9\\ud83d\\ude00"', '{"a": [1, 2, {"b": null}], "a": true}',
               "[" * 40 + "]" * 40],
    "jsonb" => ["null", "1", "-1.5e300", '"\\u00e9"', '{"a": [1, 2, {"b": null}]}', "[" * 40 + "]" * 40],
    "jsonpath" => ["$.a[*] ? (@ > 1)"],
    "bit" => %w[1],
    "varbit" => ["", "101", "1" * 65],
    "point" => ["(1,2)"],
    "lseg" => ["[(1,2),(3,4)]"],
    "path" => ["((1,2),(3,4))", "[(1,2)]"],
    "box" => ["(3,4),(1,2)"],
    "polygon" => ["((1,2),(3,4),(5,6))"],
    "line" => ["{1,2,3}"],
    "circle" => ["<(1,2),3>"],
    "tsvector" => ["a:1A 'b c':2"],
    "tsquery" => ["a & !b:*"],
    "pg_lsn" => %w[16/B374D848],
    "tid" => ["(1,2)"],
    "xid" => %w[4294967295],
    "xid8" => %w[18446744073709551615],
    "cid" => %w[7],
    "txid_snapshot" => ["10:20:10,14"],
    "pg_snapshot" => ["10:20:10,14"],
    "refcursor" => %w[portal],
    "cstring" => %w[a],
    "aclitem" => %w[=r/postgres],
    "regtype" => %w[integer],
    "regproc" => %w[now],
    "regprocedure" => %w[now()],
    "regoper" => %w[||/],
    "regoperator" => %w[+(integer,integer)],
    "regclass" => %w[pg_class],
    "regcollation" => ['"C"'],
    "regrole" => %w[pg_monitor],
    "regnamespace" => %w[pg_catalog],
    "regconfig" => %w[simple],
    "regdictionary" => %w[simple],
    # Elements that are arrays themselves would add a dimension.
    "_int2vector" => ['{"1 2","3"}'],
    "_oidvector" => ['{"1 2","3"}']
  }.freeze

  # A value in both formats; binary is nil where the type has none.
  Sample = Struct.new(:oid, :text, :binary)

  # What is in an array or a range is the inner type. An array is sent where its elements are.
  TYPE = <<~SQL
    SELECT t.typname, format_type(t.oid, NULL) AS sql_name,
           CASE WHEN element.typsend = 0 THEN element.typsend ELSE t.typsend END AS send,
           CASE WHEN element.oid IS NULL THEN t.typtype ELSE 'A' END AS kind,
           coalesce(element.oid, rngsubtype) AS inner
    FROM pg_type t LEFT JOIN pg_type element ON element.typarray = t.oid LEFT JOIN pg_range ON rngtypid = t.oid
    WHERE t.oid = $1::oid
  SQL

  # Of multiranges, which servers have from 14 on.
  RANGE_OF = "SELECT rngtypid FROM pg_range WHERE rngmultitypid = $1::oid"

  private_constant :TYPE, :RANGE_OF

  def initialize(connection)
    @connection = connection
  end

  # @return [Array<Sample>] none for a type that isn't known here or to the server
  def of(oid)
    type = find(oid) or return []
    send = type[:send] == "-" ? "NULL::bytea" : "#{type[:send]}(value)"
    expressions(oid).map do |expression|
      sql = "SELECT format('%s', value), #{send} FROM (SELECT #{expression} AS value) AS sample"
      Sample.new(oid, *@connection.execute(sql).fetch)
    end
  end

  # @return [Array<String>] SQL that gives the values
  def expressions(oid)
    type = find(oid) or return []
    literals = LITERALS[type[:typname]]
    return literals.map { |text| "#{quote(text)}::#{type[:sql_name]}" } if literals

    case type[:kind]
    when "A" then arrays(type[:sql_name], expressions(type[:inner]))
    when "r" then ranges(type[:sql_name], expressions(type[:inner]))
    when "m" then multiranges(type[:sql_name], expressions(range_of(oid)))
    else []
    end
  end

  # @return [Integer, nil] the OID of an array's elements
  def element_of(oid)
    type = find(oid)
    type[:inner] if type && type[:kind] == "A"
  end

  private

  def find(oid) = @connection.execute(TYPE, [oid]).fetch

  def range_of(oid) = @connection.execute(RANGE_OF, [oid]).fetch_value

  def arrays(name, elements)
    none = ["ARRAY[]::#{name}", "ARRAY[NULL]::#{name}"]
    return none if elements.empty?

    [*none, "ARRAY[#{elements.join(", ")}, NULL]",
     "ARRAY[[#{elements.first}, NULL], [NULL, #{elements.last}]]",
     "array_fill(#{elements.last}, ARRAY[1, 2, 1, 1, 2, 1], ARRAY[-1, 0, 1, 2, 3, 2147483646])"]
  end

  def ranges(name, bounds)
    return [] if bounds.empty?

    both = "least(#{bounds[0]}, #{bounds[1]}), greatest(#{bounds[0]}, #{bounds[1]})"
    ["'empty'::#{name}", "#{name}(NULL, NULL)", "#{name}(#{bounds[0]}, NULL, '()')",
     "#{name}(NULL, #{bounds[1]}, '(]')", "#{name}(#{both}, '[]')", "#{name}(#{both})"]
  end

  def multiranges(name, ranges)
    ["#{name}()", *ranges.map { |range| "#{name}(#{range})" }]
  end

  def quote(text) = "'#{text.gsub("'", "''")}'"
end
