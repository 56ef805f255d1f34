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

    def stop
      [@main, @without_tls].compact.each(&:stop)
      @main = @without_tls = nil
    end
  end
end
