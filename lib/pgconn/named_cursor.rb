# frozen_string_literal: true

module Pgconn
  # What a {Cursor} with a name does, which is one of the server's: `execute` declares it there, and the rows
  # stay there until they are asked for. So a result of any size is read in little memory, page by page.
  #
  # Iterating asks for {Cursor#itersize} rows at a time; what a `break` has left of them is given first by
  # whatever fetches next. `fetch` and `fetch_value` ask for one row, so that `WHERE CURRENT OF` means it,
  # `fetch_many` for as many as are missing, `fetch_all` and `column` for all. The statements of a named
  # cursor are waited for also in {Connection#pipeline}.
  #
  # Who has asked for a page of 2 to `itersize` rows twice in a row gets the next one requested while this one
  # is read. So the server may be two pages ahead, with the locks (FOR UPDATE) and the side effects of their
  # rows; with an `itersize` of 1 it never is. An error in that page fails the transaction at once, and is
  # raised when the page is asked for; if it never is, it is the `cause` of the commit's
  # InFailedSqlTransaction.
  #
  # It lives until the transaction ends, or the block of {Connection#transaction} that it was declared in is
  # rolled back: then ProgrammingError is raised, and nothing sent. With `withhold: true` it outlives the
  # commit; its fetches and its close then begin no transaction. After SQL of yours that may have ended it, a
  # ROLLBACK TO or CLOSE, its next use asks the server first whether it is there, in a round trip of its own,
  # so that the transaction doesn't fail; a CLOSE within a function isn't seen, and fails it.
  #
  # A cursor that a function has opened, and given the name of as refcursor, is fetched from without execute.
  # So is one that SQL has declared: `WITH HOLD`, which outlives its transaction, by `withhold: true`.
  #
  # @example
  #   conn.transaction do
  #     cur = conn.cursor("people")
  #     cur.execute("SELECT name, born FROM people WHERE city = :city", city: "Wien")
  #     cur.each { |name, born| puts "#{name}, #{born.year}" }
  #   end
  # @see https://www.postgresql.org/docs/current/sql-declare.html DECLARE
  # @see https://www.postgresql.org/docs/current/sql-fetch.html FETCH
  module NamedCursor
    # What FETCH and MOVE can be told as a number.
    COUNT_MAX = (2**31) - 1
    private_constant :COUNT_MAX

    # @return [String]
    attr_reader :name

    # @return [Boolean, nil] whether it was declared with SCROLL or NO SCROLL; nil: with neither word, and the
    #   server decides by its plan
    attr_reader :scrollable

    # @return [Boolean] whether it outlives the commit of its transaction
    attr_reader :withhold

    # Declares the cursor, for a SELECT, VALUES or TABLE, WITH before it or not: PostgreSQL declares cursors
    # for nothing else. What else gives rows, such as `INSERT ... RETURNING`, is a syntax error there.
    # {Cursor#description} is known from then on; rows are still to be fetched. Once only.
    #
    # @param (see Cursor#execute)
    # @return [self]
    # @raise [Errors::SyntaxError] for another statement
    # @raise [ProgrammingError] if it was executed before, or fetched from; for several statements; in
    #   autocommit outside of {Connection#transaction}, unless it is `withhold`
    # @raise (see Cursor#execute)
    def execute(*arguments, **keywords)
      raise ProgrammingError, "a named cursor is executed once only: make another one" if portal_opened?

      declare(@name, @declaration, *arguments, **keywords)
    end

    # @raise [ProgrammingError] always, and so do {#callproc} and {#stream}
    def execute_many(*, **) = refuse("execute_many")
    alias executemany execute_many

    # @raise [ProgrammingError] always: a function is called by a cursor without a name
    def callproc(*, **) = refuse("callproc")

    # @raise [ProgrammingError] always: a named cursor's rows come in pages anyway
    def stream(*, **) = refuse("stream")

    # @return (see Cursor#fetch)
    # @raise [ProgrammingError] if its transaction has ended
    # @raise [OperationalError] if the server has done a fetch whose rows nobody got, for it was interrupted
    #   here; `scroll(0, :absolute)` finds a place again where it is scrollable
    # @raise (see Cursor#execute)
    def fetch
      row?(1) ? super : nil
    end
    alias fetchone fetch

    # @return (see Cursor#fetch_value)
    # @raise (see #fetch)
    def fetch_value
      row?(1) ? super : nil
    end

    # @param count [Integer] how many rows at most; negative: all that are left
    # @return (see Cursor#fetch_many)
    # @raise (see #fetch)
    def fetch_many(count = arraysize)
      raise TypeError, "the number of rows must be an Integer, not #{count.class}" unless count.is_a?(Integer)

      limit = count.negative? ? nil : count
      reach(limit)
      rows = []
      rows.concat(super(limit ? limit - rows.size : -1)) while (limit.nil? || rows.size < limit) && turn_page
      rows
    end
    alias fetchmany fetch_many

    # @return (see Cursor#fetch_all)
    # @raise (see #fetch)
    def fetch_all = fetch_many(-1)
    alias fetchall fetch_all

    # Yields the rows that are left.
    # @yieldparam (see Cursor#each)
    # @return [self, Enumerator] an Enumerator without a block
    # @raise (see #fetch)
    def each
      return to_enum(:each) unless block_given?

      super while row?(itersize)
      self
    end

    # @param (see Cursor#column)
    # @return (see Cursor#column)
    # @raise (see #fetch)
    def column(column)
      reach(nil)
      turn_page
      values = super
      values.concat(super) while turn_page
      values
    end

    # @return [false] a named cursor has one result
    def next_result
      closed? ? super : false
    end
    alias nextset next_result

    # @return (see Cursor#statusmessage)
    def statusmessage
      message = super
      message == "" ? "DECLARE CURSOR" : message
    end

    # Closes the cursor, on the server, too, where it is still open there. Raises nothing that the server or
    # the loss of the connection is to blame for. In a failed transaction nothing is sent: its end closes the
    # cursor anyway, and one that outlived an earlier commit is closed after that.
    # @return [nil]
    # @raise [ProgrammingError] in the block of a stream or COPY of the same caller: it stays open
    def close
      return if closed?

      check_close
      begin
        end_portal
      ensure
        super
      end
      nil
    end

    private

    def end_portal
      close_portal("CLOSE #{@quoted}")
    rescue Error
      nil
    end

    # Whether there is a row to read, perhaps after asking for so many.
    def row?(count)
      return true if turn_page

      reach(count)
      turn_page
    end

    # Sees to it that so many rows, nil for all, have been fetched, as far as there are so many. This is the
    # one place that asks for rows.
    def reach(count)
      return unless lacks?(count)

      take_ahead
      fetch_rows(count && [count - unread_rows, COUNT_MAX].min) if lacks?(count)
      request_ahead(count)
    end

    def lacks?(count)
      !portal_at_end? && (count.nil? || unread_rows < count)
    end

    def on_portal
      opened = portal_opened?
      yield
    rescue Errors::InvalidCursorName => e
      raise unless opened

      raise ProgrammingError, "named cursor isn't valid anymore: #{e.message}"
    end

    def refuse(method)
      raise ProgrammingError, "#{method} can't be called on a named cursor"
    end
  end
end
