# frozen_string_literal: true

require_relative "gate_scheduler"

# The ways in which a call may wait for the server. Each runs a block where calls wait so, and gives it the
# keywords with which to connect; what the block raises comes out.
module WaysOfWaiting
  class << self
    # @return [Hash{String => #call}] by what they are called
    def all
      { "a thread" => method(:in_thread), "a fiber of the gate scheduler" => method(:in_gate),
        "a task of async" => method(:in_async), "a wait callback" => method(:in_callback) }
    end

    # Polls, and waits for what poll says.
    POLLING = lambda do |connection|
      until (events = connection.poll) == Pgconn::POLL_OK
        connection.to_io.wait(events, nil)
      end
    end

    def in_callback(server, &block)
      Pgconn.wait_callback = POLLING
      in_thread(server, &block)
    ensure
      Pgconn.wait_callback = nil
    end

    def in_thread(server, &block)
      finish(Thread.new { block.call(tcp(server)) })
    end

    def in_gate(server, &block)
      GateScheduler.run(server.host, server.port) { |gate| block.call(tcp(server).merge(port: gate.port)) }
    end

    # What the block raises isn't for the task's log.
    def in_async(server, &block)
      require "async"
      finish(Thread.new do
        result = error = nil
        Sync do
          result = block.call(tcp(server))
        rescue StandardError => e
          error = e
        end
        error ? raise(error) : result
      end)
    end

    private

    def tcp(server)
      { host: server.host, port: server.port, dbname: server.database, user: server.user, sslmode: "disable" }
    end

    def finish(thread)
      thread.report_on_exception = false
      thread.join(6 * ConnectionHelpers::SOON) ? thread.value : raise("it still waits")
    ensure
      thread.kill
    end
  end
end
