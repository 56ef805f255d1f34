# frozen_string_literal: true

# Another thread of the program, which computes while a driver is timed.
class Neighbour
  # @return [Array] what the block gave, and how many additions a second were made beside it
  def self.beside
    neighbour = new
    [yield, neighbour.stop]
  ensure
    neighbour.stop
  end

  def initialize
    @thread = Thread.new { compute }
  end

  # @return [Float] additions a second
  def stop
    @stopped = true
    @thread.value
  end

  private

  def compute
    started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    i = 0
    i += 1 until @stopped
    i / (Process.clock_gettime(Process::CLOCK_MONOTONIC) - started)
  end
end
