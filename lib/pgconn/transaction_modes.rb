# frozen_string_literal: true

module Pgconn
  # Reads what users give for the modes of transactions. nil leaves a mode as it is, `:default` leaves it to
  # the server.
  # @api private
  module TransactionModes
    # The names of the levels, as PostgreSQL writes them.
    LEVELS = {
      "read committed" => ISOLATION_LEVEL_READ_COMMITTED,
      "repeatable read" => ISOLATION_LEVEL_REPEATABLE_READ,
      "serializable" => ISOLATION_LEVEL_SERIALIZABLE,
      "read uncommitted" => ISOLATION_LEVEL_READ_UNCOMMITTED
    }.freeze

    # The level that isn't one of the server's.
    AUTOCOMMIT = { "autocommit" => ISOLATION_LEVEL_AUTOCOMMIT }.freeze

    class << self
      # @param value [Integer, String, Symbol, nil] a constant or its name, in any case
      # @return [Integer, Symbol, nil] 1 to 4, :default or nil
      # @raise [ArgumentError] for anything else
      def isolation(value, levels = LEVELS)
        case value
        when nil then return
        when Integer then return value if levels.value?(value)
        when String, Symbol
          name = value.to_s.downcase.tr("_", " ")
          return :default if name == "default"
          return levels[name] if levels.key?(name)
        end
        raise ArgumentError, "isolation must be #{accepted(levels)}, not #{value.inspect}"
      end

      # The same, with autocommit as the level 0.
      def isolation_or_autocommit(value)
        isolation(value, LEVELS.merge(AUTOCOMMIT))
      end

      # @param name [String] of the mode
      # @return [Boolean, Symbol, nil] true, false, :default or nil
      # @raise [ArgumentError] for anything else
      def switch(value, name)
        case value
        when nil, true, false, :default then value
        when /\Adefault\z/i then :default
        else raise ArgumentError, "#{name} must be true, false, :default or nil, not #{value.inspect}"
        end
      end

      # @param name [String] of what is switched on or off
      # @return [Boolean] false for nil
      # @raise [ArgumentError] for anything else, so that "off" isn't taken for true
      def boolean(value, name)
        return value || false if [true, false, nil].include?(value)

        raise ArgumentError, "#{name} must be true, false or nil, not #{value.inspect}"
      end

      private

      def accepted(levels)
        names = levels.keys.map { |name| name.tr(" ", "_").to_sym.inspect }
        constants = levels.values.minmax.join(" to ")
        "#{names.join(", ")}, :default, or one of Pgconn's ISOLATION_LEVEL constants (#{constants})"
      end
    end
  end
  private_constant :TransactionModes
end
