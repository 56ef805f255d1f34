# frozen_string_literal: true

module Pgconn
  # A cursor that gives rows as Hashes with Symbols as keys: `cursor_factory: Pgconn::HashCursor`.
  class HashCursor < Cursor
    # @param (see Cursor#initialize)
    # @raise (see Cursor#initialize)
    def initialize(connection, row: :hash, timeout: nil)
      super
    end
  end
end
