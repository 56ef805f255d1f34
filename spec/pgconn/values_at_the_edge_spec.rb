# frozen_string_literal: true

require "spec_helper"
require "bigdecimal"
require "date"

RSpec.describe "Values at the edge" do
  let(:connection) { connect(autocommit: true) }

  def echo(type, value)
    connection.execute("SELECT $1::#{type}", [value]).fetch_value
  end

  def printed(type, value)
    connection.execute("SELECT $1::#{type}::text", [value]).fetch_value
  end

  describe "numbers out of range" do
    [["int2", 32_768], ["int4", 2**31], ["int8", 2**63], ["int8", -(2**63) - 1], ["oid", 2**32]].each do |type, number|
      it "are a DataError: #{number} for #{type}" do
        expect { echo(type, number) }.to raise_error(Pgconn::DataError)
      end
    end

    it "fit into numeric, however large" do
      [2**63, -(2**63) - 1, 2**200].each { |number| expect(echo("numeric", number)).to eq(number) }
    end
  end

  describe "other classes of Ruby" do
    it "takes a Symbol as text" do
      expect(echo("text", :symbol)).to eq("symbol")
    end

    it "takes a Rational that is a finite decimal" do
      expect([echo("numeric", Rational(1, 8)), echo("numeric", Rational(-7, 20))]).to eq([BigDecimal("0.125"), BigDecimal("-0.35")])
      expect(printed("numeric", Rational(5, 1))).to eq("5")
    end

    it "takes a Float for numeric by its shortest decimal" do
      expect(printed("numeric", 0.1)).to eq("0.1")
      expect(printed("numeric", 1e22)).to eq("10000000000000000000000")
    end

    it "takes a BigDecimal with all its digits" do
      digits = "-1234567890123456789012345678901234567890.0987654321098765432109876543210987654321"
      expect(printed("numeric", BigDecimal(digits))).to eq(digits)
    end

    it "takes a subclass of String as text" do
      expect(echo("text", Class.new(String).new("sub"))).to eq("sub").and be_an_instance_of(String)
    end
  end

  describe "dates" do
    it "go by their day number, whatever calendar they are written in" do
      julian = Date.new(1500, 2, 28) # in the Julian calendar, as Ruby's Date is before 1582
      expect(printed("date", julian)).to eq("1500-03-09")
      expect(echo("date", julian)).to eq(julian)
    end

    it "come in the proleptic Gregorian calendar" do
      expect(connection.execute("SELECT '1500-03-01'::date - 1").fetch_value.to_s).to eq("1500-02-28")
      expect(connection.execute("SELECT '1500-03-01'::date").fetch_value).to be_gregorian
    end

    it "take DateTime with its time of day and offset" do
      moment = DateTime.new(2024, 2, 29, 13, 14, Rational(31, 2), "+05:30")
      expect(echo("timestamptz", moment)).to eq(Time.utc(2024, 2, 29, 7, 44, 15.5))
    end

    it "take the first and the last day, and none beyond" do
      expect(echo("date", Date.jd(0))).to eq(Date.jd(0))
      expect { echo("date", Date.jd(-1)) }.to raise_error(Pgconn::DataError)
      expect { echo("date", Date.new(5_874_898, 1, 1, Date::GREGORIAN)) }.to raise_error(Pgconn::DataError)
    end
  end

  describe "times" do
    it "go as the same moment, whatever their offset" do
      expect(echo("timestamptz", Time.new(2024, 7, 1, 12, 0, 0, "+05:30"))).to eq(Time.utc(2024, 7, 1, 6, 30))
    end

    it "go in UTC where the server has no zone" do
      expect(printed("timestamp", Time.new(2024, 7, 1, 12, 0, 0, "+05:30"))).to eq("2024-07-01 06:30:00")
    end

    it "are rounded down to microseconds, also before 1970" do
      expect(echo("timestamptz", Time.at(0, 1_999, :nsec))).to eq(Time.at(0, 1, :usec))
      expect(echo("timestamptz", Time.at(-1, 999_999_999, :nsec))).to eq(Time.at(-1, 999_999, :usec))
      expect(printed("timestamp", Time.utc(2024, 1, 1, 0, 0, Rational(599_999_995, 10_000_000))))
        .to eq("2024-01-01 00:00:59.999999")
    end

    it "come in UTC, whatever the session's zone" do
      connection.execute("SET TimeZone = 'America/St_Johns'")
      moment = connection.execute("SELECT '2024-07-01 12:00:00+00'::timestamptz").fetch_value
      expect(moment).to eq(Time.utc(2024, 7, 1, 12)).and be_utc
    end

    it "come right from before time zones had whole minutes" do
      connection.execute("SET TimeZone = 'Europe/Amsterdam'")
      moment = connection.execute("SELECT '1900-01-01 00:00:00+00'::timestamptz").fetch_value
      expect(moment).to eq(Time.utc(1900, 1, 1))
    end
  end

  describe "the server's way of writing dates" do
    %w[ISO,DMY SQL,DMY SQL,MDY Postgres,DMY German].each do |style|
      it "doesn't matter when the session begins with #{style}" do
        connection = connect(options: "-c datestyle=#{style}")
        row = connection.execute("SELECT '2024-02-03'::date, '2024-02-03 04:05:06'::timestamp").fetch
        expect(row).to eq([Date.new(2024, 2, 3), Time.utc(2024, 2, 3, 4, 5, 6)])
        connection.rollback
        expect(connection.execute("SELECT '2024-02-03'::date").fetch_value).to eq(Date.new(2024, 2, 3))
      end

      it "never gives a wrong value after SET DateStyle to #{style}" do
        connection.execute("SET DateStyle = #{style}")
        result = begin
          connection.execute("SELECT '2024-02-03'::date").fetch_value
        rescue Pgconn::DataError => e
          e.message
        end
        expect(result).to eq(Date.new(2024, 2, 3)).or match(/DateStyle/i)
      end
    end
  end

  describe "random values" do
    let(:random) { Random.new(RSpec.configuration.seed) }

    {
      "int8" => ->(random) { random.rand(-(2**63)..(2**63 - 1)) >> random.rand(64) },
      "float8" => ->(random) { [random.bytes(8)].first.unpack1("G") },
      "numeric" => ->(random) { BigDecimal("#{random.rand(-(10**25)..(10**25))}e#{random.rand(-40..40)}") },
      "date" => ->(random) { Date.jd(random.rand(0..5_000_000), Date::GREGORIAN) },
      "timestamptz" => ->(random) { Time.at(random.rand(-200_000_000_000..9_000_000_000_000), random.rand(1_000_000)).utc },
      "text" => ->(random) { Array.new(random.rand(20)) { [random.rand(1..0xD7FF)].pack("U") }.join }
    }.each do |type, generator|
      it "come back as they went: #{type}" do
        values = Array.new(200) { generator.call(random) }.reject { |value| value.is_a?(Float) && value.nan? }
        sql = "SELECT #{(1..values.size).map { |number| "$#{number}::#{type}" }.join(", ")}"
        expect(connection.execute(sql, values).fetch.to_a).to eq(values)
      end
    end
  end
end
