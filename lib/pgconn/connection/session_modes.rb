# frozen_string_literal: true

module Pgconn
  class Connection
    # How the connection's transactions begin.

    # Switches between transactions that start by themselves and a commit of each statement by itself. What
    # was chosen by {#isolation_level=} before counts again once autocommit is off.
    #
    # @param on [Boolean, nil] nil is false
    # @raise [ArgumentError] for anything else
    # @raise [ProgrammingError] inside a transaction
    # @raise [InterfaceError] if the connection is closed
    def autocommit=(on)
      closed? # raises for an object whose initialize didn't call super
      change_modes("autocommit", nil, nil, nil, TransactionModes.boolean(on, "autocommit"))
    end

    # @return [Integer] one of the ISOLATION_LEVEL constants: 0 in autocommit, else the level of the
    #   transactions that the connection begins. While none was chosen that is the server's default, which is
    #   asked for once; READ COMMITTED where it can't be asked: in a failed transaction, or when the
    #   connection has ended
    # @see https://www.postgresql.org/docs/current/transaction-iso.html Transaction Isolation
    def isolation_level
      return ISOLATION_LEVEL_AUTOCOMMIT if autocommit

      chosen_isolation || default_isolation
    end

    # Chooses the level with which transactions begin; ends autocommit, or begins it with 0.
    #
    # @param level [Integer, String, Symbol, nil] one of the ISOLATION_LEVEL constants or its name in any
    #   case, such as `:serializable` or `"read committed"`; nil or `:default` leave it to the server
    # @raise [ArgumentError] for anything else
    # @raise [ProgrammingError] inside a transaction
    # @raise [InterfaceError] if the connection is closed
    # @see https://www.postgresql.org/docs/current/sql-begin.html BEGIN
    def isolation_level=(level)
      closed? # raises for an object whose initialize didn't call super
      level = TransactionModes.isolation_or_autocommit(level) || :default
      autocommit = level == ISOLATION_LEVEL_AUTOCOMMIT
      change_modes("isolation_level", autocommit ? nil : level, nil, nil, autocommit)
    end
    alias set_isolation_level isolation_level=

    # Chooses whether transactions are READ ONLY. In autocommit it is the session's
    # `default_transaction_read_only` that is set, and goes back to the server's default when autocommit ends.
    #
    # @param on [Boolean, Symbol, nil] nil or `:default` leave it to the server
    # @raise (see #isolation_level=)
    # @see https://www.postgresql.org/docs/current/sql-set-transaction.html SET TRANSACTION
    def read_only=(on)
      change_modes("read_only", nil, read_switch(on, "read_only"), nil, nil)
    end

    # Chooses whether transactions are DEFERRABLE, which counts for those that are SERIALIZABLE and READ ONLY:
    # they may wait when they begin, and can't fail then. In autocommit it is the session's
    # `default_transaction_deferrable` that is set, as with {#read_only=}.
    #
    # @param (see #read_only=)
    # @raise (see #isolation_level=)
    # @see (see #read_only=)
    def deferrable=(on)
      change_modes("deferrable", nil, nil, read_switch(on, "deferrable"), nil)
    end

    # Changes several modes at once, or none where one of them is wrong. nil leaves a mode as it is,
    # `:default` gives it back to the server.
    #
    # @param isolation [Integer, String, Symbol, nil] as for {#isolation_level=}; kept for later while
    #   autocommit is on
    # @param read_only [Boolean, Symbol, nil]
    # @param deferrable [Boolean, Symbol, nil]
    # @param autocommit [Boolean, nil]
    # @return [nil]
    # @raise (see #isolation_level=)
    # @example Reports that never wait for writers, and never fail for them
    #   conn.set_session(isolation: :serializable, read_only: true, deferrable: true)
    # @see https://www.postgresql.org/docs/current/sql-set-transaction.html SET TRANSACTION
    def set_session(isolation: nil, read_only: nil, deferrable: nil, autocommit: nil)
      level = TransactionModes.isolation_or_autocommit(isolation)
      read_only = TransactionModes.switch(read_only, "read_only")
      deferrable = TransactionModes.switch(deferrable, "deferrable")
      autocommit = session_autocommit(level, autocommit)
      level = nil if level == ISOLATION_LEVEL_AUTOCOMMIT
      change_modes("the session", level, read_only, deferrable, autocommit)
    end

    private

    # For a setter of its own, where nil is no less than :default.
    def read_switch(value, name)
      closed? # raises for an object whose initialize didn't call super
      value = TransactionModes.switch(value, name)
      value.nil? ? :default : value
    end

    # The level 0 is another word for autocommit.
    def session_autocommit(level, autocommit)
      autocommit = TransactionModes.boolean(autocommit, "autocommit") unless autocommit.nil?
      return autocommit unless level == ISOLATION_LEVEL_AUTOCOMMIT
      raise ArgumentError, "isolation: 0 contradicts autocommit: false" if autocommit == false

      true
    end

    def default_isolation
      @default_isolation ||= ask_default_isolation unless closed? || failed_transaction?
      @default_isolation || ISOLATION_LEVEL_READ_COMMITTED
    rescue ConnectionLost, InterfaceError, Errors::InFailedSqlTransaction # while it was asked
      ISOLATION_LEVEL_READ_COMMITTED
    end

    def failed_transaction?
      transaction_status == TRANSACTION_STATUS_INERROR
    end

    def ask_default_isolation
      sql = "SELECT pg_catalog.current_setting('default_transaction_isolation')"
      TransactionModes.isolation(catalog_rows(sql, nil)[0][0])
    end
  end
end
