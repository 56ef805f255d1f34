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

  def rows(sql) = @connection.cursor(row: :array).execute(sql).fetch_all

  def execute(sql) = @connection.execute(sql)

  def copy_in(statement)
    rows = rows(statement.source)
    lambda do |(times)|
      @connection.copy_in(statement.sql) { |copy| times.times { rows.each { |row| copy << row } } }
    end
  end

  def copy_out(statement)
    ->(_) { PassingRows.new { |block| @connection.copy_out(statement.sql, &block) } }
  end

  def execute_many(statement)
    rows = rows(statement.source)
    ->(_) { @connection.execute_many(statement.sql, rows) }
  end

  def stream(statement)
    ->(_) { PassingRows.new { |block| @connection.cursor.stream(statement.sql, &block) } }
  end

  def named_cursor(statement)
    ->(_) { PassingRows.new { |block| @connection.transaction { page(statement.sql, &block) } } }
  end

  def large_object_in(statement)
    ->((oid)) { with_large_object(oid, "w") { |object| IO.copy_stream(statement.sql, object) } }
  end

  def large_object_out(statement)
    ->((oid)) { with_large_object(oid, "r") { |object| IO.copy_stream(object, statement.sql) } }
  end

  def values(row) = row.is_a?(Hash) ? row.values : row.to_a

  private

  def page(sql, &block)
    cursor = @connection.cursor("page")
    cursor.itersize = Worker::PAGE_SIZE
    cursor.execute(sql).each(&block)
    cursor.close
  end

  # The number of bytes becomes one of megabytes.
  def with_large_object(oid, mode)
    @connection.transaction do
      object = @connection.lobject(oid, mode)
      bytes = yield object
      object.close
      bytes / Worker::MEGABYTE
    end
  end
end

# The argument says how it differs: with "stream" what others read in pages is streamed, with "fetch_all" what
# they stream is kept, and with "thread" calls are made by the one thread, whoever is asked for.
variant = ARGV.first
driver = PgconnDriver.new
case variant
when "stream" then driver.singleton_class.alias_method(:named_cursor, :stream)
when "fetch_all" then driver.singleton_class.alias_method(:stream, :query)
end
Worker.new(driver, shared: true, callers: variant == "thread" ? "1 thread" : nil).serve
