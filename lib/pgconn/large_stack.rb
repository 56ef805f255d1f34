# frozen_string_literal: true

module Pgconn
  # Calls a method where there is more stack than a Fiber has.
  #
  # The json library may call itself for each level of what is nested. A thousand levels take more than half a
  # megabyte, which is all that a Fiber gets, but not a Thread.
  # @api private
  module LargeStack
    # @return [Object] what the method gives
    # @raise [Exception] what the method raises
    def self.call(receiver, method, *arguments)
      thread = Thread.new do
        Thread.current.report_on_exception = false
        receiver.public_send(method, *arguments)
      end
      thread.value
    ensure
      thread&.kill # where an interrupt has ended the wait, nobody wants the value anymore
    end
  end
  private_constant :LargeStack
end
