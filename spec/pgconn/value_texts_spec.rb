# frozen_string_literal: true

require "spec_helper"

# What the values write, as the server reads it.
RSpec.describe "The texts of values" do
  let(:connection) { connect(autocommit: true) }
  let(:random) { Random.new(RSpec.configuration.seed) }

  # What the server selects of each value, which is called value there.
  def each_on_server(values, type, selected)
    connection.execute(<<~SQL, [values.join("\n")]).fetch_all.map(&:to_a)
      SELECT #{selected} FROM (
        SELECT line::#{type} AS value, number
        FROM unnest(string_to_array($1, E'\\n')) WITH ORDINALITY AS lines (line, number)) AS numbered
      ORDER BY number
    SQL
  end

  def texts(values, type, selected = "value::text")
    each_on_server(values, type, selected).flatten
  end

  # The order of the values by the server; those that are equal to it keep theirs.
  def sorted(values, type)
    ranks = each_on_server(values, type, "row_number() OVER (ORDER BY value, number)").flatten
    values.zip(ranks).sort_by(&:last).map(&:first)
  end

  # Of all sizes, so that the small ones are frequent.
  def number(bits)
    random.rand(-2**(bits - 1)...(2**(bits - 1))) >> random.rand(bits)
  end

  # Before 15 the server counts the hours in 32 bits.
  def interval_bits
    connection.server_version < 150_000 ? 62 : 64
  end

  def random_interval
    Pgconn::Interval.new(months: number(32), days: number(32), microseconds: number(interval_bits))
  end

  def random_time(offset: nil)
    microseconds = random.rand(86_400_000_000) / 10**random.rand(7) * 10**random.rand(7) % 86_400_000_000
    hours, rest = microseconds.divmod(3_600_000_000)
    minutes, rest = rest.divmod(60_000_000)
    Pgconn::TimeOfDay.new(hours, minutes, Rational(rest, 1_000_000), offset: offset)
  end

  def random_address
    width = [32, 128].sample(random: random)
    IPAddr.new(random.rand(2**width) >> random.rand(width), width == 32 ? Socket::AF_INET : Socket::AF_INET6)
  end

  def random_inet
    address = random_address
    Pgconn::Inet.new(address.to_s, random.rand(0..(address.ipv4? ? 32 : 128)))
  end

  %w[iso_8601 postgres postgres_verbose sql_standard].each do |style|
    it "are read back exactly whatever the IntervalStyle: #{style}" do
      extremes = [Pgconn::Interval.new(months: -2**31, days: -2**31, microseconds: 2**(interval_bits - 1) - 1),
                  Pgconn::Interval.new(months: 2**31 - 1, days: 2**31 - 1, microseconds: -2**(interval_bits - 1)),
                  Pgconn::Interval.parse("P1Y-3DT-0.000001S"), Pgconn::Interval.new]
      values = extremes + Array.new(1000) { random_interval }
      connection.execute("SET IntervalStyle TO #{style}")
      fields = each_on_server(values, "interval", <<~SQL)
        (extract(year FROM value) * 12 + extract(month FROM value))::int, extract(day FROM value)::int,
        (extract(hour FROM value)::int8 * 60 + extract(minute FROM value)::int8) * 60000000 + extract(microsecond FROM value)::int8
      SQL
      expect(fields).to eq(values.map(&:deconstruct))
    end
  end

  it "are the server's own: interval in iso_8601" do
    values = Array.new(1000) { random_interval }
    connection.execute("SET IntervalStyle TO iso_8601")
    expect(texts(values, "interval")).to eq(values.map(&:to_s))
  end

  it "are the server's own: time" do
    values = Array.new(1000) { random_time } << Pgconn::TimeOfDay.new(24)
    expect(texts(values, "time")).to eq(values.map(&:to_s))
  end

  it "are the server's own: timetz" do
    offsets = [0, 3600, -12_600, 57_599, -57_599, 1]
    values = Array.new(1000) { random_time(offset: offsets.sample(random: random)) } << Pgconn::TimeOfDay.new(24, offset: 60)
    expect(texts(values, "timetz")).to eq(values.map(&:to_s))
  end

  it "are the server's own: inet" do
    values = Array.new(1000) { random_inet }
    expect(texts(values, "inet", "inet_out(value)::text")).to eq(values.map(&:to_s))
  end

  it "are what the values are sent as: interval, time, timetz" do
    connection.execute("SET IntervalStyle TO iso_8601")
    values = [Pgconn::Interval.parse("P1Y2M-3DT-4H5.5S"), random_time, random_time(offset: -12_600)]
    expect(connection.execute("SELECT $1::interval::text, $2::time::text, $3::timetz::text", values).fetch.to_a).to eq(values.map(&:to_s))
  end

  {
    int4range: [1, 5],
    numrange: [BigDecimal("-1.5"), Rational(5, 2)],
    daterange: [Date.new(2024, 2, 29), Date.new(2025, 1, 1)],
    tsrange: [Time.utc(2024, 2, 29, 13, 14, 15.5), Float::INFINITY],
    tstzrange: [-Float::INFINITY, Time.utc(2024, 2, 29, 13, 14, 15.5)]
  }.each do |type, (lower, upper)|
    it "are read as they were meant: #{type}" do
      ranges = ["[)", "[]", "()", "(]"].flat_map do |bounds|
        [Pgconn::Range.new(lower, upper, bounds), Pgconn::Range.new(nil, upper, bounds), Pgconn::Range.new(lower, nil, bounds)]
      end
      [Pgconn::Range.empty, Pgconn::Range.new(nil, nil), *ranges].each do |range|
        expect(connection.execute("SELECT $1::#{type} = CASE WHEN $2 THEN 'empty' ELSE #{type}($3, $4, $5) END",
                                  [range.to_s, range.empty?, range.lower, range.upper, range.bounds]).fetch_value).to be(true)
      end
    end
  end

  it "are read as they were meant: a range of text" do
    connection.execute("CREATE TYPE textrange AS RANGE (subtype = text, collation = \"C\")")
    words = ["", " ", "\\", "\"", "\"\"", "(a,b]", "a\\\"b", "tab\tline\n", "grüße", "null", "empty"]
    words.each do |word|
      lower, empty = connection.execute("SELECT lower($1::textrange), isempty($1::textrange)",
                                        [Pgconn::Range.new(word, word, "[]").to_s]).fetch.to_a
      expect([lower, empty]).to eq([word, false])
    end
  ensure
    connection.execute("DROP TYPE IF EXISTS textrange")
  end

  describe "and their order" do
    it "is the server's, but for those that are equal to it: interval" do
      values = Array.new(300) { random_interval } + [30, 29, 31].map { |days| Pgconn::Interval.new(days: days) }
      expect(sorted(values, "interval").each_cons(2).map { |one, other| one <=> other }).to all(be <= 0)
    end

    it "is the server's: time and timetz" do
      times = Array.new(300) { random_time }
      expect(sorted(times, "time")).to eq(times.sort)
      zoned = Array.new(300) { Pgconn::TimeOfDay.new(random.rand(24), offset: random.rand(-15..15) * 3600) }
      expect(sorted(zoned, "timetz")).to eq(zoned.sort)
    end

    it "is the server's: inet" do
      values = Array.new(300) { random_inet } + %w[10.0.0.0/8 10.0.0.0/16 10.0.0.5/8 10.0.0.5].map { |text| Pgconn::Inet.new(text) }
      expect(sorted(values, "inet")).to eq(values.sort)
    end
  end
end
