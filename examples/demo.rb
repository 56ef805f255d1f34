# frozen_string_literal: true

# What bin/demo runs: time zones and countries, from the tables that every Unix machine has, are
# loaded and asked about.

require "bigdecimal"
require "pgconn"
require "securerandom"
require_relative "demo_bulk"
require_relative "demo_output"
require_relative "demo_sessions"
require_relative "time_zone_tables"

# The demonstration, on the server of a conninfo.
class Demo
  include DemoOutput

  TABLES = [<<~SQL, <<~SQL, <<~SQL].freeze
    CREATE TABLE countries (code char(2) PRIMARY KEY, name text NOT NULL)
  SQL
    CREATE TABLE zones (
      name text PRIMARY KEY,
      latitude float8 NOT NULL,
      longitude float8 NOT NULL,
      sun numeric(5, 2) NOT NULL,
      comments text,
      loaded_at timestamptz NOT NULL DEFAULT now()
    )
  SQL
    CREATE TABLE zone_countries (
      zone text NOT NULL REFERENCES zones,
      country char(2) NOT NULL REFERENCES countries,
      main boolean NOT NULL,
      PRIMARY KEY (zone, country)
    )
  SQL

  INSERT_ZONE = <<~SQL
    INSERT INTO zones (name, latitude, longitude, sun, comments)
    VALUES (:name, :latitude, :longitude, :sun, :comments)
  SQL

  FURTHEST_FROM_THE_SUN = <<~SQL
    SELECT zone,
           country.name AS country,
           round(ahead, 2) AS ahead,
           clock.is_dst AS summer_time,
           now() AT TIME ZONE zone AS local_time,
           (now() AT TIME ZONE zone)::date AS local_date,
           zones.latitude,
           (SELECT count(*) FROM zone_countries WHERE zone = zones.name) AS countries,
           (SELECT min(name) FROM zone_countries JOIN countries ON code = country
            WHERE zone = zones.name AND NOT main) AS also_in
    FROM zones
    JOIN zone_countries ON zone = zones.name AND main
    JOIN countries AS country ON country.code = zone_countries.country
    JOIN pg_timezone_names AS clock ON clock.name = zone
    CROSS JOIN LATERAL (
      -- Between -12 and 12 hours, also where the date line makes a detour.
      SELECT mod(extract(epoch FROM utc_offset)::numeric / 3600 - sun + 36, 24) - 12
    ) AS clock_and_sun (ahead)
    ORDER BY abs(ahead) DESC, zone
    LIMIT $1::int
  SQL

  def initialize(conninfo)
    @conninfo = conninfo
    @schema = "pgconn_demo_#{SecureRandom.hex(4)}"
  end

  def run
    Pgconn.connect(@conninfo, autocommit: true) do |observer|
      @observer = observer
      @observer.execute("CREATE SCHEMA #{@schema}")
      @observer.execute("SET search_path TO #{@schema}")
      Pgconn.connect(@conninfo) { |conn| show(conn) }
    ensure
      @observer&.execute("DROP SCHEMA IF EXISTS #{@schema} CASCADE")
    end
  end

  private

  def show(conn)
    @conn = conn
    puts "pgconn #{Pgconn::VERSION}, libpq #{version(Pgconn.libpq_version)}, " \
         "PostgreSQL #{version(conn.server_version)}, backend #{conn.backend_pid}"
    conn.execute("SET search_path TO #{@schema}")
    load_tables
    typed_rows
    DemoBulk.new(@conn).run
    transactions
    deadline
    error
    DemoSessions.new(@conn, @observer).run
  end

  # 150020 is 15.20.
  def version(number)
    number.divmod(10_000).join(".")
  end

  def load_tables
    title "Load the time zones: execute_many, one transaction"
    started = now
    TABLES.each { |sql| @conn.execute(sql) }
    @conn.execute_many("INSERT INTO countries (code, name) VALUES ($1, $2)", TimeZoneTables.countries)
    insert(TimeZoneTables.zones)
    @conn.commit
    took = seconds(now - started)
    line "#{count("countries")} countries, #{count("zones")} zones, #{count("zone_countries")} pairs: #{took}"
  end

  # Parameters by name come from a Hash, those by position from an Array.
  def insert(zones)
    @conn.execute_many(INSERT_ZONE, zones.map { |zone| zone.except(:countries) })
    pairs = zones.flat_map do |zone|
      zone[:countries].map.with_index { |code, index| [zone[:name], code, index.zero?] }
    end
    @conn.execute_many("INSERT INTO zone_countries (zone, country, main) VALUES ($1, $2, $3)", pairs)
  end

  def typed_rows
    title "Typed rows: where clocks are furthest from the sun"
    rows = @conn.execute(FURTHEST_FROM_THE_SUN, [5]).fetch_all
    rows.each do |row|
      cells [22, 22, 9], row[:zone], row[:country], "#{text(row[:ahead])} h", row[:local_time].strftime("%R")
    end
    line "The first of them, value by value:"
    rows.first.to_h.each { |name, value| cells [0, 14, 12], "", name, value.class, text(value) }
  end

  # As Ruby shows it, where that is short.
  def text(value)
    case value
    when BigDecimal then value.to_s("F")
    when Date then value.to_s
    else value.inspect
    end
  end

  def transactions
    title "A transaction that commits, one that rolls back"
    cells [28, 12], "zones", "this session", "another one"
    counts "at first"
    @conn.execute(INSERT_ZONE, name: "Moon/Tranquillity_Base", latitude: 0.67416, longitude: 23.47314,
                               sun: BigDecimal("1.56"), comments: nil)
    counts "INSERT, not yet committed"
    @conn.commit
    counts "after commit"
    deleted = @conn.execute("DELETE FROM zone_countries WHERE zone LIKE $1", ["America/%"]).rowcount
    @conn.execute("DELETE FROM zones WHERE name LIKE $1", ["America/%"])
    counts "DELETE with #{deleted} references"
    @conn.rollback
    counts "after rollback"
  end

  def counts(moment)
    cells [28, 12], moment, count("zones"), count("zones", @observer)
  end

  def count(table, conn = @conn)
    conn.execute("SELECT count(*) FROM #{@schema}.#{table}").fetch_value
  end

  def deadline
    title "A deadline: SELECT pg_sleep(10), timeout: 0.2"
    started = now
    @conn.execute("SELECT pg_sleep(10)", timeout: 0.2)
    abort "The deadline did not cancel the statement."
  rescue Pgconn::QueryCanceledError => e
    line "#{e.class} after #{seconds(now - started)}, SQLSTATE #{e.sqlstate}, outcome #{e.outcome.inspect}"
    @conn.rollback
    line "The same session goes on: #{count("zones")} zones."
  end

  def error
    sql = "SELECT name, longitud FROM zones"
    title "An error: #{sql}"
    @conn.execute(sql)
    abort "The misspelt column is no error."
  rescue Pgconn::ProgrammingError => e
    tell(e, "An error: ".size)
    @conn.rollback
  end

  def tell(error, indent)
    line "#{" " * (indent + error.diag.position - 1)}^"
    line "#{error.class}, SQLSTATE #{error.sqlstate}"
    line error.diag.message
    line "Hint: #{error.diag.hint}"
  end
end

begin
  if ENV["DATABASE_URL"]
    Demo.new(ENV["DATABASE_URL"]).run
  else
    require_relative "../spec/support/postgres_server"
    PostgresServer.start { |server| Demo.new(server.uri).run }
  end
rescue Pgconn::Error => e
  abort "#{e.class}: #{e.message}"
rescue Interrupt
  abort "interrupted"
end
