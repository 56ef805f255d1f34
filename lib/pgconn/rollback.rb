# frozen_string_literal: true

module Pgconn
  # Raised by the user in the block of {Connection#transaction}: it rolls that very block back, and nothing
  # comes out of it. Not an {Error}, so that a `rescue` of errors doesn't stop it.
  #
  # @example
  #   conn.transaction do
  #     conn.execute("UPDATE stock SET amount = amount - 1 WHERE id = $1", [id])
  #     raise Pgconn::Rollback if trial
  #   end
  class Rollback < StandardError; end
end
