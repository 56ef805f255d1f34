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

  def about
    { version: PG::VERSION, libpq: PG.library_version, backend: @connection.backend_pid }
  end

  # The block clears the result when it is done with it, which spares the garbage collector the work.
  def query(statement)
    rows = statement.shape == "hash" ? :to_a.to_proc : :values.to_proc
    sql = statement.sql
    return ->(parameters) { @connection.exec_params(sql, parameters, &rows) } unless statement.prepared?

    name = statement.name
    @connection.prepare(name, sql)
    ->(parameters) { @connection.exec_prepared(name, parameters, &rows) }
  end

  def values(row) = row.is_a?(Hash) ? row.values : row
end

Worker.new(PgDriver.new).serve
