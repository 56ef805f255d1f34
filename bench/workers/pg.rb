# frozen_string_literal: true

require "pg"
require_relative "worker"

# pg with its type maps for results and queries. A row is an Array, which is the cheapest that pg has.
class PgDriver
  # The columns of the rows that are written by COPY.
  COPIED = PG::TypeMapByColumn.new([PG::TextEncoder::Integer.new] * 2 + [PG::TextEncoder::String.new] * 2)

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
      pipeline_send(name, batch)
      rows = Array.new(batch.size) { next_values.tap { @connection.get_result } }
      pipeline_end
      rows.flatten(1)
    end
  end

  def rows(sql) = @connection.exec(sql).values

  def execute(sql) = @connection.exec(sql).clear

  def copy_in(statement)
    rows = rows(statement.source)
    encoder = PG::TextEncoder::CopyRow.new(type_map: COPIED)
    lambda do |(times)|
      @connection.copy_data("COPY #{statement.sql} FROM STDIN", encoder) do
        times.times { rows.each { |row| @connection.put_copy_data(row) } }
      end
      rows.size * times
    end
  end

  def copy_out(statement)
    decoder = PG::TextDecoder::CopyRow.new
    decoder.type_map = types_of(statement.sql) unless statement.shape == "text"
    ->(_) { PassingRows.new { |block| copy_rows(statement.sql, decoder, &block) } }
  end

  def execute_many(statement)
    rows = rows(statement.source)
    @connection.prepare(statement.name, statement.sql)
    lambda do |_|
      pipeline_send(statement.name, rows)
      rows.each { 2.times { @connection.get_result&.clear } }
      pipeline_end
      rows.size
    end
  end

  def stream(statement)
    ->(_) { PassingRows.new { |block| stream_rows(statement.sql, &block) } }
  end

  def named_cursor(statement)
    ->(_) { PassingRows.new { |block| @connection.transaction { page(statement.sql, &block) } } }
  end

  def values(row) = row.is_a?(Hash) ? row.values : row

  private

  def stream_rows(sql, &block)
    @connection.send_query_params(sql, [])
    @connection.set_single_row_mode
    @connection.get_result.stream_each_row(&block)
    @connection.get_result
  end

  # A nil ends the results of each execution.
  def pipeline_send(name, batch)
    @connection.enter_pipeline_mode
    batch.each { |parameters| @connection.send_query_prepared(name, parameters) }
    @connection.pipeline_sync
  end

  # The last result is that of the Sync.
  def pipeline_end
    @connection.get_result.check
    @connection.exit_pipeline_mode
  end

  def next_values
    result = @connection.get_result.check
    result.values.tap { result.clear }
  end

  # A decoder for each column.
  def types_of(table)
    @connection.exec("SELECT * FROM #{table} LIMIT 0") do |result|
      @connection.type_map_for_results.build_column_map(result)
    end
  end

  def copy_rows(table, decoder)
    @connection.copy_data("COPY #{table} TO STDOUT", decoder) do
      while (row = @connection.get_copy_data)
        yield row
      end
    end
  end

  def page(sql, &block)
    @connection.exec("DECLARE page CURSOR FOR #{sql}")
    loop do
      count = @connection.exec("FETCH #{Worker::PAGE_SIZE} FROM page") do |result|
        result.each_row(&block)
        result.ntuples
      end
      break if count < Worker::PAGE_SIZE
    end
    @connection.exec("CLOSE page")
  end
end

# An argument is the number of connections.
Worker.new(*Array.new(Integer(ARGV.fetch(0, 1))) { PgDriver.new }).serve
