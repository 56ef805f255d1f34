# frozen_string_literal: true

module Pgconn
  class Connection
    # COPY: many rows at once, from and to a table. A COPY holds the connection until it ends: other callers
    # wait, and what its own block or IO executes on it raises ProgrammingError.

    # Copies rows, or data in one of COPY's formats, into a table. The rows are there when it returns, all or
    # none: what the source raises, `break` and the server's errors end the COPY, of which nothing is left; a
    # transaction fails by that.
    #
    # With autocommit, rows are copied in a transaction of their own, which keeps others from changing the
    # table's types meanwhile. The COPY has begun when the source is asked, or the block called, for the first
    # time.
    #
    # Rows are sent in binary, in text where a column's type, or a value of the first row, has no binary form
    # (a COPY of no rows comes first then, which triggers for each statement see).
    # A later value without one, such as a String for an integer, is a DataError then; `format: :text` takes
    # whatever the server reads.
    #
    # An error of the server stops the source soon; over TLS, where libpq keeps it to itself, at the end of
    # the data.
    #
    # @param target [String, Symbol, Array<String>, SQL::Composable] a table, its name taken as it is, as
    #   [schema, table] with its schema; or a whole `COPY ... FROM STDIN`, for data
    # @param source [#read, Pathname, #each, nil] an IO with data, up to where `read` gives nil or an empty
    #   String, or the path of a file with data, or rows, as a CSV has them, too; instead of the block
    # @param columns [Array<String, Symbol>, nil] of the table; nil: all but generated ones
    # @param format [Symbol, nil] `:binary`, `:text` or `:csv`; nil: binary for rows, text for an IO
    # @param separator [String, nil] between the columns of an IO's data
    # @param null [String, nil] what NULL is in an IO's data
    # @param header [Boolean, Symbol, nil] whether an IO's data begins with the names; `:match`: and whether
    #   they are the right ones
    # @param progress [#call, nil] is told, now and then, how many rows (0 for data) and bytes were sent
    # @param timeout [Numeric, nil] seconds for all of it, the source's time included; what isn't ended
    #   then is aborted
    # @yieldparam copy [Copy] takes rows by `<<`, or Strings of data where target is a COPY
    # @return [Integer] how many rows were copied
    # @raise [DataError] that names the row, counted from 0, and the column, for a value that can't be sent
    # @raise [TypeError, ArgumentError] for arguments of the wrong kind
    # @raise [ProgrammingError] for SQL that isn't one COPY FROM STDIN
    # @raise what the source or the block raises
    # @example
    #   conn.copy_in("people", columns: %w[name born]) { |copy| people.each { |p| copy << [p.name, p.born] } }
    #   File.open("people.csv") { |io| conn.copy_in("people", io, format: :csv, header: true) }
    # @example With the gem ruby-progressbar
    #   bar = ProgressBar.create(total: rows.size)
    #   conn.copy_in("people", rows, progress: ->(count, _bytes) { bar.progress = count })
    # @see https://www.postgresql.org/docs/current/sql-copy.html COPY
    # @see https://www.postgresql.org/docs/current/libpq-copy.html Functions Associated with the COPY Command
    def copy_in(target, source = nil, columns: nil, format: nil, separator: nil, null: nil, header: nil,
                progress: nil, timeout: nil, &block)
      options = { columns: columns, format: format, separator: separator, null: null, header: header,
                  progress: progress, timeout: timeout }
      CopyRun.into(cursor, target, source, **options, &block)
    end

    # Copies a table, or the rows of a query, to a block as rows with typed values, or to an IO as data in one
    # of COPY's formats. `break` and what the block or the IO raises cancel what is left; a transaction fails
    # by that. (Of views and partitioned tables the server copies queries only: `TABLE name`.)
    #
    # @param source [String, Symbol, Array<String>, SQL::Composable] a table as in {#copy_in}; a query, which
    #   begins with SELECT, VALUES, TABLE, WITH or `(`; or a whole `COPY ... TO STDOUT`, whose data a block
    #   gets as Strings of any length
    # @param sink [#write, Pathname, nil] an IO, or the path of a file that is written anew once the COPY has
    #   begun; instead of the block. An IO's `write` takes all that it is given, as Ruby's
    #   do: what it returns isn't looked at, for an IO with another encoding counts bytes in that
    # @param columns (see #copy_in)
    # @param format [Symbol, nil] `:binary`, `:text` or `:csv`; nil: text for an IO, what is quicker for rows
    # @param separator (see #copy_in)
    # @param null (see #copy_in)
    # @param header [Boolean, nil] whether an IO's data begins with the names
    # @param progress [#call, nil] is told, now and then, how many rows (0 for data) and bytes have come
    # @param timeout (see #copy_in)
    # @yieldparam row [Row, String]
    # @return [Integer, Enumerator] how many rows were copied; without sink and block an Enumerator of rows,
    #   which keeps to the same rules as {Cursor#stream}'s
    # @raise [TypeError, ArgumentError] for arguments of the wrong kind
    # @raise [ProgrammingError] for SQL that isn't one COPY TO STDOUT
    # @raise what the sink or the block raises
    # @example
    #   conn.copy_out("SELECT name, born FROM people") { |name, born| puts "#{name}, #{born.year}" }
    #   File.open("people.csv", "w") { |io| conn.copy_out("people", io, format: :csv, header: true) }
    # @see https://www.postgresql.org/docs/current/sql-copy.html COPY
    # @see https://www.postgresql.org/docs/current/libpq-copy.html Functions Associated with the COPY Command
    def copy_out(source, sink = nil, columns: nil, format: nil, separator: nil, null: nil, header: nil,
                 progress: nil, timeout: nil, &block)
      options = { columns: columns, format: format, separator: separator, null: null, header: header,
                  progress: progress, timeout: timeout }
      return cursor.send(:copy_enumerator, source, **options) unless !sink.nil? || block

      CopyRun.out_of(cursor, source, sink, **options, &block)
    end
  end
end
