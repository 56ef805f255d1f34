# frozen_string_literal: true

require "fileutils"
require "socket"
require "tmpdir"
require_relative "postgres_programs"
require_relative "server_guard"
require_relative "test_certificates"

# A throw-away PostgreSQL cluster: own directory, own socket, free port on 127.0.0.1, nothing kept.
# The specs, bin/demo and bin/console run on it. It needs nothing but Ruby and PostgreSQL's programs.
#
#   PostgresServer.start(settings: { "log_statement" => "all" }) { |server| server.conninfo }
#
# It is stopped and removed when the block ends, when #stop is called, and at the latest when the
# process that started it has ended in whatever way, be it a crash or SIGKILL.
#
# Besides the superuser there are three roles:
#
# pgconn_plain::    no special rights
# pgconn_password:: must give its PASSWORD (SCRAM-SHA-256)
# pgconn_tls_only:: is let in through TLS only
class PostgresServer
  PASSWORD = "correct horse"

  # Socket paths are limited to some 100 bytes, and user postgres must be able to enter the
  # directory. TMPDIR promises neither.
  BASE_DIRECTORY = "/tmp"

  # Quick to start, and careless about what would be left after a power cut. Shared memory is in the
  # data directory, so that it goes with it.
  SETTINGS = {
    "fsync" => "off",
    "synchronous_commit" => "off",
    "full_page_writes" => "off",
    "dynamic_shared_memory_type" => "mmap",
    "wal_level" => "minimal",
    "max_wal_senders" => "0",
    "max_prepared_transactions" => "20",
    "password_encryption" => "scram-sha-256",
    "listen_addresses" => "127.0.0.1",
    "log_line_prefix" => "%m [%p] %q%u@%d ",
    "timezone" => "UTC"
  }.freeze

  # The first rule that fits decides.
  ACCESS_RULES = <<~RULES
    local   all pgconn_password                scram-sha-256
    host    all pgconn_password 127.0.0.1/32   scram-sha-256
    hostssl all pgconn_tls_only 127.0.0.1/32   trust
    host    all pgconn_tls_only 127.0.0.1/32   reject
    local   all pgconn_tls_only                reject
    local   all all                            trust
    host    all all             127.0.0.1/32   trust
  RULES

  ROLES = <<~SQL.freeze
    CREATE ROLE pgconn_plain LOGIN;
    CREATE ROLE pgconn_tls_only LOGIN;
    CREATE ROLE pgconn_password LOGIN PASSWORD '#{PASSWORD}';
  SQL

  private_constant :ACCESS_RULES, :ROLES

  # Starts a server. With a block, yields it, stops it at the end and gives the block's value.
  #
  # @param tls [Boolean] whether it offers TLS, with a certificate made for this run
  # @param settings [Hash] lines of postgresql.conf, over SETTINGS
  def self.start(tls: false, settings: {})
    server = new(tls: tls, settings: settings)
    server.start
    return server unless block_given?

    begin
      yield server
    ensure
      server.stop
    end
  end

  attr_reader :port, :socket_directory, :data_directory

  def initialize(tls:, settings:)
    @tls = tls
    @settings = settings
    @owner = Process.pid
  end

  # Makes the cluster and starts it; PostgresServer.start calls this.
  def start
    at_exit { stop }
    make_directories
    @guard = ServerGuard.new(@directory, data_directory)
    make_cluster
    launch
    @programs.run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", ROLES, conninfo)
    started = true
  ensure
    # Also after Ctrl-C, or a signal, half way.
    stop unless started
  end

  def host
    "127.0.0.1"
  end

  def database
    "postgres"
  end

  # The superuser.
  def user
    "postgres"
  end

  # A key/value string by way of the socket; keywords add to it or replace, nil takes one out.
  #
  #   server.conninfo(host: server.host, user: "pgconn_plain")
  def conninfo(**overrides)
    { host: socket_directory, port: port, dbname: database, user: user }
      .merge(overrides).compact
      .map { |key, value| "#{key}='#{value.to_s.gsub(/[\\']/) { |character| "\\#{character}" }}'" }.join(" ")
  end

  # A URI by way of TCP.
  def uri
    "postgresql://#{user}@#{host}:#{port}/#{database}"
  end

  # The file with the certificate authority's certificate, for sslrootcert; nil without TLS.
  def root_certificate
    @tls ? File.join(@directory, "root.crt") : nil
  end

  # What the server has logged so far.
  def log
    File.exist?(log_file) ? File.read(log_file) : ""
  end

  # The postmaster's process id; nil while it is not running.
  def pid
    pid = File.read(pid_file).to_i
    pid if backend_alive?(pid)
  rescue Errno::ENOENT
    nil
  end

  # Whether the process of a session, as backend_pid gives it, still runs.
  def backend_alive?(pid)
    PostgresPrograms.alive?(pid)
  end

  # Stops the server, as pg_ctl's modes do, and starts it again on the same port and data.
  def restart(mode: :fast)
    halt(mode)
    launch
  end

  # Starts it again as a standby that follows nobody: it only reads, or with hot_standby "off" refuses
  # everybody. It must have been started with wal_level "replica".
  def become_standby
    halt(:fast)
    signal = File.join(data_directory, "standby.signal")
    FileUtils.touch(signal)
    PostgresPrograms.give_away(signal)
    launch
  end

  # Stops the server and removes its files. May be called again, and in a forked child; neither
  # does anything.
  def stop(mode: :fast)
    return if @stopped || Process.pid != @owner

    halt(mode) if data_directory
    FileUtils.rm_rf(@directory) if @directory
    @guard&.dismiss
    @stopped = true
  end

  private

  def make_directories
    @directory = Dir.mktmpdir("pgconn-", BASE_DIRECTORY)
    @socket_directory = File.join(@directory, "socket")
    @data_directory = File.join(@directory, "data")
    @programs = PostgresPrograms.new(@directory)
    Dir.mkdir(socket_directory)
    File.chmod(0o755, @directory)
    PostgresPrograms.give_away(@directory, socket_directory)
  end

  def make_cluster
    @programs.run("initdb", "-D", data_directory, "-U", user,
                  "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
    File.write(File.join(data_directory, "pg_hba.conf"), ACCESS_RULES)
    File.write(File.join(data_directory, "postgresql.conf"), configuration, mode: "a")
  end

  def configuration
    @port = free_port
    own = { "port" => port, "unix_socket_directories" => socket_directory }
    SETTINGS.merge(own, tls_settings, @settings)
            .map { |name, value| "#{name} = '#{value.to_s.gsub("'", "''")}'\n" }.join
  end

  def tls_settings
    return {} unless @tls

    files = TestCertificates.write(@directory, host: host)
    PostgresPrograms.give_away(*files.values)
    { "ssl" => "on", "ssl_cert_file" => files[:certificate], "ssl_key_file" => files[:key] }
  end

  # Below the ports that outgoing connections are given, so that none of them takes it meanwhile.
  def free_port
    port = rand(20_000...32_000)
    TCPServer.open(host, port).close
    port
  rescue Errno::EADDRINUSE
    retry
  end

  def launch
    # What a postmaster that was killed leaves behind.
    FileUtils.rm_f([pid_file, *Dir.glob(File.join(socket_directory, ".s.*"))]) unless pid
    @programs.run("pg_ctl", "start", "-w", "-t", "60", "-D", data_directory, "-l", log_file)
  rescue PostgresPrograms::Error => e
    raise e.class, "#{e.message}#{log}"
  end

  def halt(mode)
    return unless pid

    @programs.run("pg_ctl", "stop", "-w", "-t", "30", "-D", data_directory, "-m", mode.to_s)
  rescue PostgresPrograms::Error
    # A smart or fast stop that waits for somebody, or a postmaster that somebody killed meanwhile.
    @programs.run("pg_ctl", "stop", "-w", "-D", data_directory, "-m", "immediate") if pid
  end

  def pid_file
    File.join(data_directory, "postmaster.pid")
  end

  def log_file
    File.join(@directory, "log")
  end
end
