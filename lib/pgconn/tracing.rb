# frozen_string_literal: true

module Pgconn
  # Tells tracers; called by the C code.
  # @api private
  module Tracing
    # Of the fiber: whether a tracer is being told something there.
    KEY = :pgconn_tracing

    # What a tracer executes is told to none, else it would never end.
    def self.tell(tracer, **fields)
      return if Thread.current[KEY]

      Thread.current[KEY] = true
      begin
        tracer.call(TraceEvent.new(**fields))
      rescue StandardError
        raise unless fields[:error] # which is about to come out
      ensure
        Thread.current[KEY] = nil
      end
    end
  end
  private_constant :Tracing
end
