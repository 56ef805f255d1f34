# frozen_string_literal: true

require "etc"

module Bench
  # The versions of everything that the figures depend on.
  module Machine
    class << self
      # @return [Array<Array(String, String)>]
      def versions(server_version, drivers)
        [["processor", "#{processor}, #{Etc.nprocessors} cores"],
         ["kernel", Etc.uname.values_at(:sysname, :release).join(" ")],
         ["PostgreSQL", server_version],
         *drivers.map { |driver| [driver.name, describe(driver.about)] }]
      end

      private

      def processor
        File.read("/proc/cpuinfo")[/^model name\s*: (.*)/, 1] || Etc.uname[:machine]
      end

      def describe(about)
        libpq = about["libpq"]&.divmod(10_000)
        [about["version"], about["runtime"], libpq && "libpq #{libpq.join(".")}"].compact.join(", ")
      end
    end
  end
end
