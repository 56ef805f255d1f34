# frozen_string_literal: true

module Pgconn
  # Executes statements and gives their rows. All cursors of a connection share its transaction.
  #
  # @example
  #   cur = conn.cursor
  #   cur.execute("SELECT name, born FROM people WHERE city = :city", city: "Wien")
  #   cur.each { |name, born| puts "#{name}, #{born.year}" }
  class Cursor
    include Enumerable

    # @param connection [Connection]
    # @param row [nil, Symbol, #call] what rows are given as: nil for {Row}, `:array`, `:hash` (with Symbols
    #   as keys; of a name that occurs twice the last counts), `:struct`, or what a callable gives for
    #   `(columns, values)`, an Array of {Column} and one of the values
    # @param timeout [Numeric, nil] seconds: the default of `timeout:` for its statements
    # @raise [ArgumentError, TypeError] for anything else
    # @raise [InterfaceError] if the connection is closed
    # @raise [ConnectionLost] if it is lost
    def initialize(connection, row: nil, timeout: nil)
      configure(connection, row, timeout)
    end

    # Executes a statement. Its parameters are bound on the server, as `$1` (then `params` is an Array)
    # or as `:name` (then they are keywords or a Hash).
    #
    # @param sql [String] one statement
    # @param params [Array, Hash, nil] the values of `$1`, `$2`... or of the names
    # @param timeout [Numeric, nil] seconds after which the statement is cancelled; the connection's
    #   `statement_timeout` by default
    # @param named [Hash{Symbol => Object}] the values of the names; a parameter called `timeout` needs a
    #   Hash as `params`
    # @return [self]
    # @raise [ProgrammingError] for empty SQL, COPY, and parameters that don't fit the statement's
    # @raise [DataError] for a value that can't be sent
    # @raise [QueryCanceledError] at the timeout, or when somebody cancelled the statement
    # @raise [ConnectionLost] if the connection is lost
    # @raise [InterfaceError] if the cursor or the connection is closed
    # @raise [DatabaseError] what the server says; see {Errors}
    # @see https://www.postgresql.org/docs/current/libpq-async.html#LIBPQ-PQSENDQUERYPARAMS
    #   PQsendQueryParams
    def execute(sql, params = nil, timeout: nil, **named)
      run(statement(sql), arguments(params, named), timeout)
    end

    # @return [String]
    def inspect
      "#<#{self.class} #{closed? ? "closed" : statusmessage || "without a result"}>"
    rescue InterfaceError
      "#<#{self.class} not initialized>"
    end

    alias fetchone fetch
    alias fetchmany fetch_many
    alias fetchall fetch_all

    private

    def statement(sql)
      raise ProgrammingError, "can't execute an empty query" if sql.nil?

      String.try_convert(sql) || raise(TypeError, "SQL must be a String, not #{sql.class}")
    end

    def arguments(params, named)
      return named.empty? ? nil : named if params.nil?
      raise ArgumentError, "give parameters as an Array, a Hash or keywords, not two of them" if named.any?

      Array.try_convert(params) || Hash.try_convert(params) ||
        raise(TypeError, "parameters must be an Array or a Hash, not #{params.class}")
    end
  end
end
