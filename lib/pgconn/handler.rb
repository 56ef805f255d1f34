# frozen_string_literal: true

module Pgconn
  # A block that is called for each of something, such as notices, until it is removed: what
  # {Connection#on_notice} and {Connection#on_notify} give.
  #
  # Handlers are called in the thread whose command brought the message, when its result is there (and
  # ahead of its exception, if it failed). What they raise comes out of that command, which is done all
  # the same, unless it failed: then its own error does, and a StandardError of the handler's is dropped. The
  # messages that are left are delivered with the next command. Handlers may use the connection: messages
  # that this brings wait for the next command, too.
  #
  # One thread at a time calls handlers, in the order in which the messages came; what other threads'
  # commands bring meanwhile it delivers for them. An interrupted command delivers nothing: the next one
  # does, and also what {Connection#alive?} and the driver's own questions have brought.
  class Handler
    # @param block [Proc] what is called
    # @yieldparam handler [Handler] the block given takes this one out of where it was added, once
    # @api private
    def initialize(block, &remover)
      @block = block
      @remover = remover
    end

    # Calls the block, unless the handler was removed meanwhile.
    # @param message [Object]
    # @return [Object] what the block gives
    # @api private
    def call(message)
      @block.call(message) if @remover
    end

    # From now on the block isn't called any more, not even for what has already come: notifications that no
    # other handler gets are in {Connection#notifies} then. Doing it again does nothing.
    # @return [nil]
    def remove
      remover = @remover
      @remover = nil
      remover&.call(self)
      nil
    end

    # @return [Boolean] whether {#remove} was called
    def removed? = @remover.nil?

    # @return [String]
    def inspect = "#<#{self.class}#{" removed" if removed?} #{@block.source_location&.join(":")}>"
  end
end
