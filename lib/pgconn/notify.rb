# frozen_string_literal: true

module Pgconn
  # A notification: what a session has sent by NOTIFY to a channel that this one listens to. Frozen; can
  # be shared between Ractors.
  #
  # @example
  #   pid, channel, payload = notify.to_a
  #   case notify
  #   in { channel: "jobs", payload: } then work_on(payload)
  #   end
  # @see Connection#notifies
  # @see Connection#wait_for_notify
  # @see https://www.postgresql.org/docs/current/sql-notify.html PostgreSQL, "NOTIFY"
  class Notify
    include ValueObject

    # @return [Integer] the process ID of the server process that sent it: its session's
    #   {Connection#backend_pid}
    attr_reader :pid

    # @return [String] the channel's name
    attr_reader :channel

    # @return [String] what was sent with it; "" for nothing
    attr_reader :payload

    # @param pid [Integer]
    # @param channel [String]
    # @param payload [String]
    def initialize(pid, channel, payload = "")
      self.fields = [pid, channel, payload]
      freeze
    end

    # @return [Array(Integer, String, String)] pid, channel and payload
    def to_a = fields

    # For `in [pid, channel, payload]`.
    # @return [Array(Integer, String, String)]
    def deconstruct = fields

    # For `in {channel:, payload:}`.
    # @param _names [Array<Symbol>, nil] the keys that the pattern asks for
    # @return [Hash{Symbol => Integer, String}]
    def deconstruct_keys(_names) = { pid: pid, channel: channel, payload: payload }

    # @return [String]
    def inspect = "#<#{self.class} pid=#{pid} channel=#{channel.inspect} payload=#{payload.inspect}>"

    protected

    def fields = [@pid, @channel, @payload]

    private

    def fields=(values)
      @pid = values[0]
      @channel, @payload = values.drop(1).map { |text| String.new(text).freeze }
    end
  end
end
