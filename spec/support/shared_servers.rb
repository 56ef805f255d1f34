# frozen_string_literal: true

# The servers of a run: each is started when it is first asked for and stopped at the end.
module SharedServers
  class << self
    # The server that nearly every example uses. It speaks TLS; nobody may stop it.
    def main
      @main ||= PostgresServer.start(tls: true)
    end

    # A server that refuses TLS.
    def without_tls
      @without_tls ||= PostgresServer.start(tls: false)
    end

    # A hot standby: it takes connections and only reads.
    def standby
      @standby ||= PostgresServer.start(settings: { "wal_level" => "replica" }).tap(&:become_standby)
    end

    # A server that is there and refuses everybody, as one does that is still starting up.
    def refusing
      @refusing ||= PostgresServer.start(settings: { "wal_level" => "replica", "hot_standby" => "off" })
                                  .tap(&:become_standby)
    end

    def stop
      [@main, @without_tls, @standby, @refusing].compact.each(&:stop)
      @main = @without_tls = @standby = @refusing = nil
    end
  end
end
