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
    # @api private
    # @see https://www.postgresql.org/docs/current/lo-funcs.html Server-Side Functions
    # @see https://www.postgresql.org/docs/current/sql-set.html SET LOCAL
    class Descriptor
      # Bytes of one statement.
      PIECE = 1 << 20
      # How many statements go to the server together, at most.
      TOGETHER = 8

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

      # @param statements [Method] Connection#large_object_values
      # @param flags [Integer] those of {Mode}
      def initialize(statements, oid, flags)
        @statements = statements
        known_by = object_id.to_s # no other object of this process ever has the same
        arguments = [Typed.new(oid, OID), Typed.new(flags, INT4), Typed.new(known_by, TEXT)]
        fd, = statements.call(OPEN, [arguments], true)
        @known = [Typed.new(fd, INT4), Typed.new(known_by, TEXT)].freeze
      end

      # @raise [ProgrammingError] if it is gone
      def check
        execute(CHECK)
      end

      # @param length [Integer] bytes, of all pieces together
      # @return [String] shorter at the end
      def read(position, length)
        arguments = spans(position, length).map do |from, size|
          [*@known, Typed.new(from, INT8), Typed.new(size, INT4)]
        end
        pieces = execute_all(READ, arguments)
        pieces.size == 1 ? pieces.first : pieces.join
      end

      # @param bytes [String] in ASCII-8BIT
      def write(position, bytes)
        spans(0, bytes.bytesize).each_slice(TOGETHER) do |slice|
          execute_all(WRITE, slice.map do |from, size|
            piece = size == bytes.bytesize ? bytes : bytes.byteslice(from, size) # a part would share memory
            [*@known, Typed.new(position + from, INT8), Typed.new(piece, BYTEA)]
          end)
        end
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
        @statements.call(CLOSE, [@known], false)
      end

      private

      # [position, size] of each piece
      def spans(position, length)
        (0...length).step(PIECE).map { |from| [position + from, [PIECE, length - from].min] }
      end

      def execute(sql, *arguments)
        execute_all(sql, [[*@known, *arguments]]).first
      end

      def execute_all(sql, arguments)
        values = @statements.call(sql, arguments, false)
        raise ProgrammingError, "lobject isn't valid anymore" if values.include?(nil)

        values
      end
    end
    private_constant :Descriptor
  end
end
