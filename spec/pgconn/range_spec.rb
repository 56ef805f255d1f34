# frozen_string_literal: true

require "spec_helper"

RSpec.describe Pgconn::Range do
  def range(...) = described_class.new(...)

  it_behaves_like "a frozen value" do
    let(:value) { range(1, 5) }
    let(:same) { described_class.from_range(1...5) }
    let(:others) { [range(1, 5, "[]"), range(1, nil), range(nil, 5), range(2, 5), described_class.empty, range(1, 6)] }
  end

  it "equals by the bounds' ==, and is the same Hash key by their eql?" do
    expect(range(1, 5)).to eq(range(1.0, 5))
    expect(range(1, 5)).not_to eql(range(1.0, 5))
    expect(range(1, 5)).not_to eq(1...5)
  end

  it "can be shared between Ractors only when its bounds can" do
    expect(Ractor.shareable?(range(+"a", nil))).to be(false)
    expect(Ractor.shareable?(range("a", nil))).to be(true)
  end

  describe "bounds" do
    {
      "[)" => [true, false],
      "[]" => [true, true],
      "()" => [false, false],
      "(]" => [false, true]
    }.each do |bounds, (lower, upper)|
      it "#{bounds} are included or not" do
        expect(range(1, 5, bounds)).to have_attributes(lower: 1, upper: 5, bounds: bounds, lower_inclusive?: lower,
                                                       upper_inclusive?: upper, empty?: false)
      end
    end

    it "are round where there are none" do
      expect(range(nil, 5, "[]").bounds).to eq("(]")
      expect(range(1, nil, "[]").bounds).to eq("[)")
      expect(range(nil, nil, "[]")).to eq(range(nil, nil, "()"))
      expect(range(nil, nil)).not_to be_empty
    end

    it "that are equal and not both included make the range empty, as PostgreSQL does" do
      ["[)", "()", "(]"].each { |bounds| expect(range(1, 1, bounds)).to eq(described_class.empty) }
      expect(range(1, 1, "[]")).to have_attributes(lower: 1, empty?: false)
    end

    ["", "[", "[[", "{}", nil, :[], "[) "].each do |bounds|
      it "raise ArgumentError where they are #{bounds.inspect}" do
        expect { range(1, 5, bounds) }.to raise_error(ArgumentError, "bounds must be one of [) [] () (], not #{bounds.inspect}")
      end
    end
  end

  it "may be empty" do
    expect(described_class.empty).to have_attributes(lower: nil, upper: nil, bounds: "()", empty?: true, lower_inclusive?: false,
                                                     upper_inclusive?: false, to_s: "empty", inspect: "#<Pgconn::Range empty>")
    expect(described_class.empty).not_to eq(range(nil, nil))
  end

  describe "#cover?" do
    # Of 0 to 6, those that are in it.
    {
      [1, 5] => [1, 2, 3, 4],
      [1, 5, "[]"] => [1, 2, 3, 4, 5],
      [1, 5, "()"] => [2, 3, 4],
      [1, 5, "(]"] => [2, 3, 4, 5],
      [nil, 2] => [0, 1],
      [4, nil, "()"] => [5, 6],
      [nil, nil] => [0, 1, 2, 3, 4, 5, 6],
      [3, 3, "[]"] => [3],
      [3, 3] => [],
      [5, 1] => []
    }.each do |arguments, inside|
      it "knows what is in #{arguments.inspect}" do
        value = range(*arguments)
        expect((0..6).select { |number| value.cover?(number) }).to eq(inside)
        expect((0..6).grep(value)).to eq(inside)
        expect((0..6).select { |number| value.include?(number) }).to eq(inside)
      end
    end

    it "is false for nil and for what can't be compared" do
      expect([nil, "3", Object.new].map { |value| range(1, 5).cover?(value) }).to eq([false, false, false])
      expect(range(nil, nil).cover?(nil)).to be(false)
    end

    it "compares dates and times with infinity" do
      infinity = Float::INFINITY
      moment = Time.utc(2024)
      expect(range(moment, infinity, "[]")).to cover(moment, moment + 1, infinity)
      expect(range(moment, infinity)).not_to cover(infinity)
      expect(range(moment, infinity)).not_to cover(-infinity)
      expect(range(-infinity, moment)).to cover(moment - 1, -infinity)
      expect(range(Date.new(2024), infinity)).to cover(Date.new(9999))
      expect(range(moment, nil)).not_to cover(1.0)
      expect(range(1.0, nil)).not_to cover(moment)
    end
  end

  describe "and Ruby's Range" do
    {
      (1..5) => [1, 5, "[]"],
      (1...5) => [1, 5, "[)"],
      (1..) => [1, nil, "[)"],
      (..5) => [nil, 5, "(]"],
      (...5) => [nil, 5, "()"],
      ("a".."b") => ["a", "b", "[]"],
      (nil..nil) => [nil, nil, "()"]
    }.each do |ruby, arguments|
      it "#{ruby.inspect} become each other" do
        expect(described_class.from_range(ruby)).to eql(range(*arguments))
        expect(range(*arguments).to_range).to eq(ruby)
      end
    end

    it "lose what one without an end excludes" do
      expect(described_class.from_range(1...).to_range).to eq(1..)
    end

    it "are the same for none but an empty, a lower bound that is excluded and one that can't be compared" do
      expect { described_class.empty.to_range }.to raise_error(RangeError, /empty/)
      expect { range(1, 5, "()").to_range }.to raise_error(RangeError, /exclude its lower bound/)
      expect { range(Time.utc(2024), Float::INFINITY).to_range }.to raise_error(RangeError, /from 2024-01-01 00:00:00 UTC to Infinity/)
    end

    it "are told apart" do
      expect { described_class.from_range([1, 2]) }.to raise_error(TypeError, "Ruby's Range is needed, not Array")
      expect { described_class.from_range(range(1, 2)) }.to raise_error(TypeError, "Ruby's Range is needed, not Pgconn::Range")
    end
  end

  describe "#to_s" do
    {
      [1, 5] => "[1,5)",
      [nil, 5, "[]"] => "(,5]",
      [1, nil] => "[1,)",
      [nil, nil] => "(,)",
      [1.5, BigDecimal("2.50"), "()"] => "(1.5,2.5)",
      [Date.new(2024, 2, 29), Date.new(-43, 3, 15)] => '[2024-02-29,"0044-03-13 BC")',
      [Time.utc(2024, 2, 29, 13, 14, 15.5), Float::INFINITY] => '["2024-02-29 13:14:15.500000+00",Infinity)',
      ["", "a b"] => '["","a b")',
      ["a,b", "c\\d\"e"] => '["a,b","c\\\\d""e")',
      ["(", "]"] => '["(","]")',
      ["grüße", "\u3000"] => "[grüße,\u3000)"
    }.each do |arguments, text|
      it "gives #{text}" do
        expect(range(*arguments).to_s).to eq(text)
      end
    end

    it "raises DataError for what can't be sent" do
      expect { range(Object.new, nil).to_s }.to raise_error(Pgconn::DataError, /Object/)
    end
  end

  it "has a readable inspect" do
    expect(range("a", nil).inspect).to eq('#<Pgconn::Range ["a",)>')
    expect(range(nil, Date.new(2024), "[]").inspect).to start_with("#<Pgconn::Range (,#<Date: 2024-01-01")
  end

  it "is known to pattern matching" do
    case range(1, 5)
    in { lower: Integer => lower, upper:, bounds: "[)", empty: false }
      expect([lower, upper]).to eq([1, 5])
    end
    case range(1, nil)
    in [lower, nil, *]
      expect(lower).to eq(1)
    end
  end
end
