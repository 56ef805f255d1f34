# frozen_string_literal: true

module Pgconn
  # What a tracer is told of one command. The values of parameters aren't in it; what the SQL has in
  # literals, and what the server's error quotes, is.
  # @see Connection#tracer=
  class TraceEvent
    # @return [Connection] that executed it
    attr_reader :connection

    # @return [String] the SQL as the user wrote it
    attr_reader :sql

    # @return [Integer, nil] the rows selected or affected; nil after an error and for commands that don't say
    attr_reader :rows

    # @return [Float] when it began, in seconds of Process::CLOCK_MONOTONIC
    attr_reader :started

    # @return [Float] how long it took, with all waiting, in seconds
    attr_reader :seconds

    # @return [Exception, nil] what it raised
    attr_reader :error

    # @api private
    def initialize(connection:, sql:, rows:, started:, seconds:, error:)
      @connection = connection
      @sql = sql
      @rows = rows
      @started = started
      @seconds = seconds
      @error = error
      freeze
    end

    # @return [String]
    def inspect
      outcome = error ? error.class : rows && "#{rows} rows"
      "#<#{self.class} #{sql.inspect} #{[outcome, format("%.6f s", seconds)].compact.join(", ")}>"
    end
  end
end
