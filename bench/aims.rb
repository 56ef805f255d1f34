# frozen_string_literal: true

module Bench
  # How fast pgconn means to be: at least so many times as fast as the others.
  AIMS = {
    "point" => { "floor" => 0.9, "pg" => 1.15, "psycopg2" => 2, "asyncpg" => 3 },
    "point_two_cores" => { "pg" => 2.5 },
    "point_computing" => { "pg" => 5 },
    "scheduler" => { "pgconn_thread" => 1 / 1.3 },
    "fibers" => { "pg" => 1.2 },
    "fibers_distant" => { "pg" => 30, "pg_16" => 2.5 },
    "threads" => { "pg" => 1.5 },
    "threads_distant" => { "pg" => 10 },
    "pipeline" => { "floor" => 0.85, "pg" => 1.3 },
    "select_1" => { "floor" => 1.2, "pg" => 1.5, "psycopg2" => 1.2 },
    "pg_type" => { "floor" => 0.9, "pg" => 1.2, "asyncpg" => 0.95 },
    "series" => { "floor" => 0.85, "pg" => 1.15, "asyncpg" => 1.1 },
    "mixed" => { "floor" => 0.55, "pg" => 3.5, "psycopg2" => 1.7, "asyncpg" => 1.0 },
    "mixed_hash" => { "pg" => 2.5, "sequel_pg" => 1.6 },
    "bytea" => { "floor" => 1.0, "pg" => 4, "asyncpg" => 0.9 },
    "int_arrays" => { "floor" => 0.9, "pg" => 1.25, "asyncpg" => 1.1 },
    "copy_in" => { "floor" => 0.9, "pg" => 1.6, "asyncpg" => 1.0 },
    "copy_in_million" => { "floor" => 0.9, "pg" => 1.6, "asyncpg" => 1.0 },
    "copy_out" => { "pg" => 3 },
    "copy_out_text" => { "pg" => 1.1 },
    "stream" => { "pg" => 3, "pgconn_fetch_all" => 0.7 },
    "named_cursor" => { "pgconn_stream" => 0.8 },
    "execute_many" => { "floor" => 0.9, "pg" => 1.4, "asyncpg" => 1.0, "psycopg2" => 1.2 },
    "large_object_in" => { "floor" => 0.8 },
    "large_object_out" => { "floor" => 0.8 }
  }.freeze
end
