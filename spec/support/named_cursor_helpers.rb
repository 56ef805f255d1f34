# frozen_string_literal: true

# Named cursors, and what the server says of them. The including group has a connection.
module NamedCursorHelpers
  def gone = raise_error(Pgconn::ProgrammingError, /named cursor isn't valid anymore/)

  def declared(name = "rows", **options)
    connection.cursor(name, **options).execute("SELECT i FROM generate_series(1, 5) AS i")
  end

  def status = connection.transaction_status

  def open_cursors
    connection.execute("SELECT name FROM pg_cursors WHERE name <> '' ORDER BY name").column(0)
  end
end
