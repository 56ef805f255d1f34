# frozen_string_literal: true

require "pgconn"
require_relative "case"
require_relative "database"

module Bench
  # Whether memory stays flat while BENCH_ROWS, ten million by default, are fetched in batches, or copied in
  # or out, and while a large object of BENCH_MEGABYTES is written and read.
  module Memory
    ROWS = Integer(ENV.fetch("BENCH_ROWS", 10_000_000))
    BATCHES = ROWS / 10_000
    # What is done, and how often or how much of it.
    SUBJECTS = { fetch: BATCHES, copy_in: BATCHES, copy_out: BATCHES,
                 large_object_in: LARGE_FILE.megabytes, large_object_out: LARGE_FILE.megabytes }.freeze

    class << self
      # @return [Boolean] whether that is so for all of them
      def flat?
        Database.open do |database|
          @connection = Pgconn.connect(database.conninfo, autocommit: true)
          SUBJECTS.map { |subject, count| stays_flat?(subject, count) }.all?
        end
      end

      private

      # Whether at the end it is no more than 2 % and 2 MB above the most of the first half: until then the
      # heaps find their size.
      def stays_flat?(subject, count)
        tenths = Array.new(10) do
          send(subject, count / 10)
          resident
        end
        puts "#{subject}: resident after each tenth #{tenths.join(", ")} kB"
        tenths.last <= (tenths.first(5).max * 1.02) + 2048
      end

      def resident
        GC.start
        File.read("/proc/self/status")[/^VmRSS:\s*(\d+)/, 1].to_i
      end

      def fetch(batches)
        batches.times { @connection.execute(MIXED[:sql]).fetch_all }
      end

      def copy_in(batches)
        rows = @connection.cursor(row: :array).execute(SOURCE).fetch_all
        @connection.execute("TRUNCATE copied")
        @connection.copy_in("copied") { |copy| batches.times { rows.each { |row| copy << row } } }
      end

      def copy_out(batches)
        @connection.copy_out("SELECT mixed.* FROM mixed, generate_series(1, #{batches})") { |row| row }
      end

      def large_object_in(megabytes)
        LARGE_FILE.make
        @connection.execute(LargeFile::EMPTY)
        with_large_object("w") { |object| IO.copy_stream(LARGE_FILE.path, object, megabytes * LargeFile::MEGABYTE) }
      end

      def large_object_out(megabytes)
        with_large_object("r") { |object| IO.copy_stream(object, File::NULL, megabytes * LargeFile::MEGABYTE) }
      end

      def with_large_object(mode)
        @connection.transaction { yield @connection.lobject(LargeFile::OID, mode) }
      end
    end
  end
end

exit Bench::Memory.flat?
