# frozen_string_literal: true

require "open3"
require_relative "../spec/support/postgres_server"

module Bench
  # A throw-away server with the tables that the cases read.
  class Database
    # Enough memory for all that is read, and nothing that wakes up by itself.
    SETTINGS = { "shared_buffers" => "256MB", "max_wal_size" => "4GB", "jit" => "off", "autovacuum" => "off",
                 "max_parallel_workers_per_gather" => "0", "checkpoint_timeout" => "1h" }.freeze

    # @yieldparam database [Database] which is gone after the block
    def self.open
      PostgresServer.start(settings: SETTINGS) do |server|
        database = new(server)
        database.psql("-q", "-f", File.join(__dir__, "schema.sql"))
        yield database
      end
    end

    # @return [String] by way of the socket
    attr_reader :conninfo

    # @return [Hash] the same as environment variables, which all drivers know
    attr_reader :environment

    # @return [String] the Unix socket's path
    attr_reader :socket

    def initialize(server)
      @conninfo = server.conninfo
      @socket = File.join(server.socket_directory, ".s.PGSQL.#{server.port}")
      @environment = { "PGHOST" => server.socket_directory, "PGPORT" => server.port.to_s,
                       "PGUSER" => server.user, "PGDATABASE" => server.database }
    end

    def version = psql("-c", "SHOW server_version")

    def psql(*arguments)
      program = File.join(PostgresPrograms.directory, "psql")
      output, status = Open3.capture2(environment, program, "-XAt", "-v", "ON_ERROR_STOP=1", *arguments)
      status.success? ? output.chomp : raise("psql failed")
    end
  end
end
