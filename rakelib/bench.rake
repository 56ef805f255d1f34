# frozen_string_literal: true

desc "Compare the speed with that of other drivers; BENCH_CASES, BENCH_DRIVERS, BENCH_ROUNDS, BENCH_SECONDS"
task bench: :compile do
  ruby "bench/run.rb"
end

namespace :bench do
  desc "Check that memory stays flat over ten million rows and large objects; BENCH_ROWS, BENCH_MEGABYTES"
  task memory: :compile do
    ruby "-Ilib", "bench/memory.rb"
  end
end
