# frozen_string_literal: true

module Pgconn
  # One wait of a fiber under a Fiber scheduler. The extension makes the steps, and decides who waits so;
  # this is the loop between them, in which other fibers run.
  # @api private
  class Wait
    # @return [void]
    # @raise what ends the wait: whatever stops or interrupts the fiber
    def run
      io.wait(IO::READABLE, timeout) until poll
    end
  end
  private_constant :Wait
end
