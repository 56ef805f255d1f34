# frozen_string_literal: true

# The inputs with which the fuzzers begin.
module FuzzSeeds
  STATEMENTS = File.expand_path("../fuzz/statements.sql", __dir__)

  # The options of fuzz/decoders.c.
  TEXT = 0
  BINARY = 1

  class << self
    # For fuzz/lexer.c and fuzz/names.c: each statement with both ways to read strings.
    def statements
      %W[\0 \1].product(File.binread(STATEMENTS).split("\n\n")).map(&:join)
    end

    # For fuzz/decoders.c: values of every type that has a codec, in both formats.
    def values
      require "pgconn"
      require_relative "../spec/support/postgres_server"
      require_relative "../spec/support/sample_values"
      require_relative "../fuzz/lib/registered_types"
      PostgresServer.start do |server|
        Pgconn.connect(server.conninfo, autocommit: true) { |connection| samples(connection) }
      end
    end

    private

    def samples(connection)
      values = SampleValues.new(connection)
      built_in = Pgconn::Codec.types.keys.flat_map { |oid| values.of(oid) }
      registered = RegisteredTypes.samples.map { |sample| SampleValues::Sample.new(*sample) }
      [*built_in, *registered].flat_map { |sample| inputs(sample) }
    end

    def inputs(sample)
      [[TEXT, sample.text], [BINARY, sample.binary]].filter_map do |options, bytes|
        [sample.oid, options].pack("S<C") + bytes.b if bytes
      end
    end
  end
end
