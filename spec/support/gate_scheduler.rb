# frozen_string_literal: true

require_relative "elapsed"
require_relative "gate"

# A small Fiber scheduler whose loop is also the network: bytes to and from the server move only while the
# loop turns. A wait that goes past the scheduler so waits in vain, and {.run} fails.
#
# As the simplest of schedulers do, it lets one fiber only wait for a descriptor; a second one is an error.
class GateScheduler
  # Seconds that the loop may stand still.
  BOUND = ENV.key?("PGCONN_VALGRIND") ? 60 : 5

  # What one fiber waits for: an IO with events, or to be unblocked; until then.
  Waiting = Struct.new(:fiber, :io, :events, :deadline)

  # Runs the block in a fiber of a thread of its own with such a scheduler, to the end of all its fibers.
  # @yieldparam scheduler [GateScheduler]
  # @return what the block gives
  def self.run(host, port, &block)
    scheduler = new(host, port)
    thread = Thread.new { scheduler.serve(&block) }
    until thread.join(0.05)
      next if scheduler.turns?

      thread.kill
      raise "the thread was blocked for #{BOUND} seconds, past its scheduler"
    end
    thread.value
  end

  # How often a fiber has waited for a descriptor.
  attr_reader :io_waits

  def initialize(host, port)
    @gate = Gate.new(host, port)
    @waiting = []
    @unblocked = Queue.new
    @bell, @ringer = IO.pipe
    @io_waits = 0
    @turned = Elapsed.now
  end

  # Where connections find their server.
  def port = @gate.port

  def turns? = Elapsed.now - @turned < BOUND

  def serve
    Thread.current.report_on_exception = false
    Fiber.set_scheduler(self)
    result = error = nil
    Fiber.schedule do
      result = yield self
    rescue Exception => e # rubocop:disable Lint/RescueException
      error = e
    end
    Fiber.set_scheduler(nil) # runs the loop
    error ? raise(error) : result
  end

  # The hooks that Ruby calls.

  def fiber(&block)
    Fiber.new(blocking: false, &block).tap(&:resume)
  end

  def io_wait(io, events, timeout)
    raise "two fibers wait for one descriptor" if @waiting.any? { |other| other.io&.fileno == io.fileno }

    @io_waits += 1
    wait(Waiting.new(Fiber.current, io, events, deadline_after(timeout)))
  end

  def block(_blocker, timeout = nil)
    wait(Waiting.new(Fiber.current, nil, 0, deadline_after(timeout)))
  end

  def unblock(_blocker, fiber)
    @unblocked << fiber
    @ringer.write_nonblock("!")
  end

  def kernel_sleep(seconds = nil)
    block(nil, seconds)
  end

  def close
    turn until @waiting.empty? && @unblocked.empty?
  ensure
    @gate.close
    [@bell, @ringer].each(&:close)
  end

  private

  def deadline_after(seconds) = seconds && (Elapsed.now + seconds)

  def wait(waiting)
    @waiting << waiting
    Fiber.yield
  ensure
    @waiting.delete(waiting)
  end

  def turn
    @turned = Elapsed.now
    readable, writable = select
    @bell.read_nonblock(1024) if readable.include?(@bell)
    @gate.move(readable, writable)
    ready(readable, writable).each { |waiting, events| resume(waiting, events) }
    @unblocked.size.times { @unblocked.pop.then { |fiber| resume(waiting_of(fiber), true) } }
  end

  # Not for long, so that the loop is seen to turn.
  def select
    soonest = @waiting.filter_map(&:deadline).min
    timeout = (soonest ? soonest - Elapsed.now : 0.1).clamp(0, 0.1)
    readers, writers = [IO::READABLE, IO::WRITABLE].map { |event| ios(event) }
    IO.select([@bell, *@gate.readers, *readers], [*@gate.writers, *writers], nil, timeout) || [[], []]
  end

  def ios(event) = @waiting.select { |waiting| waiting.events.anybits?(event) }.map(&:io)

  def ready(readable, writable)
    now = Elapsed.now
    @waiting.filter_map do |waiting|
      events = waiting.events
      events &= ~IO::READABLE unless readable.include?(waiting.io)
      events &= ~IO::WRITABLE unless writable.include?(waiting.io)
      next [waiting, events] if events.positive?

      [waiting, false] if waiting.deadline && waiting.deadline <= now
    end
  end

  def waiting_of(fiber) = @waiting.find { |waiting| waiting.fiber == fiber }

  # It may have been stopped meanwhile.
  def resume(waiting, value)
    waiting.fiber.resume(value) if @waiting.include?(waiting)
  end
end
