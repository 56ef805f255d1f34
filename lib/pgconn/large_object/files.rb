# frozen_string_literal: true

module Pgconn
  class LargeObject
    # From files and to them.
    #
    # @api private
    module Files
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
    private_constant :Files
  end
end
