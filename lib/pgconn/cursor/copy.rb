# frozen_string_literal: true

module Pgconn
  class Cursor
    # COPY by the names of psycopg2; see {Connection#copy_in} and {Connection#copy_out}, which do more.

    # Copies an IO's data, in COPY's text format, into a table.
    #
    # @param io [#read]
    # @param table [String, Symbol, Array<String>]
    # @param separator [String] between columns
    # @param null [String] what NULL is
    # @param columns [Array<String, Symbol>, nil]
    # @param timeout [Numeric, nil] seconds
    # @return [Integer] the number of rows
    # @raise (see Connection#copy_in)
    # @see https://www.postgresql.org/docs/current/sql-copy.html COPY
    def copy_from(io, table, separator: "\t", null: "\\N", columns: nil, timeout: nil)
      CopyRun.into(self, table, io, columns: columns, format: :text, separator: separator, null: null,
                                    timeout: timeout, progress: nil)
    end

    # Copies a table to an IO, in COPY's text format.
    #
    # @param io [#write]
    # @param table (see #copy_from)
    # @param separator (see #copy_from)
    # @param null (see #copy_from)
    # @param columns (see #copy_from)
    # @param timeout (see #copy_from)
    # @return (see #copy_from)
    # @raise (see Connection#copy_out)
    # @see (see #copy_from)
    def copy_to(io, table, separator: "\t", null: "\\N", columns: nil, timeout: nil)
      CopyRun.out_of(self, table, io, columns: columns, format: :text, separator: separator, null: null,
                                      timeout: timeout, progress: nil)
    end

    # Executes a COPY of the caller's, FROM STDIN or TO STDOUT. (One from or to a file of the server's is
    # executed, too; nothing is done with the IO then.)
    #
    # @param sql [String] one COPY
    # @param io [#read, #write] where its data comes from, or goes to
    # @param timeout (see #copy_from)
    # @return (see #copy_from)
    # @raise [ProgrammingError] for SQL that isn't one COPY
    # @raise [TypeError] for an IO that doesn't read, or write
    # @see (see #copy_from)
    def copy_expert(sql, io, timeout: nil)
      CopyRun.with(self, sql, io, timeout: timeout)
    end

    private

    # What an Enumerator of {Connection#copy_out} calls each time that it is enumerated.
    def copy_rows(source, **options, &block) = CopyRun.out_of(self, source, nil, **options, &block)
  end
end
