# frozen_string_literal: true

require "digest"
require "json"
require_relative "canonical"

# A driver in a process of its own, connected by the PG* variables. It first says who it is, and then
# answers each command on standard input. Commands are lines of fields with tabs between them, answers are
# lines of JSON:
#
#   setup NAME SHAPE CALL SQL PARAMETERS...   {}
#   check                                     {"rows", "columns", "digest", "first"}
#   run SECONDS                               {"queries", "rows", "seconds", "cpu", "objects", "gc"}
#
# SHAPE is what a row becomes: row (what the driver is known for), array or hash. CALL is prepared or once.
# PARAMETERS are JSON arrays; the executions take one after the other, again and again.
#
# A class for a driver has `about`, `query(statement)`, which gives a Proc from parameters to the rows, and
# `values(row)`.
class Worker
  Statement = Struct.new(:name, :shape, :call, :sql) do
    def prepared? = call == "prepared"
  end

  # A driver with a statement cache gives binary results from the third execution on.
  CHECKED = 3

  def initialize(driver)
    @driver = driver
  end

  def serve
    answer { { runtime: "Ruby #{RUBY_VERSION}", **@driver.about } }
    while (line = $stdin.gets(chomp: true))
      command, *arguments = line.split("\t")
      answer { public_send(command, *arguments) }
    end
  end

  def setup(*statement, parameters)
    @parameters = JSON.parse(parameters)
    @query = @driver.query(Statement.new(*statement))
    {}
  end

  def check
    executions = [CHECKED, @parameters.size].max
    rows = @parameters.cycle.first(executions).flat_map { |parameters| @query.call(parameters) }
    lines = rows.map { |row| @driver.values(row).map { |value| Canonical.text(value) }.join("\t") }
    { rows: rows.size, columns: @driver.values(rows.first).size, first: lines.first,
      digest: Digest::SHA256.hexdigest(lines.join("\n")) }
  end

  def run(seconds)
    GC.start
    before = usage
    queries, rows = execute_until(before[:seconds] + seconds.to_f)
    after = usage
    { queries: queries, rows: rows, **after.to_h { |name, value| [name, value - before[name]] } }
  end

  private

  def answer
    puts JSON.generate(yield)
  rescue StandardError => e
    puts JSON.generate(error: "#{e.class}: #{e.message}")
  ensure
    $stdout.flush
  end

  def execute_until(deadline)
    queries = rows = 0
    until Process.clock_gettime(Process::CLOCK_MONOTONIC) >= deadline
      rows += @query.call(@parameters[queries % @parameters.size]).size
      queries += 1
    end
    [queries, rows]
  end

  def usage
    { seconds: Process.clock_gettime(Process::CLOCK_MONOTONIC),
      cpu: Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID),
      objects: GC.stat(:total_allocated_objects), gc: GC.stat(:time) / 1000.0 }
  end
end
