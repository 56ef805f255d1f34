# frozen_string_literal: true

require "pg"
require_relative "worker"

# pg with its type maps for results and queries. A row is an Array, which is the cheapest that pg has.
class PgDriver
  def initialize
    @connection = PG.connect
    @connection.type_map_for_results = PG::BasicTypeMapForResults.new(@connection)
    # Types that it doesn't know, such as uuid, are Strings either way; this only spares the warning.
    @connection.type_map_for_results.default_type_map = PG::TypeMapAllStrings.new
    @connection.type_map_for_queries = PG::BasicTypeMapForQueries.new(@connection)
  end

  def about = { version: PG::VERSION, libpq: PG.library_version }

  def backend = @connection.backend_pid

  # The block clears the result when it is done with it, which spares the garbage collector the work.
  def query(statement)
    rows = statement.shape == "hash" ? :to_a.to_proc : :values.to_proc
    sql = statement.sql
    return ->(parameters) { @connection.exec_params(sql, parameters, &rows) } unless statement.prepared?

    name = statement.name
    @connection.prepare(name, sql)
    ->(parameters) { @connection.exec_prepared(name, parameters, &rows) }
  end

  def pipeline(statement)
    name = statement.name
    @connection.prepare(name, statement.sql)
    lambda do |batch|
      @connection.enter_pipeline_mode
      batch.each { |parameters| @connection.send_query_prepared(name, parameters) }
      @connection.pipeline_sync
      pipeline_rows(batch.size)
    end
  end

  def values(row) = row.is_a?(Hash) ? row.values : row

  private

  # A nil ends the results of each execution, and the last result is that of the Sync.
  def pipeline_rows(executions)
    rows = Array.new(executions) { next_values.tap { @connection.get_result } }
    @connection.get_result.check
    @connection.exit_pipeline_mode
    rows.flatten(1)
  end

  def next_values
    result = @connection.get_result.check
    result.values.tap { result.clear }
  end
end

# An argument is the number of connections.
Worker.new(*Array.new(Integer(ARGV.fetch(0, 1))) { PgDriver.new }).serve
