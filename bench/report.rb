# frozen_string_literal: true

require_relative "aims"

module Bench
  # What was measured, as Markdown.
  class Report
    CALLS = <<~TEXT
      How each driver was used, always in autocommit, over a Unix socket, with the server's own values made
      into the language's:

      - pgconn: `execute(sql, params).fetch_all`, giving `Pgconn::Row`; for Arrays and Hashes
        `cursor(row: :array)` and `cursor(row: :hash)`. Its statement cache prepares by itself.
      - floor: a C program over libpq that reads the bytes of each cell and makes nothing of them:
        `PQsendQueryPrepared` with binary results; for `SELECT 1+1` `PQsendQueryParams`, which is not prepared.
      - pg: `exec_prepared` with BasicTypeMapForResults and BasicTypeMapForQueries, then `values`, or `to_a`
        for Hashes; for `SELECT 1+1` `exec_params`.
      - sequel_pg: `fetch(sql, *params).all`, giving Hashes; Sequel puts parameters into the SQL.
      - psycopg2: `execute` and `fetchall`, giving tuples; it puts parameters into the SQL and prepares nothing.
      - asyncpg: `fetch`, giving Records, within one event loop: asyncio's or uvloop's. It prepares by itself, and
        has no libpq.
    TEXT

    # @param versions [Array<Array(String, String)>] of whatever the figures depend on
    # @param conditions [String] how it was measured
    def initialize(trials, versions, conditions)
      @trials = trials.select(&:measured?)
      @versions = versions
      @conditions = conditions
    end

    def to_s
      "# Benchmark\n\n#{@conditions}\n\n#{sections.map { |section| section.join("\n\n") }.join("\n\n")}\n"
    end

    private

    def sections
      [["## Speed", "Queries or rows a second; in brackets how many times as fast pgconn is.", speed],
       ["## Aims", "What pgconn means to reach, as times the other's speed.", aims],
       ["## Processor time", "Microseconds of the client's processor time for a query or row.", cpu],
       ["## Objects", "Made for a query or row, and the garbage collector's share of the time.", objects],
       ["## Versions", table(%w[what version], @versions)],
       ["## How", CALLS.chomp]]
    end

    def speed
      case_table(DRIVERS) do |trial, driver|
        own = driver == "pgconn"
        "#{grouped(trial.rate(driver).round)}#{" (#{decimals(trial.ratio(driver))})" unless own}"
      end
    end

    def aims
      rows = @trials.flat_map do |trial|
        aims = AIMS.fetch(trial.case.name, {}).select { |other, _| trial.measured?("pgconn", other) }
        aims.map { |other, aim| [trial.case.title, other, *verdict(aim, trial.ratio(other))] }
      end
      table(["case", "against", "aim", "measured", ""], rows)
    end

    def verdict(aim, ratio)
      [decimals(aim), decimals(ratio), ratio >= aim ? "reached" : "missed"]
    end

    def cpu
      case_table(DRIVERS) { |trial, driver| decimals(trial.cpu(driver)) }
    end

    def objects
      case_table(%w[pgconn pg sequel_pg]) do |trial, driver|
        "#{decimals(trial.objects(driver))}, #{(trial.gc(driver) * 100).round} %"
      end
    end

    def case_table(drivers, &cell)
      rows = @trials.map do |trial|
        [trial.case.title, trial.case.unit,
         *drivers.map { |driver| trial.measured?(driver) ? cell.call(trial, driver) : "" }]
      end
      table(["case", "unit", *drivers], rows)
    end

    def table(head, rows)
      [head, head.map { "---" }, *rows].map { |cells| "| #{cells.join(" | ")} |" }.join("\n")
    end

    def grouped(number) = number.to_s.gsub(/(?<=\d)(?=(\d{3})+\z)/, ",")

    def decimals(number) = format("%.2f", number)
  end
end
