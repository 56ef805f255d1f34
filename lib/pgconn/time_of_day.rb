# frozen_string_literal: true

module Pgconn
  # A value of PostgreSQL's `time` and, with an offset, of `timetz`: a time of day in microseconds
  # without a date. Frozen; can be shared between Ractors.
  #
  # @example
  #   opening = Pgconn::TimeOfDay.new(8, 30)
  #   conn.execute("UPDATE shops SET opening = $1", [opening])
  #   opening.on(Date.new(2024, 2, 29))   # => 2024-02-29 08:30:00 UTC
  # @see https://www.postgresql.org/docs/current/datatype-datetime.html
  #   PostgreSQL, "Date/Time Types"
  class TimeOfDay
    include Comparable
    include ValueObject

    MINUTE = 60_000_000
    HOUR = 60 * MINUTE
    DAY = 24 * HOUR

    # The server has offsets of less than 16 hours.
    OFFSETS = (-57_599..57_599)

    TEXT = /\A(?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d(?:\.\d+)?))?(?<offset>[-+].+)?\z/
    OFFSET_TEXT = /\A(?<sign>[-+])(?<hours>\d\d)(?::(?<minutes>[0-5]\d)(?::(?<seconds>[0-5]\d))?)?\z/

    private_constant :MINUTE, :HOUR, :DAY, :OFFSETS, :TEXT, :OFFSET_TEXT

    # @return [Integer, nil] seconds east of UTC; nil for a `time`
    attr_reader :offset

    # Reads what {#to_s} gives; the seconds may be left out.
    #
    # @param text [String] "13:14", "13:14:15.5", "13:14:15+02", "13:14:15-03:30"
    # @return [TimeOfDay]
    # @raise [ArgumentError] if it isn't a time of day
    def self.parse(text)
      match = TEXT.match(text) or raise ArgumentError, "not a time of day: #{text.inspect}"
      new(match[:hour].to_i, match[:minute].to_i, Rational(match[:second] || 0),
          offset: match[:offset] && parse_offset(match[:offset]))
    end

    # @param text [String] "+02", "-03:30", "+00:19:32"
    # @return [Integer]
    private_class_method def self.parse_offset(text)
      match = OFFSET_TEXT.match(text) or raise ArgumentError, "not an offset from UTC: #{text.inspect}"
      seconds = match[:hours].to_i * 3600 + match[:minutes].to_i * 60 + match[:seconds].to_i
      match[:sign] == "-" ? -seconds : seconds
    end

    # @param hour [Integer] 0 to 23; 24 for 24:00:00 alone
    # @param minute [Integer] 0 to 59
    # @param second [Integer, Float, Rational, BigDecimal] 0 to less than 60; what is finer than a
    #   microsecond is cut off
    # @param offset [Integer, nil] seconds east of UTC, for a `timetz`
    # @raise [TypeError] if one of them is something else
    # @raise [ArgumentError] if there is no such time of day
    def initialize(hour, minute = 0, second = 0, offset: nil)
      check("hour", hour, 0..24)
      check("minute", minute, 0..59)
      check("offset", offset, OFFSETS) unless offset.nil?
      microseconds = Microseconds.count(second, "second")
      raise ArgumentError, "second must be from 0 to below 60, not #{second}" unless (0...60).cover?(second)

      self.fields = [hour * HOUR + minute * MINUTE + microseconds, offset]
      raise ArgumentError, "a day ends at 24:00:00, not at #{self}" if @microseconds > DAY

      freeze
    end

    # @return [Integer] 0 to 24
    def hour = @microseconds / HOUR

    # @return [Integer] 0 to 59
    def minute = @microseconds / MINUTE % 60

    # @return [Integer] 0 to 59
    def second = @microseconds / 1_000_000 % 60

    # @return [Integer] those that are left beside the full seconds, 0 to 999,999
    def microsecond = @microseconds % 1_000_000
    alias usec microsecond

    # @return [Integer] 0 to 86,400,000,000
    def microseconds_since_midnight = @microseconds

    # @param date [Date]
    # @return [Time] at this time of that day (24:00 is the next one's beginning); in UTC where there
    #   is no offset, as the server's timestamps are read
    def on(date)
      day = date.new_start(::Date::GREGORIAN)
      ::Time.new(day.year, day.month, day.day, 0, 0, 0, offset || "UTC") + Rational(@microseconds, 1_000_000)
    end

    # PostgreSQL's order: of two with an offset the earlier instant is first; of two at the same
    # instant, the one in the more eastern zone.
    #
    # @param other [Object]
    # @return [Integer, nil] nil where only one has an offset, and for anything but a TimeOfDay
    def <=>(other)
      return unless other.is_a?(TimeOfDay) && offset.nil? == other.offset.nil?

      rank <=> other.rank
    end

    # @return [String] as PostgreSQL writes it: "13:14:15", "13:14:15.5+02", "13:14:15-03:30"
    def to_s
      seconds = Microseconds.as_seconds(@microseconds % MINUTE, digits: 2)
      "#{digits(hour)}:#{digits(minute)}:#{seconds}#{offset_text if offset}"
    end

    # For `in [hour, minute, *]`.
    # @return [Array(Integer, Integer, Integer, Integer, (Integer, nil))]
    def deconstruct = [hour, minute, second, microsecond, offset]

    # For `in {hour:, minute:}`.
    # @param _names [Array<Symbol>, nil] the keys that the pattern asks for
    # @return [Hash{Symbol => Integer, nil}]
    def deconstruct_keys(_names) = { hour:, minute:, second:, microsecond:, offset: }

    protected

    def fields = [@microseconds, @offset]

    # What is compared.
    def rank = offset ? [@microseconds - offset * 1_000_000, -offset] : [@microseconds]

    private

    def fields=(values)
      @microseconds, @offset = values
    end

    def check(name, number, range)
      raise TypeError, "#{name} must be an Integer, not #{number.class}" unless number.is_a?(Integer)
      return if range.cover?(number)

      raise ArgumentError, "#{name} must be from #{range.min} to #{range.max}, not #{number}"
    end

    # As hours, with minutes and seconds only where there are some.
    def offset_text
      minutes, seconds = offset.abs.divmod(60)
      parts = [*minutes.divmod(60), seconds]
      parts.pop while parts.size > 1 && parts.last.zero?
      (offset.negative? ? "-" : "+") + parts.map { |part| digits(part) }.join(":")
    end

    def digits(number) = number.to_s.rjust(2, "0")
  end
end
