# frozen_string_literal: true

require "fileutils"

module Bench
  # What goes into a large object, of bytes that can't be compressed, and the SQL for the object.
  #
  # BENCH_MEGABYTES:: its size; 1,024 by default
  module LargeFile
    MEGABYTES = Integer(ENV.fetch("BENCH_MEGABYTES", 1024))
    MEGABYTE = 2**20
    PATH = File.expand_path("../tmp/bench/large_file", __dir__)
    OID = 42

    # Objects are all in one table; emptied, it is as if there had been none.
    EMPTY = <<~SQL.tr("\n", " ").freeze
      SET allow_system_table_mods = on;
      TRUNCATE pg_largeobject;
      RESET allow_system_table_mods;
      DELETE FROM pg_largeobject_metadata;
      SELECT lo_create(#{OID});
      CHECKPOINT
    SQL
    FILL = <<~SQL.tr("\n", " ").freeze
      #{EMPTY};
      SELECT count(lo_put(#{OID}, part::int8 * #{MEGABYTE}, megabyte))
      FROM (SELECT string_agg(sha256(i::text::bytea), '') AS megabyte FROM generate_series(1, #{MEGABYTE / 32}) i) data,
           generate_series(0, #{MEGABYTES - 1}) part;
      CHECKPOINT
    SQL
    CONTENT = "SELECT count(*), md5(string_agg(md5(data), '' ORDER BY pageno)) FROM pg_largeobject " \
              "WHERE loid = #{OID}".freeze

    # A file of that size is left as it is.
    def self.make
      return if File.size?(PATH) == MEGABYTES * MEGABYTE

      FileUtils.mkdir_p(File.dirname(PATH))
      random = Random.new(42)
      File.open(PATH, "wb") { |file| MEGABYTES.times { file.write(random.bytes(MEGABYTE)) } }
    end
  end
end
