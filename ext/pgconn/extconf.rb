# frozen_string_literal: true

require "mkmf"

MISSING = <<~TEXT
  libpq, PostgreSQL's client library, was not found (or its headers were not). Install it with

    apt-get install libpq-dev        Debian, Ubuntu
    dnf install libpq-devel          Fedora (postgresql-devel in older ones)
    apk add libpq-dev                Alpine
    brew install libpq               macOS

  or say where it is:

    gem install pgconn -- --with-pg-config=/path/to/pg_config
    gem install pgconn -- --with-pg-include=/path/to/include --with-pg-lib=/path/to/lib

  mkmf.log has the details.
TEXT

TOO_OLD = <<~TEXT
  This libpq is too old: pgconn needs 14 or later, the first to have the pipeline mode. The server may
  be older. Where several are installed, --with-pg-config=/path/to/pg_config names the right one.
TEXT

# Homebrew leaves it out of PATH.
def pg_config
  with_config("pg-config") || find_executable("pg_config") ||
    Dir.glob("{/opt/homebrew,/usr/local}/opt/libpq/bin/pg_config").first
end

# The directories of headers and library. Debian's server packages bring a pg_config that only fails
# where libpq-dev isn't installed.
def configured_directories
  program = pg_config or return []
  %w[--includedir --libdir].filter_map do |option|
    directory = IO.popen([program, option], err: File::NULL, &:read).strip
    directory unless directory.empty?
  end
rescue Errno::ENOENT
  abort "There is no #{program}."
end

def libpq?
  have_header("libpq-fe.h") && have_library("pq", "PQconnectStartParams", "libpq-fe.h")
end

def find_libpq
  # --with-pg-dir, --with-pg-include and --with-pg-lib win over what pg_config says.
  dir_config("pg", *configured_directories)
  libpq? || (pkg_config("libpq") && libpq?)
end

# The compiler may be chosen as for any Makefile: CC=clang gem install pgconn
[RbConfig::CONFIG, RbConfig::MAKEFILE_CONFIG].each { |config| config["CC"] = ENV["CC"] } if ENV["CC"]

# gnu99 is C99 with the functions of POSIX in sight.
#
# Warnings are about pgconn's own code: Ruby's headers count as the system's, and what Ruby was
# built with, which another compiler may not know, is replaced.
$INCFLAGS = $INCFLAGS.gsub(/-I(?=\$\((?:arch_)?hdrdir\))/, "-isystem ")
$warnflags = "-Wall -Wextra"
$warnflags += " -Werror" if enable_config("werror", false)
$CFLAGS += " -std=gnu99 $(warnflags) -fvisibility=hidden"

abort MISSING unless find_libpq
abort TOO_OLD unless have_func("PQenterPipelineMode", "libpq-fe.h")

have_library("pthread", "pthread_create", "pthread.h")
have_func("pthread_condattr_setclock", "pthread.h") # not in macOS

create_makefile("pgconn/pgconn_ext")
