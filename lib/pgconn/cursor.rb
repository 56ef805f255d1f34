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

    # @return [String, nil] of a named cursor, see {NamedCursor}; nil for others
    def name
      connection # raises for an object whose initialize didn't call super
      nil
    end

    # @return [Boolean, nil] of a named cursor; nil for others
    def scrollable
      connection
      nil
    end

    # @return [Boolean] of a named cursor; false for others
    def withhold
      connection
      false
    end

    # @return [String]
    def inspect
      "#<#{self.class} #{state}>"
    rescue InterfaceError
      "#<#{self.class} not initialized>"
    end

    alias fetchone fetch
    alias fetchmany fetch_many
    alias fetchall fetch_all
    alias nextset next_result

    private

    def state
      return "closed" if closed?

      in_pipeline? ? "in a pipeline" : statusmessage || "without a result"
    end
  end
end
