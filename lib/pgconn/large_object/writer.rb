# frozen_string_literal: true

module Pgconn
  class LargeObject
    # Writes to a descriptor, and doesn't wait for the answers as long as not too much is on its way. What the
    # server says of a piece is raised by what comes later.
    #
    # @api private
    class Writer
      # Bytes that are on their way at a time, at most.
      UNDER_WAY = 1 << 22
      # How many pieces they are, at most.
      PIECES = 256
      private_constant :UNDER_WAY, :PIECES

      def initialize(descriptor)
        @descriptor = descriptor
        forget
      end

      # Yields the size of each piece once that is on its way.
      #
      # @param bytes [String] in ASCII-8BIT
      # @raise what a piece before it has come to; then nothing that was sent behind that piece counts
      def write(position, bytes)
        (0...bytes.bytesize).step(Descriptor::PIECE) do |from|
          size = [Descriptor::PIECE, bytes.bytesize - from].min
          # A part would share the memory of the whole, and keep it.
          write_piece(position + from, size == bytes.bytesize ? bytes : bytes.byteslice(from, size))
          yield size
        end
      end

      # Waits for all that is on its way.
      def flush
        finish_first until @begun.empty?
      end

      private

      def forget
        @begun = []
        @under_way = 0
      end

      # By half where there is none: were each answer waited for by itself, both sides would stop and go.
      def make_room(size)
        return if fits?(size, 1)

        finish_first until @begun.empty? || fits?(size, 2)
      end

      def fits?(size, part)
        @begun.size < PIECES / part && @under_way + size <= UNDER_WAY / part
      end

      # It is waited for where the descriptor may have ended: its caller hears of that at once.
      def write_piece(position, piece)
        make_room(piece.bytesize)
        if @descriptor.begins?
          @begun << [@descriptor.begin_write(position, piece), piece.bytesize]
          @under_way += piece.bytesize
        else
          flush
          @descriptor.write(position, piece)
        end
      end

      # Who is interrupted hears nothing of the rest, which the server does all the same.
      def finish_first
        begun, size = @begun.shift
        finished = false
        @descriptor.finish(begun)
        @under_way -= size
        finished = true
      ensure
        forget unless finished
      end
    end
    private_constant :Writer
  end
end
