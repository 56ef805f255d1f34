# frozen_string_literal: true

module Pgconn
  # To what server a connection leads and how: what {Connection#info} gives. What was settled when it
  # connected stays as it was, also after a loss, after {Connection#close} and in a forked child; the rest is
  # asked of the connection each time. Nothing of it waits, whatever other threads do with the connection,
  # and nothing of it shows a password.
  #
  # @example
  #   conn.info.host                     # => "db.example.com"
  #   conn.info.ssl_attribute(:protocol) # => "TLSv1.3"
  # @see https://www.postgresql.org/docs/current/libpq-status.html Connection Status Functions
  class ConnectionInfo
    # @api private
    # @param connection [Connection]
    # @param server [Hash{Symbol => Object}] what libpq said of it when it had connected
    # @param parameters [Hash{String => String}] with which it connected, without secrets
    def initialize(connection, server, parameters)
      @connection = connection
      @server = server
      @parameters = parameters
    end

    # @return [String, nil] the host that was connected to, of several the one that was chosen: its name, its
    #   address, or the directory of its socket. nil if the connect failed, as for all that follows
    # @see https://www.postgresql.org/docs/current/libpq-status.html#LIBPQ-PQHOST PQhost
    def host = @server[:host]

    # @return [String, nil] the host's IP address, nil for a socket
    # @see https://www.postgresql.org/docs/current/libpq-status.html#LIBPQ-PQHOSTADDR PQhostaddr
    def hostaddr = @server[:hostaddr]

    # @return [Integer, nil]
    # @see https://www.postgresql.org/docs/current/libpq-status.html#LIBPQ-PQPORT PQport
    def port = @server[:port]

    # @return [String, nil] the name of the database
    # @see https://www.postgresql.org/docs/current/libpq-status.html#LIBPQ-PQDB PQdb
    def dbname = @server[:dbname]

    # @return [String, nil] the name of the user
    # @see https://www.postgresql.org/docs/current/libpq-status.html#LIBPQ-PQUSER PQuser
    def user = @server[:user]

    # @return [String, nil] the command-line options for the server, nil for none
    # @see https://www.postgresql.org/docs/current/libpq-status.html#LIBPQ-PQOPTIONS PQoptions
    def options = @server[:options]

    # @return [Boolean] whether the server wanted a password and there was none
    # @see https://www.postgresql.org/docs/current/libpq-status.html#LIBPQ-PQCONNECTIONNEEDSPASSWORD
    #   PQconnectionNeedsPassword
    def needs_password? = @server.fetch(:needs_password, false)

    # @return [Boolean] whether the server wanted a password, and got it
    # @see https://www.postgresql.org/docs/current/libpq-status.html#LIBPQ-PQCONNECTIONUSEDPASSWORD
    #   PQconnectionUsedPassword
    def used_password? = @server.fetch(:used_password, false)

    # @return [Boolean] whether the connection is encrypted by TLS
    # @see https://www.postgresql.org/docs/current/libpq-status.html#LIBPQ-PQSSLINUSE PQsslInUse
    def ssl_in_use? = @server.fetch(:ssl_in_use, false)

    # @param name [String, Symbol] library, protocol, cipher, key_bits, compression, ...
    # @return [String, nil] nil without TLS and for attributes that libpq doesn't know
    # @see https://www.postgresql.org/docs/current/libpq-status.html#LIBPQ-PQSSLATTRIBUTE PQsslAttribute
    def ssl_attribute(name) = ssl_attributes[name.to_s]

    # @return [Array<String>] the attributes that the connection has, none without TLS
    # @see https://www.postgresql.org/docs/current/libpq-status.html#LIBPQ-PQSSLATTRIBUTENAMES
    #   PQsslAttributeNames
    def ssl_attribute_names = ssl_attributes.keys

    # @return [Hash{String => String}] all parameters with which it connected, by libpq's keywords: those that
    #   were given, and those that came from a service, the environment and as defaults. Of several hosts it
    #   has all. Passwords and other secrets are left out
    def dsn_parameters = @parameters

    alias parameters dsn_parameters

    # @return (see Connection#backend_pid)
    def backend_pid = @connection.backend_pid

    # @return (see Connection#server_version)
    def server_version = @connection.server_version

    # @return (see Connection#protocol_version)
    def protocol_version = @connection.protocol_version

    # @return (see Connection#status)
    def status = @connection.status

    # @return (see Connection#transaction_status)
    def transaction_status = @connection.transaction_status

    # @param name (see Connection#parameter_status)
    # @return (see Connection#parameter_status)
    def parameter_status(name) = @connection.parameter_status(name)

    # @return [String]
    def inspect
      shown = { host: host, hostaddr: hostaddr, port: port, dbname: dbname, user: user,
                ssl: ssl_attribute(:protocol) }.compact
      "#<#{self.class}#{shown.map { |name, value| " #{name}=#{value.inspect}" }.join}>"
    end

    private

    def ssl_attributes = @server.fetch(:ssl_attributes, {})
  end
end
