# frozen_string_literal: true

require_relative "aims"

module Bench
  # What was measured, as Markdown.
  class Report
    CALLS = <<~TEXT
      How each driver was used, always in autocommit, over a Unix socket, with the server's own values made
      into the language's:

      - pgconn: `execute(sql, params).fetch_all`, giving `Pgconn::Row`; for Arrays and Hashes
        `cursor(row: :array)` and `cursor(row: :hash)`. Its statement cache prepares by itself. Callers at the
        same time have a cursor each, all of one connection; a pipeline is `pipeline { }` with an `execute` for
        each query, and then `fetch_all`.
        Rows for COPY are given to `copy_in { |copy| copy << row }` and come from `copy_out { |row| }`, typed both
        ways; 1,000 inserts are an `execute_many`; large objects go through `IO.copy_stream`.
      - pgconn_thread: the same, called without a Fiber scheduler.
      - pgconn_stream: rows of the named cursor's case by `cursor.stream`; pgconn_fetch_all: those of the stream's by
        `execute` and `fetch_all`.
      - floor: a C program over libpq that reads the bytes of each cell and makes nothing of them:
        `PQsendQueryPrepared` with binary results; for `SELECT 1+1` `PQsendQueryParams`, which is not prepared;
        a pipeline with one `PQpipelineSync`. COPY is fed with text that is ready, and large objects go through
        `lo_read` and `lo_write` in pieces of 256 KB.
      - pg: `exec_prepared` with BasicTypeMapForResults and BasicTypeMapForQueries, then `values`, or `to_a`
        for Hashes; for `SELECT 1+1` `exec_params`. Callers at the same time wait in a `Thread::Queue` for its one
        connection or, as pg_16, for one of 16; a pipeline is `enter_pipeline_mode`, `send_query_prepared` for
        each query, `pipeline_sync`, and then `get_result`, as for 1,000 inserts. COPY: `copy_data` with CopyRow, with an
        encoder or decoder for each column, or none where it says "as Strings". For a named cursor it executes
        DECLARE and FETCH, 2,000 rows a page as all do.
      - sequel_pg: `fetch(sql, *params).all`, giving Hashes; Sequel puts parameters into the SQL.
      - psycopg2: `execute` and `fetchall`, giving tuples; it puts parameters into the SQL and prepares nothing.
        COPY: `copy_expert` with a StringIO; 1,000 inserts: `execute_values`; a named cursor is its own.
      - asyncpg: `fetch`, giving Records, within one event loop: asyncio's or uvloop's. It prepares by itself, and
        has no libpq. COPY: `copy_records_to_table`; 1,000 inserts: `executemany`.

      Callers at the same time are Ruby's threads, or fibers under the scheduler of the gem async. Beside a computing
      thread, which does `i += 1` all the time, client and server have a core each.
    TEXT

    # @param versions [Array<Array(String, String)>] of whatever the figures depend on
    # @param conditions [String] how it was measured
    def initialize(trials, versions, conditions)
      @trials = trials.select(&:measured?)
      @versions = versions
      @conditions = conditions
    end

    def to_s
      filled = sections.reject { |section| section.last.empty? }
      ["# Benchmark", @conditions, *filled.flatten].join("\n\n") << "\n"
    end

    private

    def sections
      [["## Speed", "Queries, rows or MB a second; in brackets how many times as fast pgconn is.", speed],
       ["## Beside a computing thread",
        "Median time of a query, in brackets how many times as fast pgconn's is; and what that thread did.",
        beside_computing],
       ["## Aims", "What pgconn means to reach, as times the other's speed.", aims],
       ["## Processor time", "Microseconds of the client's processor time for a query, row or MB.", cpu],
       ["## Objects", "Made for a query, row or MB, and the garbage collector's share of the time.", objects],
       ["## Versions", table(%w[what version], @versions)],
       ["## How", CALLS.chomp]]
    end

    def speed
      case_tables do |trial, driver|
        "#{grouped(trial.rate(driver).round)}#{times(trial, driver)}"
      end
    end

    # All but the trials beside a computing thread, where the time of a query counts, and not their number.
    def counted = @trials.reject { |trial| trial.case.beside_computing? }

    def beside_computing
      trials = @trials - counted
      rows = trials.flat_map { |trial| trial.drivers.map { |driver| latency(trial, driver) } }
      table(["case", "driver", "microseconds", "additions a second"], rows)
    end

    def latency(trial, driver)
      microseconds = grouped((1e6 / trial.rate(driver)).round)
      [trial.case.title, driver, "#{microseconds}#{times(trial, driver)}",
       grouped(trial.additions(driver).round)]
    end

    def times(trial, driver)
      " (#{decimals(trial.ratio(driver))})" unless driver == "pgconn"
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
      case_tables { |trial, driver| decimals(trial.cpu(driver)) }
    end

    def objects
      case_tables(%w[pgconn pg pg_16 sequel_pg]) do |trial, driver|
        "#{decimals(trial.objects(driver))}, #{(trial.gc(driver) * 100).round} %"
      end
    end

    # One table for the cases with one caller and one for those with several, for they have other drivers.
    def case_tables(drivers = DRIVERS, &cell)
      counted.partition { |trial| trial.case.one_caller? }.reject(&:empty?)
             .map { |trials| case_table(trials, drivers & trials.flat_map(&:drivers), &cell) }.join("\n\n")
    end

    def case_table(trials, drivers, &cell)
      rows = trials.map do |trial|
        [trial.case.title, trial.case.unit,
         *drivers.map { |driver| trial.measured?(driver) ? cell.call(trial, driver) : "" }]
      end
      table(["case", "unit", *drivers], rows)
    end

    def table(head, rows)
      return "" if rows.empty?

      [head, head.map { "---" }, *rows].map { |cells| "| #{cells.join(" | ")} |" }.join("\n")
    end

    def grouped(number) = number.to_s.gsub(/(?<=\d)(?=(\d{3})+\z)/, ",")

    def decimals(number) = format("%.2f", number)
  end
end
