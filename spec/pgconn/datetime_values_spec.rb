# frozen_string_literal: true

require "spec_helper"

# The whole range of dates and timestamps, as the server writes them in both formats.
RSpec.describe "Dates and timestamps of the whole range" do
  include CodecHelpers

  let(:oids) { { date: 1082, timestamp: 1114, timestamptz: 1184 } }
  let(:connection) { connect(autocommit: true) }
  let(:random) { Random.new(RSpec.configuration.seed) }

  # Half of them lie in the centuries that people live in.
  let(:days) { Array.new(150) { random.rand(-2_451_545..2_145_031_948) } + Array.new(150) { random.rand(-40_000..40_000) } }
  let(:microseconds) do
    Array.new(150) { random.rand(-211_813_488_000_000_000...9_223_371_331_200_000_000) } +
      Array.new(150) { random.rand(-4_000_000_000_000_000..4_000_000_000_000_000).floor(-random.rand(7)) }
  end

  # The server counts days and microseconds in Integers, so nothing is rounded.
  let(:numbers) do
    rows = microseconds.map { |number| "(#{number.div(86_400 * 10**6)}, #{number % (86_400 * 10**6)})" }
    "(VALUES #{rows.join(", ")}) AS numbers(days, rest)"
  end
  let(:moment) { "('2000-01-01'::timestamp + (days || ' days')::interval + (rest || ' microseconds')::interval)" }
  let(:times) { microseconds.map { |number| Time.at(946_684_800 + number.div(10**6), number % (10**6), :usec).utc } }

  # Expects that both formats give the values, and that the values give the binary form.
  def expect_agreement(type, rows, values)
    values.zip(rows) do |value, (read, bytes)|
      expect(fingerprint(read)).to eq(fingerprint(value))
      expect(fingerprint(decode(type, bytes, format: :binary))).to eq(fingerprint(value))
      expect(encode(type, value)).to eq(bytes)
    end
  end

  it "are dates in both formats" do
    rows = connection.execute("SELECT date, date_send(date) FROM (SELECT '2000-01-01'::date + days AS date " \
                              "FROM (VALUES (#{days.join("), (")})) AS numbers(days)) AS dates").fetch_all
    expect_agreement(:date, rows, days.map { |number| Date.jd(2_451_545 + number, Date::GREGORIAN) })
  end

  it "are timestamps in both formats" do
    rows = connection.execute("SELECT #{moment}, timestamp_send(#{moment}) FROM #{numbers}").fetch_all
    expect_agreement(:timestamp, rows, times)
  end

  ["UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia", "Europe/Amsterdam", "<+1559>-15:59", "<-1559>15:59"].each do |zone|
    it "are timestamptz in both formats, in the zone #{zone}" do
      connection.execute("SET TimeZone = '#{zone}'")
      rows = connection.execute("SELECT ts, timestamptz_send(ts) FROM " \
                                "(SELECT #{moment} AT TIME ZONE 'UTC' AS ts FROM #{numbers}) AS moments").fetch_all
      expect_agreement(:timestamptz, rows, times)
    end
  end

  ["SQL, DMY", "SQL, MDY", "Postgres, DMY", "Postgres, MDY", "German"].each do |style|
    it "are never read wrong in DateStyle #{style}" do
      connection.execute("SET DateStyle = #{style}")
      rows = connection.execute("SELECT #{moment}::text, (#{moment} AT TIME ZONE 'UTC')::text, #{moment}::date::text FROM #{numbers}")
      rows.to_a.each do |row|
        row.to_a.zip(%i[timestamp timestamptz date]) do |text, type|
          expect { decode(type, text) }.to raise_error(Pgconn::DataError, /DateStyle must be ISO/), text
        end
      end
    end
  end
end
