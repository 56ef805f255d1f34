# frozen_string_literal: true

module Pgconn
  class LargeObject
    # A large object that is open on the server, where it lasts until the transaction ends or the savepoint is
    # rolled back in which it was opened. Its number would be given to another object then. So the opening
    # sets a parameter, which is undone at the very same moments, and each statement looks at that first:
    # whoever has ended the transaction, and however, a statement never meets another object.
    #
    # Each access goes to a position of its own: where the server's stands doesn't matter, so that an
    # interrupt leaves no doubt about it.
    #
    # What is read and written may be begun, and its answer taken later, so that several pieces are on their
    # way at a time.
    #
    # @api private
    # @see https://www.postgresql.org/docs/current/lo-funcs.html Server-Side Functions
    # @see https://www.postgresql.org/docs/current/sql-set.html SET LOCAL
    class Descriptor
      # Bytes of one statement, at most.
      PIECE = 1 << 18

      INT4 = 23
      INT8 = 20
      OID = 26
      TEXT = 25
      BYTEA = 17

      OPEN = <<~SQL
        SELECT fd FROM pg_catalog.lo_open($1, $2) AS fd,
          pg_catalog.set_config('pgconn.large_object_' || fd, $3, true)
      SQL
      # $1: the descriptor, $2: by what it is known
      VALID = "WHERE pg_catalog.current_setting('pgconn.large_object_' || $1, true) = $2"
      AT = "FROM pg_catalog.lo_lseek64($1, $3, 0) #{VALID}".freeze
      CHECK = "SELECT $1 #{VALID}".freeze
      READ = "SELECT pg_catalog.loread($1, $4) #{AT}".freeze
      WRITE = "SELECT pg_catalog.lowrite($1, $4) #{AT}".freeze
      SIZE = "SELECT pg_catalog.lo_lseek64($1, 0, 2) #{VALID}".freeze
      TRUNCATE = "SELECT pg_catalog.lo_truncate64($1, $3) #{VALID}".freeze
      UNLINK = "SELECT pg_catalog.lo_unlink($3) #{VALID}".freeze
      CLOSE = "SELECT pg_catalog.lo_close($1) #{VALID}".freeze
      private_constant :INT4, :INT8, :OID, :TEXT, :BYTEA, :OPEN, :VALID, :AT, :CHECK, :READ, :WRITE, :SIZE,
                       :TRUNCATE, :UNLINK, :CLOSE

      # What was begun: the call, and what the connection's transaction_mark was before it.
      Begun = Struct.new(:call, :mark)
      private_constant :Begun

      # @param flags [Integer] those of {Mode}
      def initialize(connection, oid, flags)
        @connection = connection
        known_by = object_id.to_s # no other object of this process ever has the same
        arguments = [Typed.new(oid, OID), Typed.new(flags, INT4), Typed.new(known_by, TEXT)]
        fd = connection.send(:large_object_value, OPEN, arguments, true)
        @known = [Typed.new(fd, INT4), Typed.new(known_by, TEXT)].freeze
      end

      # Whether nothing has happened since the last answer that could have ended it.
      def unchanged? = !@mark.nil? && mark == @mark

      # Whether something may be begun: it is there as far as is known, and nothing would be waited for.
      def begins? = unchanged? && @connection.send(:large_object_begins?)

      # @raise [ProgrammingError] if it is gone
      def check
        execute(CHECK)
      end

      # @param length [Integer] bytes, not more than PIECE
      # @return [Begun] for {#finish}, which gives a String that is shorter at the end
      def begin_read(position, length)
        start(READ, Typed.new(position, INT8), Typed.new(length, INT4))
      end

      # Whatever interrupts who waits for it, there is no hole in what is written.
      #
      # @param bytes [String] in ASCII-8BIT, not more than PIECE
      # @return [Begun]
      def begin_write(position, bytes)
        start(WRITE, Typed.new(position, INT8), Typed.new(bytes, BYTEA), runs_on: true)
      end

      # Waits for it. Once only. Where that fails nothing is begun until the server has been asked again.
      #
      # @return [Object] what the function gave
      # @raise [ProgrammingError] if it is gone
      def finish(begun)
        value_of(@connection.send(:large_object_finish, begun.call), begun.mark)
      rescue Error
        @mark = nil
        raise
      end

      # Nobody wants it.
      def drop(begun)
        @connection.send(:large_object_drop, begun.call)
      end

      # @param bytes (see #begin_write)
      def write(position, bytes)
        execute(WRITE, Typed.new(position, INT8), Typed.new(bytes, BYTEA))
      end

      # @return [Integer] bytes
      def size = execute(SIZE)

      # @param size [Integer] bytes
      def truncate(size)
        execute(TRUNCATE, Typed.new(size, INT8))
      end

      # @param oid [Integer] the object's
      def unlink(oid)
        execute(UNLINK, Typed.new(oid, OID))
      end

      # What is gone can be closed.
      def close
        @connection.send(:large_object_value, CLOSE, @known, false)
      end

      private

      def mark = @connection.send(:transaction_mark)

      def start(sql, *arguments, runs_on: false)
        before = mark
        Begun.new(@connection.send(:large_object_begin, sql, [*@known, *arguments], runs_on), before)
      end

      def execute(sql, *arguments)
        before = mark
        value_of(@connection.send(:large_object_value, sql, [*@known, *arguments], false), before)
      end

      # The mark was taken before the answer: what comes between the two may have ended the descriptor.
      def value_of(value, mark)
        raise ProgrammingError, "lobject isn't valid anymore" if value.nil?

        @mark = mark
        value
      end
    end
    private_constant :Descriptor
  end
end
