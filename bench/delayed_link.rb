# frozen_string_literal: true

require_relative "case"
require_relative "driver"
require_relative "peers"

module Bench
  # A way to the server on which each byte takes half of a delay there and the answer half of it back; see
  # workers/delay_proxy.c.
  class DelayedLink
    # Seconds.
    MEASURED = 0.5

    # @return [Hash] the PG* variables by which drivers connect
    attr_reader :environment

    # @param delay [Numeric] seconds that it adds to a round trip
    def initialize(database, delay)
      @database = database
      @delay = delay
      @io = IO.popen([Peers::DELAY_PROXY, (delay * 1e6 / 2).round.to_s, database.socket], "r+")
      port = @io.gets or raise Peers::Missing, "the delay proxy did not start"
      @environment = database.environment.merge("PGHOST" => "127.0.0.1", "PGPORT" => port.chomp)
    end

    # @return [String] what it is, and how long a round trip there takes, which is measured now
    # @raise [Driver::Error] when that is shorter than the delay
    def describe
      with, without = [environment, @database.environment].map { |way| round_trip(way) }
      raise Driver::Error, "a round trip of #{with} s is too short" if with < @delay

      format("%<delay>g ms away: TCP through a proxy that delays each direction by half of that; " \
             "SELECT 1+1 takes the floor %<with>.3f ms there, and %<without>.3f ms on the Unix socket.",
             delay: @delay * 1e3, with: with * 1e3, without: without * 1e3)
    end

    # The proxy ends at the end of its input.
    def close = @io.close

    private

    # Seconds, by the mean of many.
    def round_trip(environment)
      floor = Driver.new("floor", environment)
      floor.setup(CASES.first)
      floor.run(MEASURED).then { |answer| answer["seconds"] / answer["queries"] }
    ensure
      floor&.close
    end
  end
end
