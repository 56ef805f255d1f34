# frozen_string_literal: true

require "fileutils"

module Bench
  # What goes into a large object, of bytes that can't be compressed, and the SQL for the object.
  class LargeFile
    MEGABYTE = 2**20
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
    CONTENT = "SELECT count(*), md5(string_agg(md5(data), '' ORDER BY pageno)) FROM pg_largeobject " \
              "WHERE loid = #{OID}".freeze

    # @return [Integer]
    attr_reader :megabytes

    def initialize(megabytes)
      @megabytes = megabytes
    end

    def path = File.expand_path("../tmp/bench/large_file_#{megabytes}", __dir__)

    # One of that size is left as it is.
    def make
      return if File.size?(path) == megabytes * MEGABYTE

      FileUtils.mkdir_p(File.dirname(path))
      random = Random.new(42)
      File.open(path, "wb") { |file| megabytes.times { file.write(random.bytes(MEGABYTE)) } }
    end

    # What makes the object as large as the file.
    def fill
      <<~SQL.tr("\n", " ")
        #{EMPTY};
        SELECT count(lo_put(#{OID}, part::int8 * #{MEGABYTE}, megabyte))
        FROM (SELECT string_agg(sha256(i::text::bytea), '') AS megabyte FROM generate_series(1, #{MEGABYTE / 32}) i) data,
             generate_series(0, #{megabytes - 1}) part;
        CHECKPOINT
      SQL
    end
  end

  # BENCH_MEGABYTES:: its size; 1,024 by default
  LARGE_FILE = LargeFile.new(Integer(ENV.fetch("BENCH_MEGABYTES", 1024)))
  # For a slow link.
  SMALLER_FILE = LargeFile.new(64)
end
