# frozen_string_literal: true

require "rbconfig"

# Gathers what Ruby warns about during the run. A warning whose place is in this project (or that
# names no place at all) makes the run fail at its end; those of installed gems are none of ours.
module WarningCollector
  OTHERS = [*Gem.path, RbConfig::CONFIG["rubylibdir"], RbConfig::CONFIG["vendordir"]].freeze

  # Goes in front of Ruby's own Warning.warn.
  module Hook
    def warn(message, **options)
      WarningCollector.add(message)
      super
    end
  end

  @messages = []

  class << self
    def install
      $VERBOSE = true
      Warning[:deprecated] = true
      Warning.extend(Hook)
    end

    def add(message)
      @messages << message unless message.start_with?(*OTHERS)
    end

    # @raise [RuntimeError] which makes RSpec fail the run, when there was any warning
    def verify
      return if @messages.empty?

      raise "#{@messages.size} warnings during the run:\n#{@messages.uniq.join}"
    end
  end
end
