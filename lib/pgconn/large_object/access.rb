# frozen_string_literal: true

module Pgconn
  class LargeObject
    # How the public methods come to the server's functions.
    #
    # @api private
    module Access
      OID_TYPE = 26
      private_constant :OID_TYPE

      private

      def check_oids(oid, new_oid, new_file)
        [oid, new_oid].each do |number|
          raise TypeError, "an OID must be an Integer, not #{number.class}" unless number.is_a?(Integer)
          raise ArgumentError, "an OID must be from 0 to 4294967295, not #{number}" unless OIDS.cover?(number)
        end
        return if oid.zero? || (new_oid.zero? && new_file.nil?)

        raise ArgumentError, "new_oid and new_file are for a new large object, not for #{oid}"
      end

      def connection_get
        @connection or raise InterfaceError, "the large object's initialize was not called"
      end

      # One that doesn't need the object to be open, and begins a transaction if need be.
      def execute_with_oid(sql, oid)
        connection_get.send(:large_object_value, sql, [Typed.new(oid, OID_TYPE)], true)
      end

      def create(new_oid)
        execute_with_oid("SELECT pg_catalog.lo_create($1)", new_oid)
      end

      def open_descriptor
        @descriptor = Descriptor.new(@connection, @oid, @mode.flags)
        @reader = Reader.new(@descriptor, !@mode.writes?)
        @writer = Writer.new(@descriptor)
      end

      def forget_descriptor
        @reader&.forget
        @descriptor = @reader = @writer = nil
      end

      def open_descriptor_get
        @descriptor or raise InterfaceError, "large object already closed"
      end

      # Once it is known what has become of all that was written.
      def settled_descriptor
        open_descriptor_get
        @writer.flush
        @descriptor
      end

      def writer_get
        open_descriptor_get
        return @writer if @mode.writes?

        raise ProgrammingError, "the large object was opened for reading only"
      end

      # Learns that the descriptor is valid.
      def check
        return if open_descriptor_get.unchanged?

        @writer.flush
        @reader.settle
        @descriptor.check
      end

      def length_of(length)
        length = Integer(length)
        raise ArgumentError, "negative length #{length} given" if length.negative?

        length
      end

      def read_bytes(length)
        settled_descriptor
        check if length.zero?
        bytes = @reader.read(@position, length)
        @position += bytes.bytesize
        bytes
      end

      # Takes what the last character needs in addition: at most three bytes more, in every client encoding.
      def text_of(bytes)
        text = bytes.force_encoding(@connection.encoding)
        3.times do
          break if text.empty? || text.valid_encoding? || text[-1].valid_encoding?

          text = (text.b << read_bytes(1)).force_encoding(@connection.encoding)
        end
        text
      end

      # An error of a write is told, unless that was undone since, or what failed has ended.
      def end_writing(writer)
        quietly { writer.flush }
      rescue DatabaseError => e
        raise if e.sqlstate.nil? || @connection.transaction_status == TRANSACTION_STATUS_INERROR
      end

      # For the end of what can't be used any more.
      def quietly
        yield
        nil
      rescue Errors::InFailedSqlTransaction, ConnectionLost, InterfaceError
        nil
      end
    end
    private_constant :Access
  end
end
