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

      def statements
        @statements ||= begin
          raise InterfaceError, "the large object's initialize was not called" unless @connection

          @connection.method(:large_object_values)
        end
      end

      # One that doesn't need the object to be open, and begins a transaction if need be.
      def execute_with_oid(sql, oid)
        statements.call(sql, [[Typed.new(oid, OID_TYPE)]], true).first
      end

      def create(new_oid)
        execute_with_oid("SELECT pg_catalog.lo_create($1)", new_oid)
      end

      # What can't be read to its end isn't left half done for somebody to commit.
      def create_from(file, new_oid)
        raise Errno::EISDIR, file.path if file.stat.directory?

        @oid = create(new_oid)
        target = Descriptor.new(statements, @oid, Mode.new("w").flags)
        import_from(file, target)
        target.close
        whole = true
      ensure
        quietly { unlink } if @oid && !whole
      end

      def open_descriptor
        @descriptor = Descriptor.new(statements, @oid, @mode.flags)
        @reader = Reader.new(@descriptor, @connection.method(:transaction_mark), !@mode.writes?)
      end

      def forget_descriptor
        @descriptor = @reader = nil
      end

      def open_descriptor_get
        @descriptor or raise InterfaceError, "large object already closed"
      end

      def writable_descriptor
        descriptor = open_descriptor_get
        return descriptor if @mode.writes?

        raise ProgrammingError, "the large object was opened for reading only"
      end

      def check
        open_descriptor_get
        @reader.check
      end

      def length_of(length)
        length = Integer(length)
        raise ArgumentError, "negative length #{length} given" if length.negative?

        length
      end

      def read_bytes(length)
        open_descriptor_get
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

      # Yields after each piece how many bytes there were so far.
      def import_from(file, target, position = 0)
        bytes = "".b
        written = 0
        while file.read(Reader::TOGETHER, bytes)
          target.write(position + written, bytes)
          written += bytes.bytesize
          yield written if block_given?
        end
        written
      end

      def export_from(source, path)
        File.open(path, "wb") do |file|
          Reader.new(source, nil, false).each_piece { |bytes| file.write(bytes) }
          file.flush
          file.size
        end
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
