# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Times of day and intervals" do
  include CodecHelpers

  let(:oids) { { time: 1083, interval: 1186, timetz: 1266 } }

  def self.time(*fields, **offset) = Pgconn::TimeOfDay.new(*fields, **offset)
  def self.interval(**fields) = Pgconn::Interval.new(**fields)

  last_moment = Rational(59_999_999, 1_000_000)

  # The server's text, the fields of its binary form, the value.
  times = [
    ["00:00:00", [0], time(0)],
    ["13:14:15", [47_655_000_000], time(13, 14, 15)],
    ["13:14:15.5", [47_655_500_000], time(13, 14, 15.5)],
    ["04:05:06.000001", [14_706_000_001], time(4, 5, Rational(6_000_001, 1_000_000))],
    ["23:59:59.999999", [86_399_999_999], time(23, 59, last_moment)],
    ["24:00:00", [86_400_000_000], time(24)]
  ]
  zoned = [
    ["00:00:00+00", [0, 0], time(0, offset: 0)],
    ["13:14:15.5+02", [47_655_500_000, -7200], time(13, 14, 15.5, offset: 7200)],
    ["13:14:15-03:30", [47_655_000_000, 12_600], time(13, 14, 15, offset: -12_600)],
    ["23:59:59.999999+00:19:32", [86_399_999_999, -1172], time(23, 59, last_moment, offset: 1172)],
    ["24:00:00-15:59:59", [86_400_000_000, 57_599], time(24, offset: -57_599)],
    ["24:00:00+15:59:59", [86_400_000_000, -57_599], time(24, offset: 57_599)]
  ]
  intervals = [
    ["00:00:00", [0, 0, 0], interval],
    ["-00:00:01", [-1_000_000, 0, 0], interval(seconds: -1)],
    ["1 year 2 mons -3 days +04:05:06.789", [14_706_789_000, -3, 14],
     interval(years: 1, months: 2, days: -3, hours: 4, minutes: 5, seconds: Rational("6.789"))],
    ["-1 years -2 mons +3 days -04:05:06", [-14_706_000_000, 3, -14], interval(months: -14, days: 3, seconds: -14_706)],
    ["1 mon", [0, 0, 1], interval(months: 1)],
    ["-1 days", [0, -1, 0], interval(days: -1)],
    ["1 day 00:00:00.000001", [1, 1, 0], interval(days: 1, microseconds: 1)],
    ["-1 mons +00:00:01", [1_000_000, 0, -1], interval(months: -1, seconds: 1)],
    ["100:00:00", [360_000_000_000, 0, 0], interval(hours: 100)],
    ["178956970 years 7 mons 2147483647 days 2562047788:00:54.775806", [2**63 - 2, 2**31 - 1, 2**31 - 1],
     interval(months: 2**31 - 1, days: 2**31 - 1, microseconds: 2**63 - 2)],
    ["-178956970 years -8 mons -2147483648 days -2562047788:00:54.775807", [-2**63 + 1, -2**31, -2**31],
     interval(months: -2**31, days: -2**31, microseconds: -2**63 + 1)]
  ]
  directives = { time: "q>", timetz: "q>l>", interval: "q>l>l>" }

  { time: times, timetz: zoned, interval: intervals }.each do |type, rows|
    describe type.to_s do
      rows.each do |text, fields, value|
        bytes = fields.pack(directives.fetch(type))

        it "is read from the text #{text.inspect}" do
          expect(decode(type, text)).to eql(value).and be_frozen
        end

        it "is read from the binary form of #{text.inspect}" do
          expect(decode(type, bytes, format: :binary)).to eql(value).and be_frozen
        end

        it "is written as the binary form of #{text.inspect}" do
          expect(encode(type, value)).to eq(bytes)
        end
      end

      it "doesn't take a part of a binary value for one, nor more than one" do
        mutilations(rows.last[1].pack(directives.fetch(type))).each do |bytes|
          expect { decode(type, bytes, format: :binary) }.to raise_error(Pgconn::DataError, /\Amalformed #{type}: "/)
        end
      end

      it "is read from no more than its bytes" do
        text = rows.max_by { |row| row.first.size }.first
        (0...text.size).each do |length|
          expect(decode(type, text[0, length])).not_to be_nil
        rescue Pgconn::DataError => e
          expect(e.message).to include(text[0, length].inspect[0, 20])
        end
      end
    end
  end

  # IntervalStyle iso_8601, and what has no binary form of its own.
  {
    "PT0S" => interval,
    "P1Y2M-3DT4H5M6.789S" => interval(months: 14, days: -3, seconds: Rational("14706.789")),
    "P-1Y-2M3DT-4H-5M-6S" => interval(months: -14, days: 3, seconds: -14_706),
    "PT-0.5S" => interval(microseconds: -500_000),
    "P1D" => interval(days: 1),
    "P1YT1M" => interval(years: 1, minutes: 1),
    "P-178956970Y-8M-2147483648DT-2562047788H-54.775808S" => -Pgconn::Interval.infinity,
    "178956970 years 7 mons 2147483647 days 2562047788:00:54.775807" => Pgconn::Interval.infinity,
    "infinity" => Pgconn::Interval.infinity,
    "-infinity" => -Pgconn::Interval.infinity
  }.each do |text, value|
    it "include the interval #{text.inspect}" do
      expect(decode(:interval, text)).to eql(value)
    end
  end

  # IntervalStyle sql_standard and postgres_verbose.
  ["0", "1-2", "-1-2", "1 0:00:00", "-1 2:03:04", "4:05:06", "-4:05:06.789", "+1-2 -3 +4:05:06.789", "+0-0 +1 -12:00:00",
   "@ 0", "@ 1 year 2 mons -3 days 6.789 secs", "@ 1 day ago"].each do |text|
    it "raise DataError that names IntervalStyle for #{text.inspect}" do
      expect { decode(:interval, text) }
        .to raise_error(Pgconn::DataError, "can't read interval #{text.dump}: " \
                                           "the setting IntervalStyle must be postgres or iso_8601")
    end
  end

  {
    time: ["", "1:02:03", "01:02", "01:02:", "01:02:3", "24:00:00.000001", "24:00:01", "25:00:00", "23:60:00", "23:59:60", "-01:02:03",
           "01:02:03.", "01:02:03.1234567", "01:02:03+00", "01:02:03 ", "01:02:03\0", "010203", "01:02:03 AM"],
    timetz: ["", "01:02:03", "01:02:03+", "01:02:03+1", "01:02:03+16", "01:02:03-16", "01:02:03+01:", "01:02:03+01:60",
             "01:02:03+01:00:00:00", "01:02:03Z", "01:02:03 +01", "24:00:01+00", "01:02:03+01 "],
    interval: ["", "1", "-", "+", "1 ", "1 day ", " 1 day", "1 days", "2 day", "1 hour", "1 mon 1 year", "1 day 1 day", "1  day",
               "01:02", "01:02:", "01:60:00", "01:02:60", "01:02:03.", "01:02:03.1234567", "01:02:03 1 day", "1 day ago", "1 day, 1 mon",
               "--1 days", "1.5 days", "2147483648 days", "-2147483649 days", "178956970 years 8 mons", "99999999999 days",
               "2562047788:00:54.775808", "9999999999:00:00", "-2562047788:00:54.775809", "Infinity", "infinity ", "+infinity",
               "P", "PT", "P1YT", "P1", "1Y", "P1D1Y", "P1M1Y", "PT1D", "P1H", "P1.5D", "PT1.5H", "PT1.S", "PT.5S", "P1W", "P 1D", "P1D ",
               "P1DT1ST1S", "p1d", "P2147483648D", "PT9223372036854775807S", "PT2562047788H54.775808S", "P1Y\0"]
  }.each do |type, texts|
    texts.each do |text|
      it "raise DataError for #{text.inspect} as #{type}" do
        expect { decode(type, text) }.to raise_error(Pgconn::DataError, "malformed #{type}: #{text.dump}")
      end
    end
  end

  { time: [[-1], [86_400_000_001], [2**63 - 1], [-2**63]],
    timetz: [[-1, 0], [86_400_000_001, 0], [0, 57_600], [0, -57_600], [0, -2**31], [0, 2**31 - 1]] }.each do |type, rows|
    it "raise DataError for a binary #{type} that PostgreSQL doesn't have" do
      rows.each do |fields|
        expect { decode(type, fields.pack(directives.fetch(type)), format: :binary) }
          .to raise_error(Pgconn::DataError, /\Amalformed #{type}: "/), fields.to_s
      end
    end
  end

  it "go as text where the binary form would be another value" do
    { time: [Pgconn::TimeOfDay.new(1, offset: 0), Time.now, "01:02:03", 1],
      timetz: [Pgconn::TimeOfDay.new(1), Time.now, "01:02:03+00", 1],
      interval: [Pgconn::Interval.infinity, -Pgconn::Interval.infinity, Pgconn::TimeOfDay.new(1), 1, "P1D"] }.each do |type, values|
      values.each { |value| expect(encode(type, value)).to be_nil, "#{type} #{value.inspect}" }
    end
  end

  it "outlive garbage collection", :gc_stress do
    expect([decode(:timetz, "13:14:15+02"), decode(:interval, "1 day 2562047788:00:54.775807")])
      .to eql([Pgconn::TimeOfDay.new(13, 14, 15, offset: 7200), Pgconn::Interval.new(days: 1, microseconds: 2**63 - 1)])
  end
end
