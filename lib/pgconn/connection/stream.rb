# frozen_string_literal: true

module Pgconn
  class Connection
    # @overload stream(sql, params = nil, timeout: nil, **named)
    #   Executes a statement on a new cursor, and yields its rows as they arrive, without keeping them: see
    #   {Cursor#stream}. (Rows in another shape: `conn.cursor(row: :hash).stream(sql)`.)
    #   @param (see Cursor#stream)
    #   @yieldparam row [Row, Object] as the connection's cursor_factory says
    #   @return [Cursor, Enumerator] the cursor; without a block an Enumerator, as {Cursor#stream} gives
    #   @raise (see Cursor#stream)
    #   @example
    #     conn.stream("SELECT id, name FROM users") { |id, name| puts "#{id}: #{name}" }
    #     conn.stream("SELECT id FROM users ORDER BY id").lazy.select { |id,| id.odd? }.first(10)
    #   @see https://www.postgresql.org/docs/current/libpq-single-row-mode.html Retrieving Query Results in
    #     Chunks
    def stream(...) = cursor.stream(...)
  end
end
