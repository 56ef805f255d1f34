# frozen_string_literal: true

module Pgconn
  # A value of PostgreSQL's range types. Unlike Ruby's Range it can exclude its lower bound, and be
  # empty. Frozen; can be shared between Ractors when its bounds can.
  #
  # @example
  #   range = conn.execute("SELECT int4range(1, 5)").fetch_value
  #   range.to_s         # => "[1,5)"
  #   range.cover?(5)    # => false
  #   range.to_range     # => 1...5
  # @see https://www.postgresql.org/docs/current/rangetypes.html PostgreSQL, "Range Types"
  class Range
    include ValueObject

    BOUNDS = ["[)", "[]", "()", "(]"].freeze
    private_constant :BOUNDS

    # @return [Object, nil] nil where it has no lower bound, and where it is empty
    attr_reader :lower

    # @return [Object, nil] nil where it has no upper bound, and where it is empty
    attr_reader :upper

    # @return [String] "[)", "[]", "()" or "(]"; a square bracket includes the bound, and where there
    #   is none it is round
    attr_reader :bounds

    # @return [Range] the one that nothing is in
    def self.empty = EMPTY

    # @param range [::Range] Ruby's
    # @return [Range]
    # @raise [TypeError] for anything else
    def self.from_range(range)
      raise TypeError, "Ruby's Range is needed, not #{range.class}" unless range.is_a?(::Range)

      new(range.begin, range.end, range.exclude_end? ? "[)" : "[]")
    end

    # @param lower [Object, nil] nil: without a lower bound
    # @param upper [Object, nil] nil: without an upper bound
    # @param bounds [String] "[)", "[]", "()" or "(]". Where the two are equal and not both of them
    #   included, the range is empty
    # @raise [ArgumentError] for other bounds
    def initialize(lower, upper, bounds = "[)")
      unless BOUNDS.include?(bounds)
        raise ArgumentError, "bounds must be one of #{BOUNDS.join(" ")}, not #{bounds.inspect}"
      end

      empty = !lower.nil? && lower == upper && bounds != "[]"
      lower = upper = nil if empty
      self.fields = [lower, upper, "#{lower.nil? ? "(" : bounds[0]}#{upper.nil? ? ")" : bounds[1]}", empty]
      freeze
    end

    # @return [Boolean]
    def empty? = @empty

    # @return [Boolean] false where there is no lower bound
    def lower_inclusive? = bounds.start_with?("[")

    # @return [Boolean] false where there is no upper bound
    def upper_inclusive? = bounds.end_with?("]")

    # @param value [Object]
    # @return [Boolean] whether it lies within; false for what can't be compared with the bounds
    def cover?(value)
      return false if empty? || value.nil?

      before?(lower, value, lower_inclusive?) && before?(value, upper, upper_inclusive?)
    end
    alias include? cover?
    alias === cover?

    # @return [::Range] Ruby's
    # @raise [RangeError] where Ruby has none: it is empty, excludes its lower bound, or has bounds
    #   that Ruby can't compare
    def to_range
      raise RangeError, "Ruby's Range can't be empty" if empty?
      raise RangeError, "Ruby's Range can't exclude its lower bound" unless lower.nil? || lower_inclusive?

      ::Range.new(lower, upper, !upper.nil? && !upper_inclusive?)
    rescue ArgumentError
      raise RangeError, "Ruby's Range can't be from #{lower.inspect} to #{upper.inspect}"
    end

    # @return [String] as PostgreSQL reads it: "[1,5)", "empty"
    # @raise [DataError] if a bound can't be a parameter
    def to_s = written { |bound| bound.nil? ? "" : quoted(bound) }

    # @return [String]
    def inspect
      "#<#{self.class} #{written { |bound| bound.nil? ? "" : bound.inspect }}>"
    end

    # For `in [lower, upper, *]`.
    # @return [Array(Object, Object, String)]
    def deconstruct = [lower, upper, bounds]

    # For `in {lower:, upper:}`.
    # @param _names [Array<Symbol>, nil] the keys that the pattern asks for
    # @return [Hash{Symbol => Object}]
    def deconstruct_keys(_names) = { lower: lower, upper: upper, bounds: bounds, empty: empty? }

    protected

    def fields = [@lower, @upper, @bounds, @empty]

    private

    def fields=(values)
      @lower, @upper, @bounds, @empty = values
      @bounds.freeze
    end

    def written
      empty? ? "empty" : "#{bounds[0]}#{yield(lower)},#{yield(upper)}#{bounds[1]}"
    end

    # Whether one is ahead of the other; a bound that isn't there is.
    def before?(one, other, inclusive)
      return true if one.nil? || other.nil?

      order = (one <=> other) || infinity_order(one, other)
      !order.nil? && (inclusive ? order <= 0 : order.negative?)
    end

    # Infinite timestamps are Floats, which a Time can't be compared with.
    def infinity_order(one, other)
      if one.is_a?(Float) && other.is_a?(::Time) then one.infinite?
      elsif one.is_a?(::Time) && other.is_a?(Float) then other.infinite?&.-@
      end
    end

    # As in PostgreSQL's range_out; the form of a value is that which it has as a parameter.
    def quoted(bound)
      text = Params.encode([bound], "UTF-8").first.last.force_encoding(Encoding::UTF_8)
      return text unless text.empty? || text.match?(/[\s"\\()\[\],]/)

      %("#{text.gsub(/["\\]/) { |special| special * 2 }}")
    end

    EMPTY = new(0, 0)
    private_constant :EMPTY
  end
end
