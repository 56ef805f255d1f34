# frozen_string_literal: true

require "digest"
require "json"
require_relative "callers"
require_relative "canonical"
require_relative "neighbour"
require_relative "share"
require_relative "statement"
require_relative "stopwatch"
require_relative "turns"

# A driver in a process of its own, connected by the PG* variables. It first says who it is, and then
# answers each command on standard input. Commands are lines of fields with tabs between them, answers are
# lines of JSON:
#
#   setup NAME SHAPE CALL BATCH CALLERS BESIDE SQL PARAMETERS   {}
#   check                                     {"rows", "columns", "digest", "first"}
#   run SECONDS                               {"queries", "rows", "seconds", "cpu", "objects", "gc"}
#
# SHAPE is what a row becomes: row (what the driver is known for), array or hash. CALL is prepared or once.
# BATCH is the number of executions that go together, in a pipeline when there are several. CALLERS are
# "1 thread", "16 threads", "1 fiber" or "64 fibers", at once. BESIDE is nothing or computing: then one more
# thread computes meanwhile, and run answers "median", the time of a call in seconds, and "additions", what
# that thread got done in a second.
# PARAMETERS are JSON arrays; the executions take one after the other, again and again.
#
# A class for a driver stands for one connection. It has `about`, `backend` (the process id of the session),
# `query(statement)`, which gives a Proc from parameters to the rows, and `values(row)`. One with a pipeline
# has `pipeline(statement)`, which gives a Proc from the parameters of a batch to the rows of all.
class Worker
  # @param shared [Boolean] whether several callers may use a connection at the same time; otherwise they
  #   take turns with those that there are
  # @param callers [String, nil] whatever is asked for: as CALLERS
  def initialize(*drivers, shared: false, callers: nil)
    @drivers = drivers
    @shared = shared
    @own_callers = callers
  end

  def serve
    answer { { runtime: "Ruby #{RUBY_VERSION}", backends: @drivers.map(&:backend), **@drivers.first.about } }
    while (line = $stdin.gets(chomp: true))
      command, *arguments = line.split("\t")
      answer { public_send(command, *arguments) }
    end
  end

  def setup(*fields)
    statement = Statement.new(*fields)
    @callers = Callers.new(@own_callers || statement.callers)
    queries = queries(statement)
    @stopwatch = statement.beside_computing? ? Stopwatch.new(queries.first) : nil
    queries = [@stopwatch] if @stopwatch
    @shares = queries.map.with_index { |query, number| Share.new(query, statement, number, @callers.count) }
    {}
  end

  def check
    rows = all_rows
    lines = rows.map { |row| values(row).map { |value| Canonical.text(value) }.join("\t") }
    { rows: rows.size, columns: values(rows.first).size, first: lines.first,
      digest: Digest::SHA256.hexdigest(lines.join("\n")) }
  end

  def run(seconds)
    GC.start
    return execute_for(seconds.to_f) unless @stopwatch

    figures, additions = Neighbour.beside { execute_for(seconds.to_f) }
    figures.merge(median: @stopwatch.median, additions: additions)
  end

  private

  def answer
    puts JSON.generate(yield)
  rescue StandardError => e
    puts JSON.generate(error: "#{e.class}: #{e.message}")
  ensure
    $stdout.flush
  end

  # One for each caller.
  def queries(statement)
    action = statement.pipeline? ? :pipeline : :query
    return Array.new(@callers.count) { @drivers.first.public_send(action, statement) } if @shared

    queries = @drivers.map { |driver| driver.public_send(action, statement) }
    @callers.count == 1 ? queries.first(1) : [Turns.new(queries)] * @callers.count
  end

  # In the order of the calls. The first share is the longest.
  def all_rows
    first, *others = @callers.map { |number| @shares[number].rows }
    first.zip(*others).flatten(1).compact.flatten(1)
  end

  def values(row) = @drivers.first.values(row)

  def execute_for(seconds)
    before = usage
    deadline = before[:seconds] + seconds
    counts = @callers.map { |number| @shares[number].execute_until(deadline) }
    after = usage
    queries, rows = counts.transpose.map(&:sum)
    { queries: queries, rows: rows, **after.to_h { |name, value| [name, value - before[name]] } }
  end

  def usage
    { seconds: Process.clock_gettime(Process::CLOCK_MONOTONIC),
      cpu: Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID),
      objects: GC.stat(:total_allocated_objects), gc: GC.stat(:time) / 1000.0 }
  end
end
