# frozen_string_literal: true

# A query whose calls are timed one by one.
class Stopwatch
  def initialize(query)
    @query = query
    @seconds = []
  end

  def call(parameters)
    started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    rows = @query.call(parameters)
    @seconds << (Process.clock_gettime(Process::CLOCK_MONOTONIC) - started)
    rows
  end

  # @return [Float] seconds, of the calls since it was last asked
  def median
    sorted = @seconds.sort
    @seconds.clear
    sorted[sorted.size / 2]
  end
end
