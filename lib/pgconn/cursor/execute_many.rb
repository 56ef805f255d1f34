# frozen_string_literal: true

module Pgconn
  class Cursor
    # Executes a statement once for each row of values, all of them in one round trip and as one: when one
    # fails none of it is kept, also in autocommit. (Where types of parameters aren't known from an earlier
    # execution, the server is asked for them first, which is a second one.)
    #
    # What RETURNING gives for all rows is the cursor's result, in their order; {#rowcount} is the sum. For no
    # rows nothing is sent.
    #
    # @param sql [String, Pgconn::SQL::Composable] one statement
    # @param rows [Enumerable<Array, Row, Hash>] for each execution its parameters, all by position or all by
    #   name. They are encoded, and kept in memory, before the first is sent: 2 GB at most
    # @param timeout [Numeric, nil] seconds, for all of them together
    # @return [Integer] how many rows of values there were
    # @raise [DatabaseError] the first error; its message says which row it was
    # @raise [DataError, ProgrammingError] for a row that can't be sent, saying which: nothing is sent then
    # @raise [TypeError] for rows that aren't Enumerable, or a row that is neither an Array nor a Hash
    # @raise (see #execute)
    # @example
    #   cur.execute_many("INSERT INTO people (name, age) VALUES ($1, $2)", [["Ada", 36], ["Alan", 41]]) # => 2
    # @see https://www.postgresql.org/docs/current/libpq-pipeline-mode.html Pipeline Mode
    def execute_many(sql, rows, timeout: nil)
      connection # raises for an object whose initialize didn't call super
      raise TypeError, "rows must be Enumerable, not #{rows.class}" if rows.nil? || !rows.respond_to?(:to_a)

      rows = rows.to_a
      run_many(sql, rows, timeout)
      rows.size
    end

    alias executemany execute_many
  end

  class Connection
    # {Cursor#execute_many} on a new cursor.
    #
    # @param (see Cursor#execute_many)
    # @return [Integer] how many rows of values there were
    # @raise (see Cursor#execute_many)
    def execute_many(sql, rows, timeout: nil)
      cursor.execute_many(sql, rows, timeout: timeout)
    end
  end
end
