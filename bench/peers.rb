# frozen_string_literal: true

require "fileutils"
require "rbconfig"

module Bench
  # The drivers' programs: what they need, which is installed where that can be, and how they are started.
  module Peers
    # What is missing and can't be installed.
    class Missing < StandardError; end

    ROOT = File.expand_path("..", __dir__)
    WORKERS = File.join(__dir__, "workers")
    PROGRAMS = File.join(ROOT, "tmp", "bench")
    FLOOR = File.join(PROGRAMS, "floor")
    DELAY_PROXY = File.join(PROGRAMS, "delay_proxy")

    # Debian's Python, for Debian's packages.
    PYTHON = ENV.fetch("BENCH_PYTHON", "/usr/bin/python3")
    RUBY = [RbConfig.ruby, "-rbundler/setup", "-I", File.join(ROOT, "lib")].freeze

    # The gems are compiled on this machine, so that all drivers use the libpq that is installed; pg's
    # packages for a platform bring another one.
    GEMS = { "BUNDLE_GEMFILE" => File.join(__dir__, "Gemfile"),
             "BUNDLE_PATH" => File.join(ROOT, "vendor", "bench"),
             "BUNDLE_FORCE_RUBY_PLATFORM" => "true",
             "BUNDLE_SILENCE_ROOT_WARNING" => "true" }.freeze

    COMMANDS = {
      "floor" => [FLOOR],
      "pgconn" => [*RUBY, File.join(WORKERS, "pgconn.rb")],
      "pgconn_thread" => [*RUBY, File.join(WORKERS, "pgconn.rb"), "thread"],
      "pgconn_stream" => [*RUBY, File.join(WORKERS, "pgconn.rb"), "stream"],
      "pgconn_fetch_all" => [*RUBY, File.join(WORKERS, "pgconn.rb"), "fetch_all"],
      "pg" => [*RUBY, File.join(WORKERS, "pg.rb")],
      "pg_16" => [*RUBY, File.join(WORKERS, "pg.rb"), "16"],
      "sequel_pg" => [*RUBY, File.join(WORKERS, "sequel_pg.rb")],
      "psycopg2" => [PYTHON, File.join(WORKERS, "psycopg2_worker.py")],
      "asyncpg" => [PYTHON, File.join(WORKERS, "asyncpg_worker.py")],
      "asyncpg_uvloop" => [PYTHON, File.join(WORKERS, "asyncpg_worker.py"), "uvloop"]
    }.freeze

    # Debian's packages, and for each a command that fails without it.
    PACKAGES = { "util-linux" => %w[taskset --version], "gcc" => %w[gcc --version],
                 "libpq-dev" => %w[pg_config --version] }.freeze

    # What the drivers in Python import; Debian's packages are called python3- and that.
    MODULES = { "psycopg2" => %w[psycopg2], "asyncpg" => %w[asyncpg],
                "asyncpg_uvloop" => %w[asyncpg uvloop] }.freeze

    class << self
      # Variables of the caller's Bundler and for the caller's own server don't reach the workers.
      def environment
        ENV.keys.grep(/\A(PG|BUNDLE|RUBY)/).to_h { |name| [name, nil] }
           .merge(GEMS, "PYTHONDONTWRITEBYTECODE" => "1", "DEBIAN_FRONTEND" => "noninteractive")
      end

      def command(name) = COMMANDS.fetch(name)

      # @raise [Missing] for what must be installed by hand
      def install(drivers)
        missing = packages(drivers).reject { |_, check| succeeds?(*check) }.keys
        install_packages(missing) unless missing.empty?
        run(RbConfig.ruby, "-S", "bundle", "install", "--quiet")
        compile_programs
      end

      private

      def packages(drivers)
        modules = MODULES.values_at(*drivers).flatten.compact.uniq
        PACKAGES.merge(modules.to_h { |name| ["python3-#{name}", [PYTHON, "-c", "import #{name}"]] })
      end

      def install_packages(names)
        unless Process.uid.zero? && succeeds?("apt-get", "--version")
          raise Missing, "Packages are missing. On Debian and Ubuntu install them with\n  " \
                         "sudo apt-get install --no-install-recommends #{names.join(" ")}"
        end

        run("apt-get", "update", "--quiet")
        run("apt-get", "install", "--quiet", "--yes", "--no-install-recommends", *names)
      end

      def compile_programs
        FileUtils.mkdir_p(PROGRAMS)
        include, lib = IO.popen(%w[pg_config --includedir --libdir], &:readlines).map(&:chomp)
        compile(FLOOR, "-I#{include}", "-L#{lib}", "-lpq")
        compile(DELAY_PROXY)
      end

      # Of the files whose names begin with the program's.
      def compile(program, *libraries)
        sources = Dir[File.join(WORKERS, "#{File.basename(program)}*.c")]
        run("gcc", "-O2", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-o", program, *sources, *libraries)
      end

      def run(*command)
        system(environment, *command, out: :err) || raise(Missing, "#{command.join(" ")} failed")
      end

      def succeeds?(*command)
        system(*command, %i[out err] => File::NULL)
      end
    end
  end
end
