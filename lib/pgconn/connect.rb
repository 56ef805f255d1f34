# frozen_string_literal: true

# A PostgreSQL driver over libpq. {Pgconn.connect} is where it begins.
module Pgconn
  # Connects to a server.
  #
  # @overload connect(conninfo = nil, connection_factory: Connection, **options)
  #   @return [Connection]
  # @overload connect(conninfo = nil, connection_factory: Connection, **options) { |conn| ... }
  #   Commits when the block ends (also by `next`, `break` or `return`), rolls back when it is left by an
  #   exception, a `throw` or a kill, and closes.
  #   @yieldparam conn [Connection]
  #   @return [Object] the block's value
  # @param conninfo [String, nil] a URI (`postgresql://...`) or a key/value string
  # @param connection_factory [Class] {Connection} or a subclass
  # @param options (see Connection#initialize)
  # @raise (see Connection#initialize)
  # @example
  #   conn = Pgconn.connect("postgresql://app@db.example.com/shop", connect_timeout: 3)
  # @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING Connection Strings
  def self.connect(conninfo = nil, connection_factory: Connection, **options, &block)
    unless connection_factory.is_a?(Class) && connection_factory <= Connection
      raise TypeError, "connection_factory must be Pgconn::Connection or a subclass, " \
                       "not #{connection_factory.inspect}"
    end
    raise ArgumentError, "an async connection can't be had for a block" if block && options[:async]

    conn = connection_factory.new(conninfo, **options)
    return conn unless block

    begin
      conn.__send__(:end_transaction_after, &block)
    ensure
      conn.close
    end
  end
end
