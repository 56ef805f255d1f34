# frozen_string_literal: true

# Who executes at the same time: "1 thread", "16 threads", "1 fiber" or "64 fibers".
class Callers
  KINDS = { "thread" => :call_here, "threads" => :call_in_threads,
            "fiber" => :call_in_fibers, "fibers" => :call_in_fibers }.freeze

  attr_reader :count

  def initialize(text)
    count, kind = text.split
    @count = Integer(count)
    @kind = KINDS.fetch(kind)
    # Not before, so that a worker which has no fibers is the program that it would be without them.
    require "async" if @kind == :call_in_fibers
  end

  # @yieldparam number [Integer] the caller's, from 0 on
  # @return [Array] what the block gave to each of them
  def map(&block) = send(@kind, &block)

  private

  def call_here = [yield(0)]

  # When one has failed, the others have ended before that is told.
  def call_in_threads(&block)
    threads = Array.new(count) { |number| Thread.new(number, &block) }
    threads.each { |thread| thread.report_on_exception = false }
    threads.map(&:value)
  ensure
    threads.each(&:kill)
    Thread.pass while threads.any?(&:alive?)
  end

  # As above; here that is done by the end of Sync.
  def call_in_fibers
    Sync do |task|
      Array.new(count) { |number| task.async { yield number } }.map(&:wait)
    end
  end
end
