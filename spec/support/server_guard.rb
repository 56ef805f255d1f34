# frozen_string_literal: true

require_relative "postgres_programs"

# A small process that removes a server when the one that started it has ended without doing so:
# by exit!, SIGKILL or a crash. Its standard input is a pipe that only its starter, and what that
# forks, holds open.
class ServerGuard
  # The shell ends at once and leaves its background job behind, so that no Process.wait of the
  # starter finds it. It tries again where initdb was still at work.
  SCRIPT = <<~SH
    exec 3<&0
    directory=$1
    shift
    {
      trap '' INT TERM HUP
      cat <&3
      for attempt in 1 2 3 4 5 6 7 8 9; do
        test -d "$directory" || break
        test $attempt -eq 1 || sleep 1
        "$@"
        rm -rf "$directory"
      done
    } >/dev/null 2>&1 &
  SH
  private_constant :SCRIPT

  # @param directory [String] what is removed
  # @param data_directory [String] the server's, within it
  def initialize(directory, data_directory)
    reader, @lifeline = IO.pipe
    stop = PostgresPrograms.command("pg_ctl", "stop", "-D", data_directory, "-m", "immediate")
    Process.wait(spawn("sh", "-c", SCRIPT, "sh", directory, *stop, in: reader, pgroup: true, chdir: "/"))
    reader.close
  end

  # Lets it end; it does nothing where the directory is gone.
  def dismiss
    @lifeline.close
  end
end
