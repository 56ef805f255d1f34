# frozen_string_literal: true

require "pgconn"
require_relative "worker"

# pgconn, as it is without settings but autocommit: its statement cache prepares by itself, and its callers
# share the connection.
class PgconnDriver
  def initialize
    @connection = Pgconn.connect(autocommit: true)
  end

  def about = { version: Pgconn::VERSION, libpq: Pgconn.libpq_version }

  def backend = @connection.backend_pid

  def query(statement)
    sql = statement.sql
    cursor = statement.shape == "row" ? @connection.cursor : @connection.cursor(row: statement.shape.to_sym)
    ->(parameters) { cursor.execute(sql, parameters).fetch_all }
  end

  def pipeline(statement)
    sql = statement.sql
    lambda do |batch|
      cursors = @connection.pipeline { batch.map { |parameters| @connection.execute(sql, parameters) } }
      cursors.flat_map(&:fetch_all)
    end
  end

  def values(row) = row.is_a?(Hash) ? row.values : row.to_a
end

# With the argument "thread" calls are made by the one thread, whoever is asked for.
Worker.new(PgconnDriver.new, shared: true, callers: ARGV.empty? ? nil : "1 #{ARGV.first}").serve
