# frozen_string_literal: true

# The servers of a run: each is started when it is first asked for and stopped at the end.
module SharedServers
  # Threads of an example may be the first to ask for a server: all of them get the one.
  STARTING = Mutex.new
  private_constant :STARTING

  class << self
    # The server that nearly every example uses. It speaks TLS; nobody may stop it.
    def main
      STARTING.synchronize { @main ||= PostgresServer.start(tls: true) }
    end

    # A server that refuses TLS.
    def without_tls
      STARTING.synchronize { @without_tls ||= PostgresServer.start(tls: false) }
    end

    # A hot standby: it takes connections and only reads.
    def standby
      STARTING.synchronize do
        @standby ||= PostgresServer.start(settings: { "wal_level" => "replica" }).tap(&:become_standby)
      end
    end

    # A server that is there and refuses everybody, as one does that is still starting up.
    def refusing
      STARTING.synchronize do
        @refusing ||= PostgresServer.start(settings: { "wal_level" => "replica", "hot_standby" => "off" })
                                    .tap(&:become_standby)
      end
    end

    def stop
      [@main, @without_tls, @standby, @refusing].compact.each(&:stop)
      @main = @without_tls = @standby = @refusing = nil
    end
  end
end
