# frozen_string_literal: true

module Pgconn
  # A value of PostgreSQL's `interval`: months, days and microseconds, which are kept apart, each
  # with a sign of its own, since months and days vary in length. Frozen; can be shared between
  # Ractors.
  #
  # @example
  #   interval = conn.execute("SELECT interval '1 year 2 months -3 days 04:05:06'").fetch_value
  #   interval.months    # => 14
  #   interval.to_s      # => "P1Y2M-3DT4H5M6S"
  #   interval == Pgconn::Interval.new(years: 1, months: 2, days: -3, hours: 4, minutes: 5, seconds: 6)
  # @see https://www.postgresql.org/docs/current/datatype-datetime.html
  #   PostgreSQL, "Interval Input", "Interval Output"
  class Interval
    include Comparable
    include ValueObject

    # What the server holds them in.
    BITS = { months: 32, days: 32, microseconds: 64 }.freeze

    # PostgreSQL 17 and later mean infinity by the largest of all three, and -infinity by the
    # smallest.
    LARGEST = BITS.values.map { |bits| 2**(bits - 1) - 1 }.freeze
    SMALLEST = BITS.values.map { |bits| -2**(bits - 1) }.freeze

    MINUTE = 60_000_000
    HOUR = 60 * MINUTE
    DAY = 24 * HOUR

    UNITS = %i[years months weeks days hours minutes].freeze

    TEXT = /\A(?<sign>-)?P(?=.)
              (?:(?<years>-?\d+)Y)?(?:(?<months>-?\d+)M)?(?:(?<weeks>-?\d+)W)?(?:(?<days>-?\d+)D)?
              (?:T(?=.)
                (?:(?<hours>-?\d+)H)?(?:(?<minutes>-?\d+)M)?(?:(?<seconds>-?\d+(?:\.\d+)?)S)?
              )?\z/x

    private_constant :BITS, :LARGEST, :SMALLEST, :MINUTE, :HOUR, :DAY, :UNITS, :TEXT

    # @return [Integer] the months, those of years included
    attr_reader :months

    # @return [Integer] the days, those of weeks included
    attr_reader :days

    # @return [Integer] the microseconds of hours, minutes and seconds
    attr_reader :microseconds

    # Infinity, which PostgreSQL has from version 17 on; `-Pgconn::Interval.infinity` is the other one.
    # @return [Interval]
    def self.infinity = INFINITY

    # Reads ISO 8601's form, as {#iso8601} and ActiveSupport::Duration write it.
    #
    # @param text [String] "P1Y2M3DT4H5M6.789S", "PT0S", "P2W"; each number may have its own sign, a
    #   sign in front turns them all; "infinity" and "-infinity"
    # @return [Interval]
    # @raise [ArgumentError] if it isn't that
    def self.parse(text)
      return INFINITY if text == "infinity"
      return -INFINITY if text == "-infinity"

      match = TEXT.match(text) or raise ArgumentError, "not an interval in ISO 8601: #{text.inspect}"
      whole = UNITS.to_h { |unit| [unit, match[unit].to_i] }
      interval = new(**whole, seconds: Rational(match[:seconds] || 0))
      match[:sign] ? -interval : interval
    end

    # @param years [Integer]
    # @param months [Integer]
    # @param weeks [Integer]
    # @param days [Integer]
    # @param hours [Integer, Float, Rational, BigDecimal]
    # @param minutes [Integer, Float, Rational, BigDecimal]
    # @param seconds [Integer, Float, Rational, BigDecimal] what is finer than a microsecond is cut
    #   off, in all three
    # @param microseconds [Integer]
    # @raise [TypeError] if one of them is something else
    # @raise [ArgumentError] if it is more than PostgreSQL's interval can hold
    def initialize(years: 0, months: 0, weeks: 0, days: 0, hours: 0, minutes: 0, seconds: 0, microseconds: 0)
      check_integers(years: years, months: months, weeks: weeks, days: days, microseconds: microseconds)
      self.fields = [
        years * 12 + months, weeks * 7 + days,
        Microseconds.count(hours, "hours", HOUR) + Microseconds.count(minutes, "minutes", MINUTE) +
          Microseconds.count(seconds, "seconds") + microseconds
      ]
      check_limits
      freeze
    end

    # @return [Integer, nil] 1 for infinity, -1 for -infinity, else nil; as Float#infinite?
    def infinite?
      case fields
      when LARGEST then 1
      when SMALLEST then -1
      end
    end

    # PostgreSQL's order, to which a month has 30 days and a day 24 hours. Where that makes two
    # intervals the same, their months and then their days decide, so that only equal ones are 0.
    #
    # @param other [Object]
    # @return [Integer, nil] nil for anything but an Interval
    def <=>(other)
      rank <=> other.rank if other.is_a?(Interval)
    end

    # @return [Interval] with all signs turned
    # @raise [ArgumentError] if PostgreSQL's interval can't hold that
    def -@
      case infinite?
      when 1 then of(SMALLEST)
      when -1 then INFINITY
      else of(fields.map(&:-@))
      end
    end

    # @param other [Interval]
    # @return [Interval] the sums of months, days and microseconds
    # @raise [TypeError] for anything else
    # @raise [ArgumentError] if PostgreSQL's interval can't hold that; if one is infinite
    def +(other) = combine(other, :+)

    # @param other [Interval]
    # @return [Interval] the differences of months, days and microseconds
    # @raise [TypeError] for anything else
    # @raise [ArgumentError] if PostgreSQL's interval can't hold that; if one is infinite
    def -(other) = combine(other, :-)

    # @param other [Integer]
    # @return [Interval] that many times as long
    # @raise [TypeError] for anything else
    # @raise [ArgumentError] if PostgreSQL's interval can't hold that; if it is infinite
    def *(other)
      raise TypeError, "an Integer is needed, not #{other.class}" unless other.is_a?(Integer)

      of(finite_fields.map { |field| field * other })
    end

    # ISO 8601's form with a sign for each number, which PostgreSQL reads whatever its IntervalStyle
    # is; "infinity" and "-infinity" have no such form.
    #
    # @return [String] "P1Y2M-3DT4H-5M-6.789S"; "PT0S" where all is zero
    def iso8601
      return infinite?.positive? ? "infinity" : "-infinity" if infinite?

      date = written([*split(months, 12), days], %w[Y M D])
      time = written(clock, %w[H M]) + seconds_text
      return "PT0S" if date.empty? && time.empty?

      "P#{date}#{"T" unless time.empty?}#{time}"
    end
    alias to_s iso8601

    # For `in [months, days, microseconds]`.
    # @return [Array(Integer, Integer, Integer)]
    def deconstruct = fields

    # For `in {months:, days:, microseconds:}`.
    # @param _names [Array<Symbol>, nil] the keys that the pattern asks for
    # @return [Hash{Symbol => Integer}]
    def deconstruct_keys(_names) = { months: months, days: days, microseconds: microseconds }

    protected

    def fields = [@months, @days, @microseconds]

    # What is compared.
    def rank = [(months * 30 + days) * DAY + microseconds, *fields]

    def finite_fields
      infinite? ? raise(ArgumentError, "an infinite Interval can't be counted with") : fields
    end

    private

    def fields=(values)
      @months, @days, @microseconds = values
    end

    def of(values) = Interval.new(months: values[0], days: values[1], microseconds: values[2])

    def combine(other, operator)
      raise TypeError, "an Interval is needed, not #{other.class}" unless other.is_a?(Interval)

      of(finite_fields.zip(other.finite_fields).map { |pair| pair.reduce(operator) })
    end

    def check_integers(numbers)
      numbers.each do |name, number|
        raise TypeError, "#{name} must be an Integer, not #{number.class}" unless number.is_a?(Integer)
      end
    end

    def check_limits
      BITS.zip(fields) do |(name, bits), number|
        next if number.bit_length < bits

        raise ArgumentError, "an Interval's #{name} must fit into #{bits} bits, unlike #{number}"
      end
    end

    # Into full units and a rest, both with the number's sign.
    def split(number, unit)
      rest = number.remainder(unit)
      [(number - rest) / unit, rest]
    end

    def clock
      hours, rest = split(microseconds, HOUR)
      [hours, split(rest, MINUTE).first]
    end

    def written(numbers, units)
      numbers.zip(units).reject { |number, _| number.zero? }.join
    end

    def seconds_text
      rest = microseconds.remainder(MINUTE)
      rest.zero? ? "" : "#{Microseconds.as_seconds(rest)}S"
    end

    INFINITY = new(months: LARGEST[0], days: LARGEST[1], microseconds: LARGEST[2])
    private_constant :INFINITY
  end
end
