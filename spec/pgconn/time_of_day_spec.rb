# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::TimeOfDay do
  def time(...) = described_class.new(...)

  it_behaves_like "a frozen value" do
    let(:value) { time(13, 14, 15.5, offset: 9000) }
    let(:same) { described_class.parse("13:14:15.5+02:30") }
    let(:others) { [time(13, 14, 15.5), time(13, 14, 15.5, offset: 9001), time(13, 14, 15, offset: 9000), time(24)] }
  end

  it "has the parts that it was made of" do
    expect(time(13, 14, Rational("15.012345"), offset: -3600))
      .to have_attributes(hour: 13, minute: 14, second: 15, microsecond: 12_345, usec: 12_345, offset: -3600,
                          microseconds_since_midnight: 47_655_012_345)
    expect(time(8)).to have_attributes(hour: 8, minute: 0, second: 0, microsecond: 0, offset: nil)
  end

  it "has 24:00:00, which isn't 00:00:00" do
    expect(time(24)).to have_attributes(hour: 24, minute: 0, second: 0, microseconds_since_midnight: 86_400_000_000)
    expect(time(24)).to be > time(23, 59, Rational("59.999999"))
    expect(time(24)).not_to eq(time(0))
  end

  describe "seconds" do
    {
      2.3 => 2_300_000,
      0.1 + 0.2 => 300_000,
      1e-6 => 1,
      1e-7 => 0,
      59.9999999 => 59_999_999,
      59.9999995 => 59_999_999,
      Rational(1, 3) => 333_333,
      BigDecimal("4.0000019") => 4_000_001,
      59 => 59_000_000
    }.each do |seconds, microseconds|
      it "of #{seconds.inspect} are cut off at #{microseconds} microseconds" do
        expect(time(0, 0, seconds).microseconds_since_midnight).to eq(microseconds)
      end
    end
  end

  # As PostgreSQL writes them.
  {
    "00:00:00" => [0],
    "01:02:03" => [1, 2, 3],
    "13:14:15.5" => [13, 14, 15.5],
    "13:14:10" => [13, 14, 10],
    "23:59:59.999999" => [23, 59, Rational("59.999999")],
    "13:14:15.000001" => [13, 14, Rational("15.000001")],
    "24:00:00" => [24],
    "13:14:15+00" => [13, 14, 15, { offset: 0 }],
    "13:14:15+02" => [13, 14, 15, { offset: 7200 }],
    "13:14:15-03:30" => [13, 14, 15, { offset: -12_600 }],
    "13:14:15.25+00:19:32" => [13, 14, 15.25, { offset: 1172 }],
    "13:14:15-10:00:01" => [13, 14, 15, { offset: -36_001 }],
    "24:00:00-15:59:59" => [24, 0, 0, { offset: -57_599 }]
  }.each do |text, (*parts, last)|
    it "writes and reads #{text}" do
      value = last.is_a?(Hash) ? time(*parts, **last) : time(*parts, last)
      expect(value.to_s).to eq(text)
      expect(described_class.parse(text)).to eql(value)
    end
  end

  it "reads a time without seconds" do
    expect(described_class.parse("13:14")).to eq(time(13, 14))
    expect(described_class.parse("13:14+01")).to eq(time(13, 14, offset: 3600))
  end

  ["", "13", "1:02:03", "13:60:00", "13:14:60", "24:00:01", "25:00:00", "13:14:15 ", "13:14:15.", "13:14:15Z", "13:14:15+1", "13:14:15+16",
   "13:14:15+01:60", "13:14:15+01:00:00:00", "13:14:15+", "-13:14:15", "13:14:15\n", nil].each do |text|
    it "doesn't read #{text.inspect}" do
      expect { described_class.parse(text) }.to raise_error(ArgumentError)
    end
  end

  describe "the order" do
    it "is that of the time of day without offsets" do
      expect([time(2), time(1, 30), time(24), time(1)].sort).to eq([time(1), time(1, 30), time(2), time(24)])
      expect(time(12)).to be_between(time(11), time(13))
    end

    it "is that of the instant with offsets, and then that of the zones from the east to the west" do
      east, middle, west = [3600, 0, -3600].map { |offset| time(12 + offset / 3600, offset: offset) }
      before = time(23, 59, offset: 50_000)
      expect([west, before, middle, east].sort).to eq([before, east, middle, west])
    end

    it "doesn't compare one with an offset and one without, or anything else" do
      expect(time(1) <=> time(1, offset: 0)).to be_nil
      expect(time(1) <=> "01:00:00").to be_nil
      expect { time(1) < time(2, offset: 0) }.to raise_error(ArgumentError)
    end
  end

  describe "#on" do
    it "gives a Time in UTC where there is no offset" do
      expect(time(13, 14, Rational("15.123456")).on(Date.new(2024, 2, 29)))
        .to eq(Time.utc(2024, 2, 29, 13, 14, Rational("15.123456"))).and be_utc
    end

    it "gives a Time with the offset" do
      moment = time(13, 14, offset: -12_600).on(Date.new(2024, 2, 29))
      expect(moment).to eq(Time.new(2024, 2, 29, 13, 14, 0, "-03:30"))
      expect(moment.utc_offset).to eq(-12_600)
    end

    it "gives the beginning of the next day for 24:00" do
      expect(time(24).on(Date.new(2024, 2, 29))).to eq(Time.utc(2024, 3, 1))
    end

    it "goes by the day, in whatever calendar it is counted" do
      day = Date.new(1500, 2, 28)
      expect(time(12).on(day)).to eq(Time.utc(1500, 3, 9, 12))
      expect(time(12).on(day.new_start(Date::GREGORIAN))).to eq(Time.utc(1500, 3, 9, 12))
    end
  end

  it "is known to pattern matching" do
    case time(13, 14, 15.5, offset: 60)
    in { hour: 13, minute:, second:, microsecond:, offset: }
      expect([minute, second, microsecond, offset]).to eq([14, 15, 500_000, 60])
    end
    case time(13, 14)
    in [hour, minute, *rest]
      expect([hour, minute, rest]).to eq([13, 14, [0, 0, nil]])
    end
  end

  it "has a readable inspect" do
    expect(time(8, 30).inspect).to eq("#<Pgconn::TimeOfDay 08:30:00>")
  end

  describe "what it is called with" do
    {
      ["1"] => /hour must be an Integer, not String/,
      [1.5] => /hour must be an Integer, not Float/,
      [1, nil] => /minute must be an Integer, not NilClass/,
      [1, 2, "3"] => /second must be an Integer, Float, Rational or BigDecimal, not String/,
      [1, 2, 3, { offset: "+02" }] => /offset must be an Integer, not String/
    }.each do |(*parts, last), message|
      it "raises TypeError that says #{message.source}" do
        expect { last.is_a?(Hash) ? time(*parts, **last) : time(*parts, last) }.to raise_error(TypeError, message)
      end
    end

    {
      [25] => /hour must be from 0 to 24, not 25/,
      [-1] => /hour must be from 0 to 24, not -1/,
      [1, 60] => /minute must be from 0 to 59, not 60/,
      [1, 2, 60] => /second must be from 0 to below 60, not 60/,
      [1, 2, -1e-9] => /second must be from 0 to below 60/,
      [1, 2, Float::NAN] => /second must be finite, not NaN/,
      [1, 2, BigDecimal("Infinity")] => /second must be finite, not Infinity/,
      [24, 0, 1e-6] => /a day ends at 24:00:00, not at 24:00:00.000001/,
      [24, 1] => /a day ends at 24:00:00, not at 24:01:00/,
      [1, 2, 3, { offset: 57_600 }] => /offset must be from -57599 to 57599, not 57600/
    }.each do |(*parts, last), message|
      it "raises ArgumentError that says #{message.source}" do
        expect { last.is_a?(Hash) ? time(*parts, **last) : time(*parts, last) }.to raise_error(ArgumentError, message)
      end
    end
  end
end
