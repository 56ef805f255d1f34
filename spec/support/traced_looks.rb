# frozen_string_literal: true

require "tmpdir"
require_relative "ruby_process"

# The looks at the socket that a script takes before it sleeps, as strace sees them: polls that don't
# wait, with sched_yield between them.
class TracedLooks
  CALLS = "trace=poll,ppoll,sched_yield,recvfrom,write"

  # For the script, which calls mark where a part of it begins.
  PREAMBLE = <<~RUBY
    def mark(part) = $stdout.syswrite("part: \#{part}\\n")
    def connect(**keywords) = Pgconn.connect(ARGV[0], autocommit: true, **keywords)
    def sleepy(connection) = connection.execute("SELECT pg_sleep(0.004)")
  RUBY

  # One part of the script.
  # looks::       how many there were that found nothing at first
  # sleeps::      how often a thread went to sleep in a poll
  # given_up_at:: how often each look had given way when the thread went to sleep all the same
  Part = Struct.new(:looks, :sleeps, :given_up_at)

  # @return [Hash{String => Part}] by the names given to mark
  def self.of(script, conninfo)
    Dir.mktmpdir do |directory|
      table = File.join(directory, "strace")
      ended = RubyProcess.run(PREAMBLE + script, conninfo, prefix: ["strace", "-f", "-e", CALLS, "-o", table])
      raise ended.errors unless ended.status.success?

      new.tap { |looks| File.foreach(table) { |line| looks.read(line) } }.parts
    end
  end

  attr_reader :parts

  def initialize
    @parts = Hash.new { |parts, name| parts[name] = Part.new(0, 0, []) }
    @part = @parts["start"]
    @given_way = Hash.new(0) # by thread: how often, in the look that it is at
  end

  # @param line [String] of strace -f; a call that another thread's interrupts has a second one, "resumed"
  def read(line)
    thread, call = line.split(" ", 2)
    case call
    when /\Awrite\(1, "part: (.*?)\\n/ then @part = @parts[Regexp.last_match(1)]
    when /\Asched_yield/ then give_way(thread)
    when /\Apoll\(.*, 0\)? *(=|<)/, /resumed>/, /EAGAIN/ then nil # a look goes on, or has just found nothing
    when /\Ap?poll\(/ then sleep(thread)
    else @given_way.delete(thread)
    end
  end

  private

  def give_way(thread)
    @part.looks += 1 if @given_way[thread].zero?
    @given_way[thread] += 1
  end

  def sleep(thread)
    @part.sleeps += 1
    gone_by = @given_way.delete(thread)
    @part.given_up_at << gone_by if gone_by
  end
end
