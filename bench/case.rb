# frozen_string_literal: true

require_relative "large_file"

module Bench
  # One statement, how it is executed, and by whom.
  #
  # name::       by which it is chosen
  # title::      what the report calls it
  # action::     what is done: a method of the drivers' classes, see workers/worker.rb
  # sql::        with $1, $2...; the table of a COPY; the path of a large object's file
  # parameters:: an Array of parameters for each of the executions, which take them in turn
  # source::     a query for the rows that are written, which a driver reads beforehand
  # written::    a query for what was written, which is compared
  # before::     what is executed once for the case
  # reset::      what each driver executes before its turn, and isn't timed
  # call::       prepared or once, for the drivers that leave it to their user
  # shape::      what a row becomes: row (what the driver is known for), array or hash
  # batch::      how many executions go together: 1, or those of a pipeline
  # callers::    who executes at the same time: 1 thread, 16 threads, 64 fibers
  # delay::      seconds that the link to the server adds to a round trip
  # beside::     what another thread of the program does meanwhile: nothing, or computing; what counts then is
  #              the time of a query, not how many there are
  # turn::       how many times the usual length of a turn it takes for steady figures
  # rounds::     at most; for executions that are longer than a turn
  # checked::    how many executions are compared; a driver with a statement cache gives binary results from
  #              the third on
  # cores::      where client and server run, see Cores
  # unit::       what is counted: queries or rows; MB are the rows of a large object
  # drivers::    who has that shape
  Case = Struct.new(:name, :title, :action, :sql, :parameters, :source, :written, :before, :reset, :call,
                    :shape, :batch, :callers, :delay, :beside, :turn, :rounds, :checked, :cores, :unit,
                    :drivers, keyword_init: true) do
    def initialize(action: "query", parameters: [[]], call: "prepared", shape: "row", batch: 1,
                   callers: "1 thread", delay: 0, beside: "nothing", turn: 1, rounds: Float::INFINITY,
                   checked: 3, cores: :any, unit: "rows", drivers: ALONE, **fields)
      super
    end

    # Whether one execution takes long enough to show what the driver can do.
    def long? = rounds.finite?

    # What was counted in a driver's answer.
    def counted = unit == "queries" ? "queries" : "rows"

    # Strings are not what other drivers give for the same values.
    def comparable? = shape != "text"

    def one_caller? = callers == "1 thread"

    def beside_computing? = beside == "computing"
  end

  # With one connection each, but for pg_16, which is pg with 16; pgconn_thread is pgconn without a scheduler,
  # pgconn_stream reads by stream and pgconn_fetch_all all rows at once, whatever is asked for.
  DRIVERS = %w[pgconn pgconn_thread pgconn_stream pgconn_fetch_all floor pg pg_16 sequel_pg psycopg2 asyncpg
               asyncpg_uvloop].freeze

  # Who is compared for one caller, and for several at the same time.
  ALONE = (DRIVERS - %w[pg_16 pgconn_thread pgconn_stream pgconn_fetch_all]).freeze
  TOGETHER = %w[pgconn pg pg_16].freeze

  # The same ids for all drivers, in each run of the benchmark.
  IDS = Random.new(42).then { |random| Array.new(1000) { [random.rand(1..100_000)] } }.freeze

  SELECT_1 = { sql: "SELECT 1+1", call: "once", unit: "queries" }.freeze
  POINT = { sql: "SELECT id, name, quantity, changed FROM points WHERE id = $1",
            parameters: IDS, unit: "queries" }.freeze
  PG_TYPE = "SELECT typname, typnamespace, typowner, typlen, typbyval, typcategory, typispreferred, " \
            "typisdefined, typdelim, typrelid, typelem, typarray " \
            "FROM pg_type WHERE typtypmod = $1 AND typisdefined = $2"
  MIXED = { sql: "SELECT id, name, ratio, price, changed, born, active, code FROM mixed" }.freeze
  FIBERS = { callers: "64 fibers", drivers: TOGETHER, **POINT }.freeze
  THREADS = { callers: "16 threads", drivers: TOGETHER, **POINT }.freeze
  DISTANT = { delay: 0.001 }.freeze

  LONG = { rounds: 3, checked: 1 }.freeze
  SOURCE = "SELECT id, amount, name, note FROM source ORDER BY id"
  WRITING = { reset: "TRUNCATE copied", written: "SELECT id, amount, name, note FROM copied ORDER BY id",
              drivers: ALONE - %w[sequel_pg] }.freeze
  COPY_IN = { action: "copy_in", sql: "copied", source: SOURCE, **WRITING }.freeze
  LARGE_OBJECT = { parameters: [[LargeFile::OID]], written: LargeFile::CONTENT, unit: "MB",
                   drivers: %w[pgconn floor], **LONG }.freeze
  LARGE_OBJECT_IN = { action: "large_object_in", reset: LargeFile::EMPTY, **LARGE_OBJECT }.freeze
  LARGE_OBJECT_OUT = { action: "large_object_out", sql: File::NULL, **LARGE_OBJECT }.freeze
  COPY_OUT = { action: "copy_out", sql: "mixed", drivers: %w[pgconn floor pg] }.freeze

  # sequel_pg knows rows as Hashes only, so what others give as Row and tuple is compared with these, but for
  # mixed, where there is a case for each shape.
  CASES = [
    Case.new(name: "select_1", title: "SELECT 1+1, one core", cores: :one, **SELECT_1),
    Case.new(name: "select_1_two_cores", title: "SELECT 1+1, two cores", cores: :two, **SELECT_1),
    Case.new(name: "point", title: "point select, one core", cores: :one, **POINT),
    Case.new(name: "point_two_cores", title: "point select, two cores", cores: :two, **POINT),
    Case.new(name: "point_computing", title: "point select, thread computing", cores: :two,
             beside: "computing", turn: 4, drivers: %w[pgconn pg], **POINT),
    Case.new(name: "scheduler", title: "point select, 1 fiber", cores: :one, callers: "1 fiber",
             drivers: %w[pgconn pgconn_thread], **POINT),
    Case.new(name: "fibers", title: "64 fibers", **FIBERS),
    Case.new(name: "fibers_distant", title: "64 fibers, 1 ms away", **FIBERS, **DISTANT),
    Case.new(name: "threads", title: "16 threads, two cores", cores: :two, **THREADS),
    Case.new(name: "threads_distant", title: "16 threads, 1 ms away", **THREADS, **DISTANT),
    Case.new(name: "pipeline", title: "pipeline of 100 selects, two cores", action: "pipeline", cores: :two,
             batch: 100, drivers: %w[pgconn floor pg], **POINT),
    Case.new(name: "pg_type", title: "pg_type, 12 columns", sql: PG_TYPE, parameters: [[-1, true]]),
    Case.new(name: "series", title: "series of 1,000 ints",
             sql: "SELECT i FROM generate_series(1, $1) AS i", parameters: [[1000]]),
    Case.new(name: "bytea", title: "bytea of 1,000 bytes", sql: "SELECT data FROM bytes"),
    Case.new(name: "int_arrays", title: "int[] of 100", sql: "SELECT numbers FROM int_arrays"),
    Case.new(name: "mixed", title: "mixed, 8 columns, as Row", drivers: ALONE - %w[sequel_pg], **MIXED),
    Case.new(name: "mixed_array", title: "mixed as Array", shape: "array",
             drivers: %w[pgconn floor pg], **MIXED),
    Case.new(name: "mixed_hash", title: "mixed as Hash", shape: "hash",
             drivers: %w[pgconn floor pg sequel_pg], **MIXED),
    Case.new(name: "wide_text", title: "20 text columns", sql: "SELECT * FROM wide"),
    Case.new(name: "jsonb", title: "jsonb of 120 bytes", sql: "SELECT document FROM documents"),
    Case.new(name: "copy_in", title: "COPY in of 10,000 rows", parameters: [[1]], **COPY_IN),
    Case.new(name: "copy_in_million", title: "COPY in of 1,000,000 rows", parameters: [[100]],
             **COPY_IN, **LONG),
    Case.new(name: "copy_out", title: "COPY out of mixed", **COPY_OUT),
    Case.new(name: "copy_out_text", title: "COPY out of mixed, pg's as Strings", shape: "text", **COPY_OUT),
    Case.new(name: "execute_many", title: "1,000 inserts", action: "execute_many",
             sql: "INSERT INTO copied VALUES ($1, $2, $3, $4)", source: "#{SOURCE} LIMIT 1000", **WRITING),
    Case.new(name: "stream", title: "stream of 1,000,000 rows", action: "stream",
             sql: "SELECT mixed.* FROM mixed, generate_series(1, 100)",
             drivers: %w[pgconn pgconn_fetch_all pg], **LONG),
    Case.new(name: "named_cursor", title: "named cursor, 1,000,000 rows", action: "named_cursor",
             sql: "SELECT id, name FROM source, generate_series(1, 100)",
             drivers: %w[pgconn pgconn_stream pg psycopg2], **LONG),
    Case.new(name: "large_object_in", title: "large object, in", sql: LARGE_FILE.path, **LARGE_OBJECT_IN),
    Case.new(name: "large_object_out", title: "large object, out", before: LARGE_FILE.fill,
             **LARGE_OBJECT_OUT),
    Case.new(name: "large_object_in_distant", title: "large object, in, 20 ms away", sql: SMALLER_FILE.path,
             delay: 0.02, **LARGE_OBJECT_IN),
    Case.new(name: "large_object_out_distant", title: "large object, out, 20 ms away",
             before: SMALLER_FILE.fill, delay: 0.02, **LARGE_OBJECT_OUT)
  ].freeze
end
