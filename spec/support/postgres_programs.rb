# frozen_string_literal: true

require "etc"
require "fileutils"

# PostgreSQL's own programs (initdb, pg_ctl, psql): where they are, and running them as a user that
# PostgreSQL accepts, which root isn't.
class PostgresPrograms
  # A program that is missing or has failed.
  class Error < StandardError; end

  # Where packages put what only a server needs, out of PATH.
  PACKAGED = %w[
    /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/libexec/postgresql*
    /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin
  ].freeze

  class << self
    # The directory of the programs: in PATH, by pg_config, or the newest of those installed.
    def directory
      @directory ||= candidates.find { |directory| complete?(directory) } || raise(Error, <<~TEXT)
        PostgreSQL's server programs (initdb, pg_ctl, postgres, psql) were not found: not in PATH,
        not by pg_config, not in #{PACKAGED.first}.
        On Debian and Ubuntu: apt-get install postgresql
      TEXT
    end

    # The command with which root runs it as user postgres; for others the command itself.
    def command(name, *arguments)
      as_user(File.join(directory, name), *arguments)
    end

    # The same for any program that doesn't run as root.
    def as_user(path, *arguments)
      [*change_of_user, path, *arguments]
    end

    # Makes user postgres the owner of files that root has made.
    def give_away(*paths)
      FileUtils.chown(user.uid, user.gid, paths) if root?
    end

    # Whether a process still runs. What has ended and was not yet waited for doesn't: in a container
    # there may be nobody who ever does.
    def alive?(pid)
      Process.kill(0, pid)
      !zombie?(pid)
    rescue Errno::EPERM
      true
    rescue Errno::ESRCH
      false
    end

    private

    # By Linux's /proc; elsewhere there is an init that waits.
    def zombie?(pid)
      File.read("/proc/#{pid}/stat")[/.*\) (\w)/m, 1] == "Z"
    rescue Errno::ENOENT
      false
    end

    # Links in PATH lead to the directory where the other programs are.
    def candidates
      in_path = ENV.fetch("PATH", "").split(File::PATH_SEPARATOR).map { |path| File.join(path, "initdb") }
      [*in_path.select { |path| File.executable?(path) }.map { |path| File.dirname(File.realpath(path)) },
       configured, *Dir.glob(PACKAGED).sort_by { |path| -path[/\d+/].to_i }]
    end

    def configured
      IO.popen(%w[pg_config --bindir], err: File::NULL, &:read).strip
    rescue Errno::ENOENT
      ""
    end

    def complete?(directory)
      %w[initdb pg_ctl postgres psql].all? { |name| File.executable?(File.join(directory, name)) }
    end

    def change_of_user
      return [] unless root?

      ["setpriv", "--reuid=#{user.uid}", "--regid=#{user.gid}", "--clear-groups", "--"]
    end

    def root?
      Process.uid.zero?
    end

    def user
      Etc.getpwnam("postgres")
    rescue ArgumentError
      raise Error, "PostgreSQL does not run as root, and there is no user postgres to run it as"
    end
  end

  # @param directory [String] where the programs run and leave their output; user postgres's own
  def initialize(directory)
    @directory = directory
    @output = File.join(directory, "output")
  end

  # Runs a program to its end. It has a process group of its own, so that Ctrl-C doesn't reach it; an
  # exception here lets it finish first, lest something half started is left.
  #
  # @raise [Error] where it fails, with what it said
  def run(name, *arguments)
    pid = spawn(environment, *self.class.command(name, *arguments),
                in: File::NULL, %i[out err] => [@output, "w"], pgroup: true, chdir: @directory)
    begin
      _, status = Process.wait2(pid)
    ensure
      Process.wait(pid) unless status
    end
    raise Error, "#{name} failed:\n#{File.read(@output)}" unless status.success?
  end

  private

  # PG* variables are for the user's own server, and what is preloaded is meant for Ruby.
  def environment
    ENV.keys.grep(/\A(?:PG|LD_PRELOAD\z)/).to_h { |name| [name, nil] }
       .merge("HOME" => @directory, "LC_ALL" => "C")
  end
end
