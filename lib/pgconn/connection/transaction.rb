# frozen_string_literal: true

module Pgconn
  class Connection
    # Transactions in a block.

    # Seconds before the first retry of {#transaction}, about; each further one waits twice as long.
    RETRY_DELAY = 0.01
    # Seconds before a retry, at most.
    RETRY_DELAY_MAX = 1.0
    private_constant :RETRY_DELAY, :RETRY_DELAY_MAX

    # Runs the block in a transaction, also in autocommit. Left by its end, `next`, `break` or `return` it is
    # committed; an exception, a `throw` (as Timeout's) or a kill roll it back and go on. Raising {Rollback}
    # rolls back and ends there.
    #
    # BEGIN travels with the first statement; without one nothing is sent. Within another block, or in a
    # transaction that has begun already, it is a savepoint: when it fails, only what was done in it is
    # undone.
    #
    # In the block {#commit}, {#rollback} and the setters of the session raise ProgrammingError, and so do
    # COMMIT, ROLLBACK and their like as SQL, but for ROLLBACK TO a savepoint of yours. Where one of several
    # statements in a string has ended the transaction, all further ones raise, and so does the block's end. A
    # subclass's own `commit` and `rollback` are called at the block's end. What they do behind `super`, and
    # what handlers and the tracer do once COMMIT or ROLLBACK is answered, is outside of the block.
    #
    # The block belongs to its caller: the thread, or the non-blocking fiber of a Fiber scheduler. What
    # others execute on the connection waits until it ends; their `timeout:` counts, and for blocks of their
    # own the connection's `statement_timeout`. Threads that are started and waited for within the block would
    # so wait for ever: `shared: true` lets them in, and others. A block that its caller can't
    # leave any more is rolled back by whoever uses the connection next, or waits for it: at once where its
    # thread has ended; where a Fiber or an Enumerator was dropped in the middle of it, once that has been
    # collected. Until then it is open, for it might be resumed.
    #
    # @param isolation [Integer, String, Symbol, nil] the level, as for {#isolation_level=}; nil: the
    #   session's
    # @param read_only [Boolean, Symbol, nil] nil: the session's; `:default`: the server's
    # @param deferrable [Boolean, Symbol, nil] the same
    # @param retries [Integer] how often the block is run again after an error that is {Error#retryable?}
    #   (serialization failures and deadlocks, also at COMMIT), with a growing pause before. What the block
    #   does besides is done again
    # @param shared [Boolean, nil] whether other callers' statements take part in the transaction
    # @yieldparam conn [self]
    # @return [Object, nil] the block's value; nil after {Rollback}
    # @raise [ArgumentError] for modes, retries and shared that there aren't
    # @raise [ProgrammingError] for isolation, read_only, deferrable or retries while a transaction is open;
    #   at the end of the block, if its transaction was ended by SQL in it
    # @raise [Errors::InFailedSqlTransaction] at the end of the block, if a statement had failed and its error
    #   was rescued in the block, or seen by nobody: it is the `cause`. Nothing is committed
    # @raise (see #commit)
    # @example
    #   conn.transaction(isolation: :serializable, retries: 3) do
    #     balance = conn.execute("SELECT balance FROM accounts WHERE id = $1", [id]).fetch_value
    #     conn.execute("UPDATE accounts SET balance = $1 WHERE id = $2", [balance - 10, id])
    #   end
    # @see https://www.postgresql.org/docs/current/tutorial-transactions.html Transactions
    # @see https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html
    #   Serialization Failure Handling
    def transaction(isolation: nil, read_only: nil, deferrable: nil, retries: 0, shared: false, &block)
      raise ArgumentError, "transaction needs a block" unless block

      modes = [TransactionModes.isolation(isolation), TransactionModes.switch(read_only, "read_only"),
               TransactionModes.switch(deferrable, "deferrable")]
      shared = TransactionModes.boolean(shared, "shared")
      check_retries(retries)
      retrying(retries) { run_transaction(*modes, retries.positive?, shared, &block) }
    rescue Rollback
      nil
    end

    private

    def check_retries(retries)
      return if retries.is_a?(Integer) && !retries.negative?

      raise ArgumentError, "retries must be an Integer, 0 or more, not #{retries.inspect}"
    end

    def retrying(retries)
      attempt = 0
      begin
        yield
      rescue Error => e
        raise unless e.retryable? && attempt < retries && !closed?

        sleep(retry_delay(attempt))
        attempt += 1
        retry
      end
    end

    # Those who failed together shouldn't meet again.
    def retry_delay(attempt)
      [RETRY_DELAY * (2**[attempt, 16].min), RETRY_DELAY_MAX].min * (0.5 + rand)
    end
  end
end
