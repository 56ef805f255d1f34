# frozen_string_literal: true

module Pgconn
  # What every error of pgconn and of the server is a kind of. A server's error has the class of its
  # SQLSTATE (see {Errors}) and carries what the server said; an error made by the driver has the
  # same methods, most of which then give nil.
  #
  # @example
  #   begin
  #     conn.execute("INSERT INTO users (email) VALUES ($1)", [email])
  #   rescue Pgconn::Errors::UniqueViolation => error
  #     error.sqlstate        # => "23505"
  #     error.diag.constraint # => "users_email_key"
  #   end
  # @see https://www.postgresql.org/docs/current/errcodes-appendix.html PostgreSQL, "Error Codes"
  class Error < StandardError
    # The SQLSTATE that errors of this class have when they were given none.
    SQLSTATE = nil

    # The states of a transaction that may succeed when it is run again.
    RETRYABLE_STATES = %w[40001 40P01].freeze

    # Holds the cursor of an error, and holds nothing in a Marshal dump: a cursor can't be dumped.
    class CursorReference
      # @return [Cursor, nil]
      attr_reader :cursor

      def initialize(cursor)
        @cursor = cursor
      end

      # @return [Array] nothing
      def marshal_dump = []

      # @return [void]
      def marshal_load(_nothing) = nil
    end
    private_constant :CursorReference

    # @return [String, nil] libpq's whole text, as psql would print it; nil for errors that the
    #   driver made
    attr_reader :pgerror

    # @return [String, nil] the user's own text of the statement
    attr_reader :query

    # What became of the statement, where it didn't simply fail: `:not_sent` (it never ran),
    # `:canceled` (the server has undone it), `:unknown` (it may have taken effect).
    # @return [Symbol, nil]
    attr_reader :outcome

    # Overrides what the SQLSTATE says about {#retryable?}; nil brings that back.
    # @return [Boolean, nil]
    attr_writer :retryable

    # @param message [String, nil] the class's name by default
    # @param sqlstate [String, nil] five characters; that of diag or of the class by default
    # @param diag [Diagnostics, nil] the fields of the server's message
    # @param pgerror [String, nil] libpq's whole text
    # @param query [String, nil] the text of the statement
    # @param cursor [Cursor, nil] the cursor that executed it
    # @param outcome [Symbol, nil] `:not_sent`, `:canceled` or `:unknown`
    # @param retryable [Boolean, nil] overrides what the SQLSTATE says
    def initialize(message = nil, sqlstate: nil, diag: nil, pgerror: nil, query: nil, cursor: nil,
                   outcome: nil, retryable: nil)
      super(message)
      @sqlstate = sqlstate || diag&.sqlstate
      @diag = diag
      @pgerror = pgerror && String.new(pgerror).freeze
      @query = query && String.new(query).freeze
      @cursor = cursor && CursorReference.new(cursor)
      @outcome = outcome
      @retryable = retryable
    end

    # @return [String, nil] the five characters that tell what happened
    def sqlstate = @sqlstate || self.class::SQLSTATE
    alias pgcode sqlstate

    # @return [Diagnostics] the fields of the server's message; an empty one for the driver's own
    def diag = @diag || Diagnostics::EMPTY

    # @return [Cursor, nil] the cursor that executed the statement; nil after Marshal
    def cursor = @cursor&.cursor

    # Whether the same transaction may succeed when it is run again from its start.
    # @return [Boolean] true for serialization failures (40001) and deadlocks (40P01)
    def retryable?
      @retryable.nil? ? RETRYABLE_STATES.include?(sqlstate) : @retryable
    end
  end

  # Kept for code that knows DB-API; nothing in pgconn raises it. Not an {Error}, as there.
  class Warning < StandardError; end

  # Misuse of pgconn itself, such as a call on a closed connection.
  class InterfaceError < Error; end

  # Anything that has to do with the database; the server's errors are below it.
  class DatabaseError < Error; end

  # A value that can't be processed: out of range, malformed, not of the column's type.
  class DataError < DatabaseError; end

  # Trouble in the database's operation that the program may not have caused.
  class OperationalError < DatabaseError; end

  # A statement that was cancelled: by `cancel`, by a deadline or by the server's own timeouts.
  class QueryCanceledError < OperationalError; end

  # A transaction that the server had to roll back; see {Error#retryable?}.
  class TransactionRollbackError < OperationalError; end

  # A connection that is lost. Its statements may have taken effect: see {Error#outcome}.
  class ConnectionLost < OperationalError; end

  # A statement that the server skipped because an earlier one of its pipeline failed. That one's
  # error is the `cause`.
  class PipelineAborted < OperationalError; end

  # A constraint of the database that would have been violated.
  class IntegrityError < DatabaseError; end

  # A state that the database shouldn't have come to, such as a cursor that isn't valid anymore.
  class InternalError < DatabaseError; end

  # A mistake in the program: SQL syntax, an unknown table, a wrong number of parameters.
  class ProgrammingError < DatabaseError; end

  # Something that the server or its version doesn't have.
  class NotSupportedError < DatabaseError; end
end
