# frozen_string_literal: true

module Pgconn
  class LargeObject
    # From files and to them.

    # Writes its content to a file, whatever the position; also when it is closed.
    #
    # @param path [String, #to_path] of this machine; a file that is there is overwritten
    # @return [Integer] how many bytes
    # @raise [SystemCallError] if the file can't be written, such as Errno::ENOSPC
    # @raise [Errors::UndefinedObject] if it was deleted
    # @raise [ProgrammingError] if it isn't valid anymore, and for a closed one in autocommit outside of
    #   {Connection#transaction}
    # @see https://www.postgresql.org/docs/current/lo-interfaces.html#LO-EXPORT lo_export
    def export(path)
      settled_descriptor && check unless closed?
      source = Descriptor.new(connection_get, @oid, Mode.new("r").flags)
      begin
        export_from(source, path)
      ensure
        quietly { source.close }
      end
    end

    # Writes the content of a file at the position.
    #
    # @param path [String, #to_path] of this machine
    # @return [Integer] how many bytes
    # @raise [SystemCallError] if the file can't be read
    # @raise (see #write)
    def import(path)
      writer = writer_get
      check
      File.open(path, "rb") do |file|
        import_from(file, writer, @position) { |size| @position += size }
      end
    end

    private

    # What can't be read to its end isn't left half done for somebody to commit.
    def create_from(file, new_oid)
      raise Errno::EISDIR, file.path if file.stat.directory?

      @oid = create(new_oid)
      target = Descriptor.new(@connection, @oid, Mode.new("w").flags)
      import_from(file, Writer.new(target))
      target.close
      whole = true
    ensure
      quietly { unlink } if @oid && !whole
    end

    # Yields the size of each piece once that is on its way. In the end all of it is there.
    def import_from(file, writer, position = 0, &block)
      written = 0
      while (bytes = file.read(Descriptor::PIECE))
        writer.write(position + written, bytes) { |size| block&.call(size) }
        written += bytes.bytesize
      end
      writer.flush
      written
    end

    def export_from(source, path)
      File.open(path, "wb") do |file|
        Reader.new(source, true).each_piece { |bytes| file.write(bytes) }
        file.flush
        file.size
      end
    end
  end
end
