# frozen_string_literal: true

require_relative "documentation"
require_relative "extension_build"
require_relative "fuzzer"

# How the code reads, and what compilers have to say about it.
module Lint
  COLUMNS = 100

  class << self
    # clang-format leaves comments as they are. An address can't be broken.
    def overlong_lines(files)
      files.flat_map do |file|
        File.foreach(file, chomp: true).with_index(1).filter_map do |line, number|
          "#{file}:#{number}: over #{COLUMNS} columns" if line.size > COLUMNS && !line.include?("://")
        end
      end
    end

    # A comment above a class that is reopened would replace the class's documentation. Files in a folder
    # that is named after a class reopen it, unless they name a class of their own.
    def documented_again(files)
      files.select do |file|
        reopened = File.basename(File.dirname(file)).capitalize
        File.read(file).match?(/^ *# (?!frozen_string_literal).*\n+(module Pgconn| *class #{reopened})$/)
      end
    end
  end
end

namespace :lint do
  desc "Check the Ruby files with RuboCop"
  task :ruby do
    sh "bundle", "exec", "rubocop"
  end

  desc "Check the format of the C files; CLANG_FORMAT names another clang-format"
  task :c do
    files = Dir["{ext/pgconn,fuzz,bench/workers}/*.{c,h}"]
    formatted = system(ENV.fetch("CLANG_FORMAT", "clang-format"), "--dry-run", "-Werror", *files)
    abort "clang-format -i {ext/pgconn,fuzz,bench/workers}/*.[ch] puts that right" unless formatted
    overlong = Lint.overlong_lines(files)
    abort overlong.join("\n") if overlong.any?
    puts "clang-format: #{files.size} files as they should be"
  end

  desc "Compile with -Werror, with gcc and with clang where it is installed"
  task :warnings do
    ExtensionBuild.compilers.each do |compiler| # gcc's and clang's opinions differ
      build = ExtensionBuild.new("tmp/warnings/#{compiler}", compiler: compiler, options: %w[--enable-werror])
      build.run
      build.compile("-fsyntax-only", *Fuzzer.paths, *Dir["#{Fuzzer::FOLDER}/*.c"]) or
        abort "#{compiler} has warnings or errors of the fuzzers"
      puts "#{compiler}: no warnings"
    end
  end

  desc "Check that everything public is documented, and that its links lead somewhere"
  task docs: :compile do
    documentation = Documentation.new
    puts documentation.report
    problems = documentation.problems
    abort problems.join("\n") if problems.any?
    again = Lint.documented_again(Dir["lib/pgconn/*/*.rb"])
    abort "The comment on the topic goes into the class: #{again.join(", ")}" if again.any?
  end
end

desc "Run all linters"
task lint: %w[lint:ruby lint:c lint:warnings lint:docs]
