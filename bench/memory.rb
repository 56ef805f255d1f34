# frozen_string_literal: true

require "pgconn"
require_relative "case"
require_relative "database"

module Bench
  # Whether memory stays flat while BENCH_ROWS, ten million by default, are fetched in batches.
  module Memory
    BATCH = 10_000

    class << self
      # @return [Boolean] whether at the end it is within 2 % and 2 MB of what it was after the first tenth
      def flat?
        batches = Integer(ENV.fetch("BENCH_ROWS", 10_000_000)) / BATCH
        tenth, at_the_end = Database.open do |database|
          connection = Pgconn.connect(database.conninfo, autocommit: true)
          [batches / 10, batches * 9 / 10].map { |count| resident_after(count, connection) }
        end
        puts "resident after a tenth: #{tenth} kB, at the end: #{at_the_end} kB"
        at_the_end <= (tenth * 1.02) + 2048
      end

      private

      def resident_after(batches, connection)
        batches.times { connection.execute(MIXED[:sql]).fetch_all }
        GC.start
        File.read("/proc/self/status")[/^VmRSS:\s*(\d+)/, 1].to_i
      end
    end
  end
end

exit Bench::Memory.flat?
