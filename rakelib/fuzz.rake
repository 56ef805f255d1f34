# frozen_string_literal: true

require_relative "fuzz_seeds"
require_relative "fuzzer"

namespace :fuzz do
  seconds = ENV.fetch("FUZZ_SECONDS", 20)

  decoders = Fuzzer.new("decoders", dictionary: "decoders.dict", sources: %w[embedded_ruby.c])
  names = Fuzzer.new("names", dictionary: "sql.dict", sources: %w[embedded_ruby.c])
  lexer = Fuzzer.new("lexer", dictionary: "sql.dict", objects: "sql_*.o")

  desc "Fuzz every decoder, and the way back, for FUZZ_SECONDS (20)"
  task decoders: :compile do
    decoders.seed(FuzzSeeds.values)
    decoders.run(seconds)
  end

  desc "Fuzz the SQL lexer for FUZZ_SECONDS (20)"
  task :lexer do
    lexer.seed(FuzzSeeds.statements)
    lexer.run(seconds)
  end

  desc "Fuzz the rewriting of :name for FUZZ_SECONDS (20)"
  task :names do
    names.seed(FuzzSeeds.statements)
    names.run(seconds)
  end
end

desc "Run all fuzzers, each for FUZZ_SECONDS (20)"
task fuzz: %w[fuzz:decoders fuzz:lexer fuzz:names]
