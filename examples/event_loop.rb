# frozen_string_literal: true

# A wait callback for an event loop of one's own: fibers that wait for connections let each other run.
#
#   ruby examples/event_loop.rb postgresql://localhost/shop

require "pgconn"

# Fibers, and what each of them waits for.
class EventLoop
  def initialize
    @ready = []
    @waiting = {}
  end

  # Adds a fiber.
  def start(&block)
    @ready << Fiber.new(&block)
  end

  # The wait callback: leaves the fiber until there is something for the next poll.
  def wait_for(connection)
    until (events = connection.poll) == Pgconn::POLL_OK
      @waiting[Fiber.current] = [connection.to_io, events]
      Fiber.yield
    end
  end

  # Runs until all fibers have ended.
  def run
    until @ready.empty? && @waiting.empty?
      @ready.shift(@ready.size).each(&:resume)
      select unless @waiting.empty?
    end
  end

  private

  def select
    readers, writers = [Pgconn::POLL_READ, Pgconn::POLL_WRITE].map do |event|
      @waiting.values.filter_map { |io, events| io if events.anybits?(event) }
    end
    timeout = @ready.empty? ? nil : 0
    found = IO.select(readers, writers, nil, timeout).to_a.flatten
    @waiting.select { |_, (io, _)| found.include?(io) }.each_key do |fiber|
      @waiting.delete(fiber)
      @ready << fiber
    end
  end
end

if $PROGRAM_NAME == __FILE__
  loop = EventLoop.new
  Pgconn.wait_callback = loop.method(:wait_for)
  3.times do |number|
    loop.start do
      Pgconn.connect(ARGV.first) do |conn|
        puts conn.execute("SELECT $1 || ' has slept' FROM pg_sleep(1)", [number]).fetch_value
      end
    end
  end
  loop.run # takes a second, not three
end
