# frozen_string_literal: true

require "digest"
require "json"
require_relative "callers"
require_relative "canonical"
require_relative "neighbour"
require_relative "passing_rows"
require_relative "share"
require_relative "statement"
require_relative "stopwatch"
require_relative "turns"

# A driver in a process of its own, connected by the PG* variables. It first says who it is, and then
# answers each command on standard input. Commands are lines of fields with tabs between them, answers are
# lines of JSON:
#
#   setup NAME ACTION SHAPE CALL BATCH CALLERS BESIDE CHECKED SOURCE WRITTEN RESET SQL PARAMETERS   {}
#   check                                     {"rows", "columns", "digest", "first"}
#   run SECONDS                               {"queries", "rows", "seconds", "cpu", "objects", "gc"}
#
# ACTION is one of those below. SHAPE is what a row becomes: row (what the driver is known for), array, hash
# or text (Strings). CALL is prepared or once. BATCH is the number of executions that go together. CHECKED is
# how many are, at least, for check. SOURCE is a query for the rows that are to be written, WRITTEN one for
# those that were, and RESET what run begins with; any may be empty. CALLERS are "1 thread", "16 threads", "1
# fiber" or "64 fibers", at once. BESIDE is nothing or computing: then one more thread computes meanwhile,
# and run answers "median", the time of a call in seconds, and "additions", what that thread got done in a
# second.
# PARAMETERS are JSON arrays; the executions take one after the other, again and again.
#
# A class for a driver stands for one connection. It has `about`, `backend` (the process id of the session),
# `values(row)`, `execute(sql)` for RESET and `rows(sql)` for WRITTEN, and of the following what it can. Each
# is given the statement and gives a Proc from PARAMETERS to the rows, or to the number of those written:
#
# query::            executes SQL
# pipeline::         the same for the PARAMETERS of a batch, and gives the rows of all
# copy_in::          writes the rows of SOURCE, as often as PARAMETERS say, into the table SQL
# copy_out::         reads the table SQL
# execute_many::     executes SQL with each row of SOURCE
# stream::           reads the rows of SQL as they arrive
# named_cursor::     reads the rows of SQL in pages of PAGE_SIZE
# large_object_in::  writes the file SQL into the large object of PARAMETERS
# large_object_out:: the other way
class Worker
  # As many rows as psycopg2 fetches unasked.
  PAGE_SIZE = 2000
  MEGABYTE = 2**20

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
    @statement = Statement.new(*fields)
    @callers = Callers.new(@own_callers || @statement.callers)
    queries = queries(@statement)
    @stopwatch = @statement.beside_computing? ? Stopwatch.new(queries.first) : nil
    queries = [@stopwatch] if @stopwatch
    @shares = queries.map.with_index { |query, number| Share.new(query, @statement, number, @callers.count) }
    {}
  end

  def check
    reset
    rows = @statement.written ? written_rows : all_rows
    lines = rows.map { |row| values(row).map { |value| Canonical.text(value) }.join("\t") }
    { rows: rows.size, columns: values(rows.first).size, first: lines.first,
      digest: Digest::SHA256.hexdigest(lines.join("\n")) }
  end

  def run(seconds)
    reset
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
    action = statement.action
    return Array.new(@callers.count) { @drivers.first.public_send(action, statement) } if @shared

    queries = @drivers.map { |driver| driver.public_send(action, statement) }
    @callers.count == 1 ? queries.first(1) : [Turns.new(queries)] * @callers.count
  end

  def reset
    @drivers.first.execute(@statement.reset) if @statement.reset
  end

  def written_rows
    @shares.first.call_all
    @drivers.first.rows(@statement.written)
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
