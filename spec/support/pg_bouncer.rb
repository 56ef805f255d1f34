# frozen_string_literal: true

require "fileutils"
require "socket"
require "tmpdir"
require_relative "postgres_programs"

# A PgBouncer in transaction mode before a server: each transaction of a client may run in another of its
# few sessions with the server, so that nothing of a session can be relied on.
#
#   PgBouncer.open(server, sessions: 2) { |bouncer| Pgconn.connect(bouncer.conninfo) }
class PgBouncer
  PATHS = %w[
    /usr/sbin/pgbouncer /usr/bin/pgbouncer /usr/local/bin/pgbouncer /opt/homebrew/bin/pgbouncer
  ].freeze

  # How long it may take to start, in seconds.
  PATIENCE = 30
  private_constant :PATHS, :PATIENCE

  # @param server [PostgresServer]
  # @param sessions [Integer] with the server, at most
  # @yieldparam bouncer [PgBouncer]
  # @return [Object] the block's value
  def self.open(server, sessions: 2)
    bouncer = new(server, sessions)
    bouncer.start
    yield bouncer
  ensure
    bouncer&.stop
  end

  def initialize(server, sessions)
    @server = server
    @sessions = sessions
    @directory = Dir.mktmpdir("pgconn-bouncer-", PostgresServer::BASE_DIRECTORY)
    @port = TCPServer.open("127.0.0.1", 0) { |listener| listener.addr[1] }
  end

  def conninfo
    "host=127.0.0.1 port=#{@port} dbname=#{@server.database} user=#{@server.user}"
  end

  def start
    File.write(path("users"), %("#{@server.user}" ""\n))
    File.write(path("config"), configuration)
    FileUtils.chmod(0o755, @directory)
    PostgresPrograms.give_away(@directory, path("users"), path("config"))
    @pid = spawn(*PostgresPrograms.as_user(program, path("config")),
                 in: File::NULL, %i[out err] => path("log"), pgroup: true)
    wait_until_ready
  end

  def stop
    if @pid
      Process.kill(:KILL, -@pid)
      Process.wait(@pid)
    end
    FileUtils.rm_rf(@directory)
  end

  private

  def path(name) = File.join(@directory, name)

  def program
    PATHS.find { |path| File.executable?(path) } or
      raise "PgBouncer was not found. On Debian and Ubuntu: apt-get install pgbouncer"
  end

  def configuration
    <<~INI
      [databases]
      #{@server.database} = host=#{@server.socket_directory} port=#{@server.port}
      [pgbouncer]
      listen_addr = 127.0.0.1
      listen_port = #{@port}
      unix_socket_dir =
      auth_type = trust
      auth_file = #{path("users")}
      pool_mode = transaction
      default_pool_size = #{@sessions}
    INI
  end

  def wait_until_ready
    deadline = Elapsed.now + PATIENCE
    begin
      TCPSocket.open("127.0.0.1", @port).close
    rescue Errno::ECONNREFUSED
      raise "PgBouncer doesn't listen:\n#{File.read(path("log"))}" if Elapsed.now > deadline || ended?

      Thread.pass
      retry
    end
  end

  def ended? = Process.wait(@pid, Process::WNOHANG)
end
