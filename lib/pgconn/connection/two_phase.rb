# frozen_string_literal: true

module Pgconn
  class Connection
    # Two-phase commit: a transaction is prepared, whereupon the server promises that it can be committed,
    # whatever happens; then it is committed or rolled back, by this connection or any other.
    # The server must allow it: its max_prepared_transactions is 0 by default.

    PREPARED_TRANSACTIONS = <<~SQL
      SELECT gid, prepared, owner, database FROM pg_catalog.pg_prepared_xacts ORDER BY prepared, gid
    SQL
    private_constant :PREPARED_TRANSACTIONS

    # @param format_id [Integer] 0 to 2**31 - 1
    # @param gtrid [String] the global transaction: up to 64 printable ASCII characters
    # @param bqual [String] the branch: up to 64 printable ASCII characters
    # @return [Xid]
    # @raise [ArgumentError, TypeError] that names what is wrong
    def xid(format_id, gtrid, bqual)
      closed? # raises for an object whose initialize didn't call super
      Xid.new(format_id, gtrid, bqual)
    end

    # Begins a transaction for two-phase commit. As any other it begins, on the server, with its first
    # statement. It ends by {#tpc_commit} or {#tpc_rollback}, not by {#commit} or {#rollback}.
    #
    # @param xid [Xid, String]
    # @return [nil]
    # @raise [ProgrammingError] in autocommit and inside a transaction
    # @example
    #   conn.tpc_begin(conn.xid(1, "order 4711", "shop"))
    #   conn.execute("INSERT INTO orders (id) VALUES (4711)")
    #   conn.tpc_prepare
    #   conn.tpc_commit
    def tpc_begin(xid)
      two_phase_begin(xid_literal(xid))
    end

    # Prepares the transaction. From here on it belongs to no session: it outlives this one, and holds its
    # locks, until somebody commits it or rolls it back. Until then this connection executes nothing else.
    #
    # @return [nil]
    # @raise [ProgrammingError] if tpc_begin began none, and if it is prepared already
    # @raise [Errors::InFailedSqlTransaction] if a statement of the transaction had failed: the server has
    #   rolled it back. The error of that statement is the `cause`
    # @raise [DatabaseError] if the server can't prepare it, which rolls it back
    # @raise [ConnectionLost] its `outcome` is :unknown if PREPARE TRANSACTION had been sent
    # @see https://www.postgresql.org/docs/current/sql-prepare-transaction.html PREPARE TRANSACTION
    def tpc_prepare
      two_phase_prepare
    end

    # Commits the transaction of {#tpc_begin}; where it isn't prepared, in one phase. With a xid: one that
    # another connection has prepared, perhaps before a crash.
    #
    # A call that was interrupted, or whose connection was lost, may have been done all the same; another one
    # without a xid is a ProgrammingError then. What was prepared has ended if {#tpc_recover} doesn't list it;
    # if it does, it can be committed still, from another connection by its xid.
    #
    # @param xid [Xid, String, nil]
    # @return [nil]
    # @raise [ProgrammingError] without a xid if tpc_begin began none, with one inside a transaction; and,
    #   as UndefinedObject, if no such transaction is prepared
    # @raise [Errors::InFailedSqlTransaction] if a statement of the transaction had failed: the server has
    #   rolled it back. The error of that statement is the `cause`
    # @raise [ConnectionLost] its `outcome` is :unknown if the COMMIT had been sent
    # @see https://www.postgresql.org/docs/current/sql-commit-prepared.html COMMIT PREPARED
    def tpc_commit(xid = nil)
      return two_phase_finish(true) if xid.nil?

      two_phase_recover("COMMIT PREPARED #{xid_literal(xid)}")
    end

    # Rolls back the transaction of {#tpc_begin}, prepared or not. With a xid: one that another connection
    # has prepared, perhaps before a crash. After an interrupt or a loss, {#tpc_recover} tells whether it is
    # still prepared, as with {#tpc_commit}.
    #
    # @param xid [Xid, String, nil]
    # @return [nil]
    # @raise [ProgrammingError] as {#tpc_commit} does
    # @raise [ConnectionLost] its `outcome` is :unknown if the ROLLBACK had been sent
    # @see https://www.postgresql.org/docs/current/sql-rollback-prepared.html ROLLBACK PREPARED
    def tpc_rollback(xid = nil)
      return two_phase_finish(false) if xid.nil?

      two_phase_recover("ROLLBACK PREPARED #{xid_literal(xid)}")
    end

    # Asks for the prepared transactions that wait for their end, of all databases, those that wait for the
    # longest time first. Only in its own database can one be ended. Begins no transaction.
    #
    # @return [Array<Xid>] with `prepared`, `owner` and `database`
    # @see https://www.postgresql.org/docs/current/view-pg-prepared-xacts.html pg_prepared_xacts
    def tpc_recover
      catalog_rows(PREPARED_TRANSACTIONS, nil).map do |text, prepared, owner, database|
        Xid.from_string(text, prepared: prepared, owner: owner, database: database)
      end
    end

    private

    # The commands take no parameters.
    def xid_literal(xid)
      text = xid.is_a?(Xid) ? xid.to_s : Xid.from_string(xid).to_s
      quote_literal(UTF8.text(text, "the identifier of a transaction"))
    end
  end
end
