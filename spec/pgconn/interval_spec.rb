# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::Interval do
  def interval(...) = described_class.new(...)

  int32 = 2**31 - 1
  int64 = 2**63 - 1

  it_behaves_like "a frozen value" do
    let(:value) { interval(years: 1, months: 2, days: -3, hours: 4, seconds: 0.5) }
    let(:same) { interval(months: 14, days: -3, microseconds: 14_400_500_000) }
    let(:others) { [interval, interval(months: 14, days: -3), -value, described_class.infinity, interval(months: 14, days: 1)] }
  end

  it "keeps months, days and microseconds apart" do
    expect(interval(years: -1, months: 2, weeks: 1, days: -10, hours: 25, minutes: -1, seconds: 2.5, microseconds: 7))
      .to have_attributes(months: -10, days: -3, microseconds: 25 * 3_600_000_000 - 60_000_000 + 2_500_007)
    expect(interval(days: 1)).not_to eq(interval(hours: 24))
    expect(interval(months: 1)).not_to eq(interval(days: 30))
  end

  it "counts parts of hours, minutes and seconds, down to microseconds" do
    expect(interval(hours: 1.5)).to eq(interval(minutes: 90))
    expect(interval(minutes: Rational(1, 3))).to eq(interval(seconds: 20))
    expect(interval(seconds: 2.3).microseconds).to eq(2_300_000)
    expect(interval(seconds: BigDecimal("-0.0000019")).microseconds).to eq(-1)
    expect(interval(seconds: 1e-7)).to eq(interval)
  end

  # The text, months, days, microseconds.
  {
    "PT0S" => [0, 0, 0],
    "P1Y2M-3DT4H5M6.789S" => [14, -3, 14_706_789_000],
    "P-1Y-2M3DT-4H-5M-6.789S" => [-14, 3, -14_706_789_000],
    "P11M" => [11, 0, 0],
    "P1Y" => [12, 0, 0],
    "P-1M" => [-1, 0, 0],
    "P1D" => [0, 1, 0],
    "PT24H" => [0, 0, 86_400_000_000],
    "PT1M" => [0, 0, 60_000_000],
    "PT59.999999S" => [0, 0, 59_999_999],
    "PT0.000001S" => [0, 0, 1],
    "PT-0.000001S" => [0, 0, -1],
    "PT-0.5S" => [0, 0, -500_000],
    "PT1M0.1S" => [0, 0, 60_100_000],
    "PT10S" => [0, 0, 10_000_000],
    "P178956970Y7M2147483647DT-2562047788H-54.775808S" => [int32, int32, -int64 - 1],
    "P-178956970Y-8M-2147483648DT2562047788H54.775807S" => [-int32 - 1, -int32 - 1, int64],
    "infinity" => [int32, int32, int64],
    "-infinity" => [-int32 - 1, -int32 - 1, -int64 - 1]
  }.each do |text, (months, days, microseconds)|
    it "writes and reads #{text}" do
      value = interval(months: months, days: days, microseconds: microseconds)
      expect([value.to_s, value.iso8601]).to eq([text, text])
      expect(described_class.parse(text)).to eql(value)
    end
  end

  # As others write it.
  {
    "-P1Y2M" => [-14, 0, 0],
    "-P1DT-2H" => [0, -1, 7_200_000_000],
    "P2W" => [0, 14, 0],
    "P1W1D" => [0, 8, 0],
    "P0D" => [0, 0, 0],
    "PT36H" => [0, 0, 129_600_000_000],
    "PT90M" => [0, 0, 5_400_000_000],
    "PT1.50S" => [0, 0, 1_500_000],
    "PT0.0000019S" => [0, 0, 1],
    "P18M" => [18, 0, 0]
  }.each do |text, (months, days, microseconds)|
    it "reads #{text}" do
      expect(described_class.parse(text)).to eq(interval(months: months, days: days, microseconds: microseconds))
    end
  end

  ["", "P", "PT", "P1", "1D", "P1DT", "PT1D", "P1H", "P1D1Y", "P1.5D", "PT1.5H", "PT1,5S", "PT1.S", "PT.5S", "P--1D", "P1D ", "P1D\n", "p1d",
   "Infinity", "--P1D", "1 day", nil].each do |text|
    it "doesn't read #{text.inspect}" do
      expect { described_class.parse(text) }.to raise_error(ArgumentError, /not an interval in ISO 8601: #{Regexp.escape(text.inspect)}/)
    end
  end

  describe "the order" do
    it "is PostgreSQL's: a month of 30 days, a day of 24 hours" do
      ordered = [-described_class.infinity, interval(years: -1), interval(days: -1), interval, interval(microseconds: 1),
                 interval(hours: 23), interval(days: 1, microseconds: 1), interval(days: 29, hours: 23), interval(months: 1),
                 interval(days: 31), described_class.infinity]
      expect(ordered.shuffle(random: Random.new(RSpec.configuration.seed)).sort).to eq(ordered)
    end

    it "is 0 only for those that are equal" do
      month = interval(months: 1)
      days = interval(days: 30)
      hours = interval(hours: 720)
      expect([month, days, hours].sort).to eq([hours, days, month])
      expect(month <=> days).to eq(1)
      expect(month <=> interval(months: 1)).to eq(0)
    end

    it "isn't there for anything else" do
      expect(interval <=> 0).to be_nil
      expect { interval > 0 }.to raise_error(ArgumentError)
    end
  end

  describe "counting" do
    let(:value) { interval(months: 14, days: -3, seconds: 1.5) }

    it "goes field by field" do
      expect(value + interval(months: -2, days: 40)).to eq(interval(months: 12, days: 37, seconds: 1.5))
      expect(value - interval(months: 14, seconds: 2)).to eq(interval(days: -3, seconds: -0.5))
      expect(-value).to eq(interval(months: -14, days: 3, seconds: -1.5))
      expect(value * -2).to eq(interval(months: -28, days: 6, seconds: -3))
    end

    it "raises TypeError that says what is needed" do
      expect { value + 1 }.to raise_error(TypeError, "an Interval is needed, not Integer")
      expect { value - nil }.to raise_error(TypeError, "an Interval is needed, not NilClass")
      expect { value * 1.5 }.to raise_error(TypeError, "an Integer is needed, not Float")
    end

    it "raises ArgumentError beyond the limits" do
      expect { interval(months: int32) + interval(months: 1) }.to raise_error(ArgumentError, /months must fit into 32 bits/)
      expect { -interval(days: -int32 - 1) }.to raise_error(ArgumentError, /days must fit into 32 bits, unlike 2147483648/)
      expect { interval(microseconds: int64) * 2 }.to raise_error(ArgumentError, /microseconds must fit into 64 bits/)
    end
  end

  describe "infinity" do
    let(:infinity) { described_class.infinity }

    it "is told by its sign" do
      expect([infinity, -infinity, interval, interval(months: int32, days: int32)].map(&:infinite?)).to eq([1, -1, nil, nil])
      expect(-(-infinity)).to eq(infinity)
      expect([infinity.inspect, (-infinity).to_s]).to eq(["#<Pgconn::Interval infinity>", "-infinity"])
    end

    it "can't be counted with" do
      [-> { infinity + interval }, -> { interval - infinity }, -> { -infinity * 2 }].each do |counting|
        expect(&counting).to raise_error(ArgumentError, /infinite/)
      end
    end
  end

  it "is known to pattern matching" do
    case interval(years: 1, days: 2, seconds: 3)
    in { months:, days:, microseconds: }
      expect([months, days, microseconds]).to eq([12, 2, 3_000_000])
    end
    case interval(days: 2)
    in [0, days, 0]
      expect(days).to eq(2)
    end
  end

  it "has a readable inspect" do
    expect(interval(days: 1).inspect).to eq("#<Pgconn::Interval P1D>")
  end

  describe "what it is called with" do
    {
      { years: 1.5 } => /years must be an Integer, not Float/,
      { months: "1" } => /months must be an Integer, not String/,
      { weeks: nil } => /weeks must be an Integer, not NilClass/,
      { days: 0.5 } => /days must be an Integer, not Float/,
      { microseconds: 1.0 } => /microseconds must be an Integer, not Float/,
      { hours: "1" } => /hours must be an Integer, Float, Rational or BigDecimal, not String/,
      { seconds: nil } => /seconds must be an Integer, Float, Rational or BigDecimal, not NilClass/
    }.each do |keywords, message|
      it "raises TypeError that says #{message.source}" do
        expect { interval(**keywords) }.to raise_error(TypeError, message)
      end
    end

    {
      { months: 2**31 } => /months must fit into 32 bits, unlike 2147483648/,
      { years: 178_956_971 } => /months must fit into 32 bits, unlike 2147483652/,
      { days: -2**31 - 1 } => /days must fit into 32 bits/,
      { microseconds: 2**63 } => /microseconds must fit into 64 bits/,
      { hours: -Float::INFINITY } => /hours must be finite, not -Infinity/,
      { seconds: Float::NAN } => /seconds must be finite, not NaN/
    }.each do |keywords, message|
      it "raises ArgumentError that says #{message.source}" do
        expect { interval(**keywords) }.to raise_error(ArgumentError, message)
      end
    end
  end
end
