# frozen_string_literal: true

module Pgconn
  # One wait that isn't the thread's. The extension makes the steps, and decides who waits in which way; these
  # are the loops between the steps.
  # @api private
  class Wait
    # Under a Fiber scheduler: other fibers run meanwhile.
    # @return [void]
    # @raise what ends the wait: whatever stops or interrupts the fiber
    def run
      until (events = poll).zero?
        io.wait(events, timeout)
      end
    end

    # In an operation of an async connection: who polls that is told what to wait for.
    # @return [void]
    def yield_to_poll
      until (events = poll).zero?
        Fiber.yield(events, io)
      end
    end
  end
  private_constant :Wait
end
