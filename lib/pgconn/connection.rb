# frozen_string_literal: true

module Pgconn
  # A session with a PostgreSQL server.
  #
  # A transaction starts by itself with the first statement and lasts until {#commit} or {#rollback};
  # with `autocommit: true` each statement commits by itself.
  #
  # Threads may share a connection; a {Cursor} belongs to one of them at a time. Their statements are sent
  # at once, without waiting for each other's answers, and executed in the order of asking; each caller gets
  # its own rows and its own error. What may change the session (BEGIN, COMMIT, SET, `set_config`, several
  # statements in one string) waits for all before it, and all behind wait for that. In a transaction that
  # isn't a block of {#transaction} one caller's error fails it for all: sharing wants `autocommit: true`.
  #
  # A connection stays in the Ractor that made it, and so do its cursors and its registered types; rows and
  # values may go to others.
  class Connection
    include ConnectionExceptions

    # @param conninfo [String, nil] a URI or a key/value string
    # @param autocommit [Boolean, nil] whether each statement commits by itself; nil is false
    # @param cursor_factory [Class, nil] {Cursor} or a subclass: what {#cursor} makes
    # @param cancel_timeout [Numeric] seconds to wait for the answer to a cancel request
    # @param statement_timeout [Numeric, nil] seconds: the default of `timeout:` for each statement; it
    #   holds for {#commit}, {#rollback}, {#reset} and the like, too
    # @param prepare_threshold [Integer, nil] the execution of a statement, counted from 1, with which it is
    #   prepared under a name; from the next on values come in binary where that can be. nil: never, as
    #   poolers such as PgBouncer in transaction mode need it
    # @param statement_cache_size [Integer] how many statements are remembered, and how many names are kept
    #   on the server, at most
    # @param types [Types, nil] those of another connection to the same database, which this one then shares
    # @param busy_poll [Boolean] whether a thread may look for its answer for up to half a millisecond before
    #   it sleeps, with Ruby's lock held, where the connection's own answers show that it is quicker; it is
    #   where client and server run on two cores. A connection with other callers' statements never does
    # @param async [Boolean] whether calls return instead of waiting, and {#poll} goes on: see there. Returns
    #   when names are resolved. Each statement commits by itself; what would wait raises ProgrammingError
    # @param keywords [Hash] libpq's keywords, such as `host:`, `dbname:` (or `database:`), `user:`,
    #   `password:` and `connect_timeout:` (seconds for each address); they win over those of conninfo,
    #   and nil is as if it were not there. With `target_session_attrs:` the hosts are tried until one is of
    #   that kind, with `load_balance_hosts: "random"` in any order, whatever the version of libpq. The hosts
    #   of a `service:` are left to libpq: connect_timeout is that of all together, and load_balance_hosts
    #   needs libpq 16
    # @raise [OperationalError] if no address could be connected to; its text names all of them
    # @raise [ProgrammingError] before anything is sent, for a malformed conninfo, for keywords that libpq
    #   doesn't know, for values of port, connect_timeout, target_session_attrs and load_balance_hosts that
    #   don't exist, and for lists of host, hostaddr and port that don't match
    # @raise [ArgumentError, TypeError] for arguments of the wrong kind
    # @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS Parameter Key Words
    def initialize(conninfo = nil, autocommit: false, cursor_factory: nil, cancel_timeout: 5,
                   statement_timeout: nil, prepare_threshold: 2, statement_cache_size: 256, types: nil,
                   busy_poll: true, async: false, **keywords)
      autocommit = TransactionModes.boolean(autocommit, "autocommit")
      busy_poll = TransactionModes.boolean(busy_poll, "busy_poll")
      async = TransactionModes.boolean(async, "async")
      configure(statement_timeout, cancel_timeout, autocommit, busy_poll, async,
                check_cursor_factory(cursor_factory || Cursor))
      @types = Types.new(self, types)
      configure_statements(statement_cache_size, prepare_threshold, @types.registry)
      parameters = Conninfo.merge(conninfo, keywords)
      @dsn = Conninfo.to_dsn(parameters)
      options = ConnectOptions.new(parameters)
      @connected_with = Conninfo.without_secrets(options.effective).freeze
      establish(Connector.new(options))
    end

    # @param name [String, Symbol, nil] makes it a cursor of the server's, whose rows stay there until they
    #   are fetched: see {NamedCursor}. At most 63 bytes, taken as they are
    # @param cursor_factory [Class, nil] {Cursor} or a subclass; nil: the connection's own
    # @param scrollable [Boolean, nil] of one with a name: SCROLL, NO SCROLL or neither
    # @param withhold [Boolean] of one with a name: WITH HOLD, which outlives its transaction
    # @param options (see Cursor#initialize)
    # @return [Cursor] a new cursor
    # @raise [TypeError] for a factory of another kind
    # @raise [ArgumentError, TypeError, DataError] for a name that can't be, and for scrollable and withhold
    #   without a name
    # @raise [ProgrammingError] for one with a name on an async connection
    # @raise (see Cursor#initialize)
    # @example Rows as Hashes
    #   conn.cursor(row: :hash).execute("SELECT 1 AS id").fetch_all # => [{id: 1}]
    def cursor(name = nil, cursor_factory: nil, scrollable: nil, withhold: false, **options)
      factory = cursor_factory ? check_cursor_factory(cursor_factory) : default_cursor_factory
      cursor = factory.new(self, **options)
      return name_cursor(cursor, name, scrollable, withhold) unless name.nil?
      return cursor unless withhold || !scrollable.nil?

      raise ArgumentError, "scrollable and withhold are for cursors with a name"
    end

    # @return [Types] what the connection knows of types besides the built-in ones, and where they are
    #   registered
    def types
      closed? # raises for an object whose initialize didn't call super
      @types
    end

    # @return [String] what the connection was made with, as a key/value string without its secrets
    def dsn
      closed? # raises for an object whose initialize didn't call super
      @dsn
    end

    # Asks the server whether it still answers.
    #
    # @param timeout [Numeric] seconds to wait for the answer
    # @return [Boolean] false also for a connection that is closed or lost. While other callers keep the
    #   connection busy for longer than the timeout, true unless it is known to be lost
    # @raise [InterfaceError] in a forked child of the process that connected
    # @raise [ProgrammingError] on an async connection
    def alive?(timeout: 1)
      return false if closed?

      round_trip(timeout)
      true
    rescue QueryCanceledError => e
      e.outcome == :not_sent
    rescue ConnectionLost
      false
    rescue InterfaceError
      raise unless closed? # by somebody else, meanwhile

      false
    end

    # @return [String] without any secret
    def inspect
      return "#<#{self.class} not initialized>" unless @dsn

      state = closed? ? "closed" : "open"
      "#<#{self.class} #{state} #{dsn}>"
    end

    alias get_backend_pid backend_pid
    alias get_parameter_status parameter_status
    alias get_transaction_status transaction_status
    alias set_client_encoding client_encoding=

    private

    # An async connection goes on with {#poll}, which is not to wait for names.
    def establish(connector)
      address = ->(parameters, timeout) { open_address(parameters, timeout) }
      return connector.connect(&address) unless async?

      connector.resolve
      begin_operation { connector.connect(&address) }
    end

    def name_cursor(cursor, name, scrollable, withhold)
      raise ProgrammingError, "an async connection has no named cursors: their rows are waited for" if async?

      cursor.extend(NamedCursor)
      cursor.__send__(:become_named, name, scrollable, withhold)
    end

    def check_cursor_factory(factory)
      return factory if factory.is_a?(Class) && factory <= Cursor

      raise TypeError, "cursor_factory must be Pgconn::Cursor or a subclass, not #{factory.inspect}"
    end
  end
end
