# frozen_string_literal: true

require_relative "elapsed"

# Threads, and fibers of several schedulers, that do something again and again. Every now and then one of them
# is killed, or stopped, at whatever it does, and another takes its place.
class Crowd
  # Schedulers that the fibers are shared out to, each with its own thread.
  LOOPS = 4

  # Seconds that everybody has to come back at the end.
  BOUND = 60

  # @param between_kills [Numeric] seconds from one to the next, in each loop and among the threads
  # @yieldparam random [Random] the caller's own
  # @yieldparam number [Integer] which no other caller has or had
  def initialize(seed, threads:, fibers:, between_kills:, &act)
    @seed = seed
    @sizes = { threads: threads, fibers: fibers }
    @between_kills = between_kills
    @act = act
    @number = 0
    @lock = Thread::Mutex.new
    @failures = []
  end

  # @return [Array<Exception>] what shouldn't have come out of the callers
  def run(seconds)
    require "async" unless @sizes[:fibers].zero? # what is loaded is looked at by each GC.stress
    @deadline = Elapsed.now + seconds
    loops = @sizes[:fibers].zero? ? 0 : LOOPS
    started = Array.new(loops) { |number| start_loop(number) } << Thread.new { keep_threads }
    started.each { |thread| thread.join(seconds + BOUND) || failed("callers never came back") }
    @failures
  end

  private

  def over? = Elapsed.now >= @deadline

  def failed(error)
    error = RuntimeError.new(error) if error.is_a?(String)
    @lock.synchronize { @failures << error }
  end

  # What one caller does, until its end or the crowd's.
  def live(number)
    random = Random.new((@seed * 100_000) + number)
    @act.call(random, number) until over?
  rescue StandardError => e
    failed(e)
  end

  def next_number = @lock.synchronize { @number += 1 }

  def keep_threads
    start = -> { next_number.then { |number| Thread.new { live(number) } } }
    threads = Array.new(@sizes[:threads]) { start.call }
    gone = keep(threads, start, :kill)
    (threads + gone).each { |thread| thread.join(BOUND) || failed("a thread never came back") }
  end

  def start_loop(number)
    count = (@sizes[:fibers] + number) / LOOPS # of all loops together, just so many
    Thread.new { Sync { |task| keep_fibers(task, count) } }
  end

  def keep_fibers(parent, count)
    start = -> { next_number.then { |number| parent.async { live(number) } } }
    tasks = Array.new(count) { start.call }
    gone = keep(tasks, start, :stop)
    (tasks + gone).each(&:wait)
  end

  # @return [Array] those whose end wasn't theirs to choose
  def keep(callers, start, ending)
    random = Random.new(@seed)
    gone = []
    while Elapsed.now < @deadline - 1 && callers.any?
      sleep @between_kills
      at = random.rand(callers.size)
      gone << callers[at].tap(&ending)
      callers[at] = start.call
    end
    gone
  end
end
