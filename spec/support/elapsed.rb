# frozen_string_literal: true

# Measures by the monotonic clock. Specs use it only to show that something returned long before
# what it interrupted could have ended by itself.
module Elapsed
  class << self
    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    # @yield what is measured; what it raises comes out
    # @return [Float] seconds
    def seconds
      start = now
      yield
      now - start
    end
  end
end
