# frozen_string_literal: true

require_relative "chart"
require_relative "cores"
require_relative "database"
require_relative "drivers"
require_relative "machine"
require_relative "report"
require_relative "trial"

module Bench
  # The whole benchmark: a server, the drivers, one case after the other, the report.
  #
  # BENCH_CASES::   names of cases, also as patterns such as "mixed*"; all by default
  # BENCH_DRIVERS:: names of drivers to compare pgconn with; all by default
  # BENCH_ROUNDS::  how often each driver gets its turn
  # BENCH_SECONDS:: how long a turn is
  # BENCH_PYTHON::  another Python than Debian's, with psycopg2, asyncpg and uvloop
  # BENCH_CORES::   one or two, for the cases that leave the cores to the kernel; see Cores
  # BENCH_MEGABYTES:: the size of large objects, 1,024 by default
  class Run
    RESULTS = File.join(__dir__, "results.md")
    CHART = File.join(__dir__, "results.svg")

    def initialize(settings)
      @cases = CASES.select { |kase| chosen?(kase.name, settings["BENCH_CASES"]) }
      raise ArgumentError, "the cases are #{CASES.map(&:name).join(", ")}" if @cases.empty?

      @names = DRIVERS.select { |name| name == "pgconn" || chosen?(name, settings["BENCH_DRIVERS"]) }
      @rounds = Integer(settings.fetch("BENCH_ROUNDS", 7))
      @cores = settings.fetch("BENCH_CORES", "any").to_sym
      @seconds = Float(settings.fetch("BENCH_SECONDS", 0.5))
    end

    # Prints the report; writes it, too, when nothing was left out.
    def call
      Peers.install(@names)
      [LARGE_FILE, SMALLER_FILE].each { |file| file.make if @cases.any? { |kase| kase.sql == file.path } }
      Database.open { |database| compare(database) }
      puts @report
      write if problems.empty? && @cases == CASES && @names == DRIVERS
    end

    # @return [Array<String>] why there are no figures for a case
    def problems
      @trials.filter_map { |trial| trial.problem && "#{trial.case.name}: #{trial.problem}" }
    end

    private

    def chosen?(name, patterns)
      patterns.nil? || patterns.split.any? { |pattern| File.fnmatch(pattern, name) }
    end

    def compare(database)
      @database = database
      cores = Cores.new(@cores)
      Drivers.open(@names, @cases, database) do |drivers|
        places = [cores.to_s, *drivers.links.values.map(&:describe)]
        @trials = @cases.map { |kase| try(kase, drivers.for(kase), cores) }
        versions = Machine.versions(database.version, drivers.samples)
        @report = Report.new(@trials, versions, conditions(places)).to_s
      end
    end

    def try(kase, drivers, cores)
      warn kase.title
      @database.psql("-q", "-c", kase.before) if kase.before
      Trial.new(kase, drivers, cores).tap { |trial| trial.run(@rounds, @seconds) }
    end

    def conditions(places)
      ["Medians of #{@rounds} rounds (#{LONG[:rounds]} where one execution takes longer), in which each " \
       "driver had its turn of #{@seconds} s. Large objects have #{LARGE_FILE.megabytes} MB, 20 ms away " \
       "#{SMALLER_FILE.megabytes} MB.",
       *places].join(" ")
    end

    def write
      File.write(RESULTS, @report)
      File.write(CHART, Chart.new(@trials).to_s)
      warn "Written to #{RESULTS} and #{CHART}"
    end
  end
end

return unless $PROGRAM_NAME == __FILE__

begin
  run = Bench::Run.new(ENV)
  run.call
  abort run.problems.join("\n") unless run.problems.empty?
rescue ArgumentError, Bench::Peers::Missing, Bench::Driver::Error, PostgresPrograms::Error => e
  abort e.message
end
