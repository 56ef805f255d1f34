# frozen_string_literal: true

module Pgconn
  # A cursor that gives rows as Structs: `cursor_factory: Pgconn::StructCursor`. The rows of a statement
  # have one class, as long as the connection remembers the statement.
  class StructCursor < Cursor
    # @param (see Cursor#initialize)
    # @raise (see Cursor#initialize)
    def initialize(connection, row: :struct, timeout: nil)
      super
    end
  end
end
