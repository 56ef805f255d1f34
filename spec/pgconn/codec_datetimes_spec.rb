# frozen_string_literal: true

require "spec_helper"

RSpec.describe "Dates and timestamps" do
  include CodecHelpers

  let(:oids) { { date: 1082, timestamp: 1114, timestamptz: 1184 } }

  def self.day(year, month, day) = Date.new(year, month, day, Date::GREGORIAN)

  # The last moment before a second's end.
  def self.end_of(*second) = Time.utc(*second, 999_999)

  infinity = Float::INFINITY
  directives = { date: "l>", timestamp: "q>", timestamptz: "q>" }

  # The server's text, the number that is its binary form, the value.
  dates = [
    ["2000-01-01", 0, day(2000, 1, 1)],
    ["1970-01-01", -10_957, day(1970, 1, 1)],
    ["2024-02-29", 8825, day(2024, 2, 29)],
    ["1900-03-01", -36_465, day(1900, 3, 1)],
    ["1999-12-31", -1, day(1999, 12, 31)],
    ["1582-10-10", -152_389, day(1582, 10, 10)],
    ["0001-01-01", -730_119, day(1, 1, 1)],
    ["0001-12-31 BC", -730_120, day(0, 12, 31)],
    ["0001-02-29 BC", -730_426, day(0, 2, 29)],
    ["4714-11-24 BC", -2_451_545, day(-4713, 11, 24)],
    ["10000-01-01", 2_921_940, day(10_000, 1, 1)],
    ["5874897-12-31", 2_145_031_948, day(5_874_897, 12, 31)],
    ["infinity", 2**31 - 1, infinity],
    ["-infinity", -2**31, -infinity]
  ]
  moments = [
    ["2000-01-01 00:00:00", 0, Time.utc(2000)],
    ["1999-12-31 23:59:59.999999", -1, end_of(1999, 12, 31, 23, 59, 59)],
    ["1970-01-01 00:00:00", -946_684_800_000_000, Time.at(0).utc],
    ["1969-12-31 23:59:59.999999", -946_684_800_000_001, end_of(1969, 12, 31, 23, 59, 59)],
    ["2024-02-29 13:14:15.5", 762_527_655_500_000, Time.utc(2024, 2, 29, 13, 14, 15.5)],
    ["2024-02-29 13:14:15.000001", 762_527_655_000_001, Time.utc(2024, 2, 29, 13, 14, 15, 1)],
    ["0044-03-15 12:00:00 BC", -64_464_465_600_000_000, Time.utc(-43, 3, 15, 12)],
    ["4714-11-24 00:00:00 BC", -211_813_488_000_000_000, Time.utc(-4713, 11, 24)],
    ["294276-12-31 23:59:59.999999", 9_223_371_331_199_999_999, end_of(294_276, 12, 31, 23, 59, 59)],
    ["infinity", 2**63 - 1, infinity],
    ["-infinity", -2**63, -infinity]
  ]
  zoned = moments.map do |text, number, value|
    [value.is_a?(Time) ? text.sub(/(?=\z| BC)/, "+00") : text, number, value]
  end
  table = { date: dates, timestamp: moments, timestamptz: zoned }

  table.each do |type, rows|
    describe type.to_s do
      rows.each do |text, number, value|
        bytes = [number].pack(directives.fetch(type))

        it "is read from the text #{text.inspect}" do
          expect(fingerprint(decode(type, text))).to eq(fingerprint(value))
        end

        it "is read from the binary form of #{text.inspect}" do
          expect(fingerprint(decode(type, bytes, format: :binary))).to eq(fingerprint(value))
        end

        it "is written as the binary form of #{text.inspect}" do
          expect(encode(type, value)).to eq(bytes)
        end
      end

      it "doesn't take a part of a binary value for one, nor more than one" do
        mutilations([1].pack(directives.fetch(type))).each do |bytes|
          expect { decode(type, bytes, format: :binary) }
            .to raise_error(Pgconn::DataError, "malformed #{type}: #{bytes.dump}")
        end
      end
    end
  end

  # The same moments in other zones, the outermost ones too.
  {
    "2024-07-01 14:00:00+02" => Time.utc(2024, 7, 1, 12),
    "2024-07-01 17:30:00.25+05:30" => Time.utc(2024, 7, 1, 12, 0, 0.25),
    "1900-01-01 00:19:32+00:19:32" => Time.utc(1900),
    "2024-07-01 00:00:00-15:59:59" => Time.utc(2024, 7, 1, 15, 59, 59),
    "0001-12-31 22:30:00-01:30 BC" => Time.utc(1, 1, 1),
    "4714-11-23 08:00:01-15:59:59 BC" => Time.utc(-4713, 11, 24),
    "294277-01-01 15:59:58.999999+15:59:59" => end_of(294_276, 12, 31, 23, 59, 59)
  }.each do |text, value|
    it "are read in any zone, as #{text}" do
      expect(fingerprint(decode(:timestamptz, text))).to eq(fingerprint(value))
    end
  end

  it "are read in any zone that there may be" do
    random = Random.new(RSpec.configuration.seed)
    500.times do
      moment = Time.at(random.rand(-62_000_000_000..9_224_318_000_000), random.rand(1_000_000)).utc
      offset = random.rand(-57_599..57_599)
      digits = [offset.abs / 3600, offset.abs / 60 % 60, offset.abs % 60].map { |part| format("%02d", part) }
      zone = "#{offset.negative? ? "-" : "+"}#{digits.join(":")}"
      expect(decode(:timestamptz, moment.getlocal(offset).strftime("%04Y-%m-%d %H:%M:%S.%6N#{zone}"))).to eq(moment)
    end
  end

  {
    date: ["", "2024", "2024-02", "2024-02-", "2024-02-30", "2023-02-29", "1900-02-29", "2024-13-01", "2024-00-01", "2024-01-00",
           "2024-1-1", "124-01-01", "02024-01-01", "2024-01-01 ", "2024-01-01 AD", "2024-01-01 B", "2024-01-01 BC ", "0000-01-01",
           "0000-01-01 BC", "2024-01-01 00:00:00", "12345678-01-01", "Infinity", "infinity ", "+infinity", "2024-01-01\0", "epoch",
           "4714-11-23 BC", "4715-01-01 BC", "5874898-01-01", "9999999-12-31", "9999999-12-31 BC"],
    timestamp: ["", "2024-02-29", "2024-02-29 ", "2024-02-29 24:00:00", "2024-02-29 23:60:00", "2024-02-29 23:59:60",
                "2024-02-29 1:2:3", "2024-02-29 01:02", "2024-02-29 01:02:03.", "2024-02-29 01:02:03.1234567",
                "2024-02-29T01:02:03", "2024-02-29 01:02:03+00", "2024-02-29 01:02:03 BCE", "2024-02-30 01:02:03",
                "4714-11-23 23:59:59.999999 BC", "294277-01-01 00:00:00", "9999999-12-31 23:59:59", "9999999-01-01 00:00:00 BC"],
    timestamptz: ["2024-02-29 01:02:03", "2024-02-29 01:02:03Z", "2024-02-29 01:02:03+", "2024-02-29 01:02:03+1",
                  "2024-02-29 01:02:03+16", "2024-02-29 01:02:03+01:", "2024-02-29 01:02:03+01:60", "2024-02-29 01:02:03+01:00:0",
                  "2024-02-29 01:02:03+01:00:00:00", "2024-02-29 01:02:03 CET", "2024-02-29 01:02:03 +01",
                  "2024-02-29 01:02:03 BC+01", "294276-12-31 23:59:59-00:00:01", "4714-11-24 00:00:00+01 BC"]
  }.each do |type, texts|
    texts.each do |text|
      it "raise DataError for #{text.inspect} as #{type}" do
        expect { decode(type, text) }.to raise_error(Pgconn::DataError, /\Amalformed #{type}: "/)
      end
    end
  end

  { date: [-2_451_546, 2_145_031_949, -2**31 + 1, 2**31 - 2],
    timestamp: [-211_813_488_000_000_001, 9_223_371_331_200_000_000, -2**63 + 1, 2**63 - 2] }.each do |type, numbers|
    it "raise DataError for a binary #{type} that PostgreSQL doesn't have" do
      numbers.each do |number|
        expect { decode(type, [number].pack(directives.fetch(type)), format: :binary) }
          .to raise_error(Pgconn::DataError, /\Amalformed #{type}: "/), number.to_s
      end
    end
  end

  # DateStyle SQL, German and Postgres; which number is the day can't be told.
  {
    date: ["17/12/1997", "12/17/1997", "17.12.1997", "17-12-1997", "03-02-0044 BC", "03/02/12345"],
    timestamp: ["17/12/1997 07:37:16", "17.12.1997 07:37:16", "Wed 17 Dec 07:37:16 1997", "Wed Dec 17 07:37:16 1997"],
    timestamptz: ["12/17/1997 07:37:16 PST", "17.12.1997 07:37:16.25 CET", "Wed Dec 17 07:37:16 1997 PST"]
  }.each do |type, texts|
    texts.each do |text|
      it "raise DataError that names DateStyle for #{text.inspect} as #{type}" do
        expect { decode(type, text) }.to raise_error(Pgconn::DataError, /can't read #{type} .*DateStyle/)
      end
    end
  end

  { date: "2024-02-29 BC", timestamp: "2024-02-29 13:14:15.123456 BC",
    timestamptz: "2024-02-29 13:14:15.123456+05:30:15 BC" }.each do |type, text|
    it "are read from no more than their bytes: #{type}" do
      (0...text.size).each do |length|
        expect(decode(type, text[0, length])).not_to be_nil
      rescue Pgconn::DataError => e
        expect(e.message).to include(text[0, length].inspect[0, 20])
      end
    end
  end

  describe "as parameters" do
    it "go by the day, whatever calendar it is written in" do
      expect(encode(:date, Date.new(1500, 2, 28))).to eq(encode(:date, self.class.day(1500, 3, 9)))
    end

    it "are rounded down to microseconds" do
      [Time.at(0, 1_999, :nsec), Time.at(0, Rational(3, 2)), DateTime.new(1970, 1, 1, 0, 0, Rational(19, 10_000_000))].each do |value|
        expect(encode(:timestamptz, value)).to eq([-946_684_799_999_999].pack("q>"))
      end
      expect(encode(:timestamptz, Time.at(0, -1, :nsec))).to eq([-946_684_800_000_001].pack("q>"))
    end

    it "are in UTC, whatever their offset" do
      moment = [762_481_800_000_000].pack("q>")
      [Time.new(2024, 2, 29, 6, 0, 0, "+05:30"), DateTime.new(2024, 2, 29, 6, 0, 0, "+05:30")].each do |value|
        expect([encode(:timestamp, value), encode(:timestamptz, value)]).to eq([moment, moment])
      end
    end

    it "may be of a subclass" do
      expect(encode(:timestamptz, Class.new(Time).utc(2000))).to eq([0].pack("q>"))
      expect(encode(:date, Class.new(Date).new(2000, 1, 1))).to eq([0].pack("l>"))
    end

    it "raise DataError where the type can't hold them" do
      { date: [Date.jd(-1), Date.new(5_874_898, 1, 1), Date.new(10**30, 1, 1)],
        timestamp: [Time.utc(-4713, 11, 23, 23, 59, 59), Time.utc(294_277), Time.at(2**70), Time.at(-2**62),
                    DateTime.new(10**12, 1, 1)] }.each do |type, values|
        values.each do |value|
          expect { encode(type, value) }.to raise_error(Pgconn::DataError, "parameter $1 is out of the range of #{type}")
        end
      end
    end

    # What depends on the session's time zone, or is rounded, is the server's to read.
    it "go as text where the binary form would be another value" do
      { date: [DateTime.new(2024, 2, 29), Time.utc(2024), Float::NAN, 1.0, 1, "2024-02-29"],
        timestamp: [Date.new(2024, 2, 29), Float::NAN, 1.0, 1, "2024-02-29"],
        timestamptz: [Date.new(2024, 2, 29), Float::NAN, 1.0, 1, "infinity"] }.each do |type, values|
        values.each { |value| expect(encode(type, value)).to be_nil, "#{type} #{value.inspect}" }
      end
    end
  end

  describe "dates" do
    it "are frozen, since equal ones may be one object" do
      expect(decode(:date, "2024-02-29")).to be_frozen
      expect(decode(:date, [8825].pack("l>"), format: :binary)).to be_frozen
    end

    it "are right whatever dates were read before" do
      days = (-2000..2000).to_a.product([0, 512, 365_000]).map(&:sum).shuffle(random: Random.new(RSpec.configuration.seed))
      dates = days.map { |number| decode(:date, [number].pack("l>"), format: :binary) }
      expect(dates.map { |date| date.jd - 2_451_545 }).to eq(days)
    end

    it "outlive garbage collection", :gc_stress do
      dates = Array.new(20) { |number| decode(:date, [number % 5].pack("l>"), format: :binary) }
      expect(dates.map(&:day)).to eq([1, 2, 3, 4, 5] * 4)
    end
  end
end
