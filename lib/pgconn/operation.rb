# frozen_string_literal: true

module Pgconn
  # What an async connection has under way, connecting or one execute: a fiber that runs until something has
  # to be waited for, and goes on with each poll.
  # @api private
  class Operation
    # @return [IO, nil] what has to be waited for
    attr_reader :io

    # @param connection [Connection]
    # @yield what is to be done; it may wait for the connection
    def initialize(connection)
      @thread = Thread.current
      @fiber = Fiber.new(blocking: true) do
        connection.__send__(:enter_operation)
        yield
        POLL_OK
      end
    end

    # Goes on as far as it can.
    # @return [Integer] the events to wait for on {#io}; POLL_OK: it is done
    # @raise what ends it
    # @raise [ProgrammingError] in another thread than the one that began it, and in the operation itself
    def poll
      raise ProgrammingError, "what a thread has begun is polled in that thread" if Thread.current != @thread
      raise ProgrammingError, "poll can't be called by what poll calls" if Fiber.current == @fiber

      events, @io = @fiber.resume
      events
    end

    # @return [Boolean]
    def done? = !@fiber.alive?

    # Ends it, unless it is another thread's, who will see that the connection is closed.
    # @return [void]
    def abandon
      return if done? || Thread.current != @thread || Fiber.current == @fiber

      @fiber.raise(InterfaceError, "connection closed while its answer was awaited")
    rescue InterfaceError
      nil
    end
  end
  private_constant :Operation
end
