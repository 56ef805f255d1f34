# frozen_string_literal: true

module Pgconn
  # Between Ruby's numbers of seconds and PostgreSQL's microseconds.
  # @api private
  module Microseconds
    # A Float counts as the decimal that it is printed as: 2.3 is a little less than that in binary.
    #
    # @param number [Integer, Float, Rational, BigDecimal]
    # @param name [String, Symbol] what it is, for messages
    # @param unit [Integer] the microseconds in one of what it counts
    # @return [Integer] what is finer than a microsecond is cut off
    # @raise [TypeError, ArgumentError] unless it is a finite number
    def self.count(number, name, unit = 1_000_000)
      case number
      when Integer then number * unit
      when Float, Rational, BigDecimal
        raise ArgumentError, "#{name} must be finite, not #{number}" unless number.finite?

        (number.is_a?(Float) ? Rational(number.to_s) : number.to_r).*(unit).truncate
      else
        raise TypeError, "#{name} must be an Integer, Float, Rational or BigDecimal, not #{number.class}"
      end
    end

    # @param microseconds [Integer]
    # @param digits [Integer] as many at least before the point
    # @return [String] the seconds as a decimal without idle zeros: "-6.789", "05"
    def self.as_seconds(microseconds, digits: 1)
      whole, fraction = microseconds.abs.divmod(1_000_000)
      text = "#{whole.to_s.rjust(digits, "0")}.#{fraction.to_s.rjust(6, "0")}".sub(/\.?0+\z/, "")
      microseconds.negative? ? "-#{text}" : text
    end
  end
  private_constant :Microseconds
end
