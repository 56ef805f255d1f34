# frozen_string_literal: true

require "spec_helper"

# The whole range of times of day and intervals, as the server writes them in both formats.
RSpec.describe "Times of day and intervals of the whole range" do
  include CodecHelpers

  let(:oids) { { time: 1083, interval: 1186, timetz: 1266 } }
  let(:connection) { connect(autocommit: true) }
  let(:random) { Random.new(RSpec.configuration.seed) }

  # Before PostgreSQL 15 the hours had to fit into 32 bits.
  let(:microseconds_max) { connection.server_version < 150_000 ? 7_700_000_000_000_000_000 : 2**63 - 1 }
  let(:intervals) do
    Array.new(200) do
      months, days, microseconds = [2**31 - 1, 2**31 - 1, microseconds_max].map { |max| magnitude(max) * [1, -1].sample(random: random) }
      Pgconn::Interval.new(months: months, days: days, microseconds: microseconds)
    end
  end

  # Small numbers as often as large ones, and zero as often as either.
  def magnitude(maximum)
    [0, random.rand(100), random.rand(0..maximum) >> random.rand(maximum.bit_length)].sample(random: random)
  end

  def time_of_day(offset)
    second = random.rand(60_000_000).floor(-random.rand(7))
    Pgconn::TimeOfDay.new(random.rand(24), random.rand(60), Rational(second, 1_000_000), offset: offset)
  end

  # The value that the server has understood: as it is read, and as the type's send function gives it.
  def echo(type, value)
    connection.execute("SELECT $1::#{type}, #{type}_send($1)", [Pgconn::Typed.new(value, oids.fetch(type))]).fetch
  end

  def expect_agreement(type, value)
    read, bytes = echo(type, value)
    expect(read).to eql(value)
    expect(decode(type, bytes, format: :binary)).to eql(value)
    expect(encode(type, value)).to eq(bytes)
  end

  it "are time in both formats" do
    200.times { expect_agreement(:time, time_of_day(nil)) }
  end

  it "are timetz in both formats, whatever the session's zone" do
    connection.execute("SET TimeZone = 'America/St_Johns'")
    200.times { expect_agreement(:timetz, time_of_day(random.rand(-57_599..57_599))) }
  end

  %w[postgres iso_8601].each do |style|
    it "are intervals in both formats, in IntervalStyle #{style}" do
      connection.execute("SET IntervalStyle = #{style}")
      intervals.each { |interval| expect_agreement(:interval, interval) }
    end
  end

  %w[sql_standard postgres_verbose].each do |style|
    it "are never read wrong in IntervalStyle #{style}" do
      connection.execute("SET IntervalStyle = #{style}")
      results = intervals.map do |interval|
        echo(:interval, interval).first == interval
      rescue Pgconn::DataError => e
        e.message[/the setting IntervalStyle must be postgres or iso_8601/]
      end
      expect(results).to all(be_truthy)
      expect(results.grep(String)).not_to be_empty
    end
  end

  ["SQL, DMY", "Postgres, MDY", "German"].each do |style|
    it "don't depend on DateStyle #{style}" do
      connection.execute("SET DateStyle = #{style}")
      expect_agreement(:timetz, Pgconn::TimeOfDay.new(13, 14, 15.5, offset: -12_600))
      expect_agreement(:time, Pgconn::TimeOfDay.new(24))
      expect_agreement(:interval, Pgconn::Interval.new(months: 14, days: -3, hours: 4))
    end
  end

  it "are infinite from PostgreSQL 17 on, and an error before" do
    infinite = [Pgconn::Interval.infinity, -Pgconn::Interval.infinity]
    read = infinite.map { |interval| connection.execute("SELECT $1::interval", [interval]).fetch_value }
    expect([connection.server_version >= 170_000, read]).to eq([true, infinite])
  rescue Pgconn::DataError => e
    expect([connection.server_version < 170_000, e.message]).to match([true, /infinity/])
  end
end
