# frozen_string_literal: true

module Pgconn
  # No transaction is started by itself: each statement commits when it ends.
  ISOLATION_LEVEL_AUTOCOMMIT = 0
  # Each statement sees what was committed before it began.
  ISOLATION_LEVEL_READ_COMMITTED = 1
  # Each statement sees what was committed before the transaction's first one began.
  ISOLATION_LEVEL_REPEATABLE_READ = 2
  # As if transactions ran one after the other; else they fail with 40001.
  ISOLATION_LEVEL_SERIALIZABLE = 3
  # In PostgreSQL the same as READ COMMITTED.
  ISOLATION_LEVEL_READ_UNCOMMITTED = 4
  # The server's own default.
  ISOLATION_LEVEL_DEFAULT = nil

  # No transaction is open.
  TRANSACTION_STATUS_IDLE = 0
  # A command is underway.
  TRANSACTION_STATUS_ACTIVE = 1
  # A transaction is open, no command is underway.
  TRANSACTION_STATUS_INTRANS = 2
  # A transaction is open and has failed: only a rollback ends it.
  TRANSACTION_STATUS_INERROR = 3
  # The connection is closed or lost.
  TRANSACTION_STATUS_UNKNOWN = 4

  # `poll`: the connection is made, or the answer is there.
  POLL_OK = 0
  # `poll`: wait until the socket can be read. A bit: it may come together with {POLL_WRITE}.
  POLL_READ = IO::READABLE
  # `poll`: wait until the socket can be written. A bit: it may come together with {POLL_READ}.
  POLL_WRITE = IO::WRITABLE
  # Kept for its name: `poll` raises instead.
  POLL_ERROR = 3

  # `status`: the connection is being made.
  STATUS_SETUP = 0
  # `status`: no transaction is open.
  STATUS_READY = 1
  # `status`: a transaction is open.
  STATUS_BEGIN = 2
  # `status`: a transaction of the two-phase commit is prepared.
  STATUS_PREPARED = 5
end
