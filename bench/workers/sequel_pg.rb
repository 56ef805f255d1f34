# frozen_string_literal: true

require "sequel"
require_relative "worker"

# Sequel, which by itself loads sequel_pg where it is installed; that makes the Hashes in C. Parameters
# become a part of the SQL, as is Sequel's way.
class SequelDriver
  def initialize
    @database = Sequel.connect(adapter: "postgres", max_connections: 1)
    @database.extension(:pg_array, :pg_json)
  end

  def about = { version: Gem.loaded_specs["sequel_pg"].version.to_s, libpq: PG.library_version }

  def backend = @database.get(Sequel.function(:pg_backend_pid))

  def query(statement)
    sql = statement.sql.gsub(/\$\d+/, "?")
    ->(parameters) { @database.fetch(sql, *parameters).all }
  end

  def values(row) = row.values
end

Worker.new(SequelDriver.new).serve
