# frozen_string_literal: true

require "stringio"
require "tempfile"
require_relative "demo_output"
require_relative "time_zone_files"

# The part of the demonstration with many rows: all changes of clocks are loaded, read as they arrive, and
# kept as a file.
class DemoBulk
  include DemoOutput

  TABLE = <<~SQL
    CREATE TABLE changes (zone text NOT NULL, at timestamptz NOT NULL, ahead int NOT NULL,
                          summer_time boolean NOT NULL, abbreviation text NOT NULL)
  SQL

  # @param conn [Pgconn::Connection] whose search_path has the tables
  def initialize(conn)
    @conn = conn
  end

  def run
    load_changes
    stream
    large_object
  end

  private

  # Zone by zone: the rows are never in memory as a whole.
  def load_changes
    title "All changes of their clocks: COPY from rows, with progress"
    started = now
    @conn.execute(TABLE)
    rows = TimeZoneTables.zones.lazy.flat_map { |zone| TimeZoneFiles.changes(zone[:name]) }
    count = @conn.copy_in("changes", rows, progress: progress)
    @conn.commit
    line "#{count} rows: #{seconds(now - started)}"
  end

  # What COPY calls for each piece that it has sent.
  def progress
    told = 0
    lambda do |rows, bytes|
      next if rows < told + 5000

      told = rows
      line "... #{rows} rows, #{bytes} bytes"
    end
  end

  # The server sends the rows in one go, and none is kept.
  def stream
    title "The clocks that were changed again soonest: a stream of all changes"
    changes = @conn.stream("SELECT zone, at, abbreviation FROM changes ORDER BY zone, at")
    pairs = changes.each_cons(2).lazy.select { |change, following| change[:zone] == following[:zone] }
    pairs.min_by(3) { |change, following| following[:at] - change[:at] }.each { |pair| tell(*pair) }
    @conn.commit
  end

  def tell(change, following)
    days = (following[:at] - change[:at]) / 86_400
    cells [22, 10, 6], change[:zone], change[:at].to_date, change[:abbreviation], "for #{days.round(1)} days"
  end

  # Unlinked in the transaction that creates it, so that nothing of it can be left.
  def large_object
    title "The same as a CSV file: COPY; and the file as a large object: IO.copy_stream"
    Tempfile.create("changes") do |file|
      line "#{@conn.copy_out("changes", file, format: :csv, header: true)} rows"
      object = @conn.lobject
      line "#{IO.copy_stream(file.tap(&:rewind), object)} bytes in"
      object.close
      compare(@conn.lobject(object.oid), File.binread(file))
      object.unlink
    end
    @conn.commit
  end

  def compare(object, expected)
    copy = StringIO.new
    line "#{IO.copy_stream(object, copy)} bytes out"
    abort "The large object isn't what the file was." unless copy.string.b == expected
    object.seek(-100, IO::SEEK_END)
    line "They are the same. The last line: #{object.read.lines.last}"
  end
end
