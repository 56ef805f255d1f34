# frozen_string_literal: true

module Pgconn
  class LargeObject
    # Reads from a descriptor, and for who reads on and on in small pieces more than was asked for.
    #
    # @api private
    class Reader
      # Bytes that go to the server's in one go, at most.
      TOGETHER = Descriptor::PIECE * Descriptor::TOGETHER
      # Bytes that are read ahead, at most.
      AHEAD = Descriptor::PIECE
      private_constant :AHEAD

      # @param mark [Method] Connection#transaction_mark
      # @param keeps [Boolean] whether what was read may be kept: not where it can be written meanwhile. What
      #   is opened for reading alone is as it was when it was opened, as long as that is valid
      def initialize(descriptor, mark, keeps)
        @descriptor = descriptor
        @mark = mark
        @keeps = keeps
        @window = 0
        forget
      end

      # @param length [Integer, Float] bytes, or Float::INFINITY
      # @return [String] shorter where the object ends
      def read(position, length)
        window = next_window(position, length)
        bytes = kept(position, length)
        while bytes.bytesize < length
          wanted = wanted(length - bytes.bytesize, window)
          piece = fetch(position + bytes.bytesize, wanted)
          bytes = bytes.empty? ? piece : bytes << piece
          break if piece.bytesize < wanted

          window *= 2
        end
        bytes = keep(position, bytes, length) if bytes.bytesize > length
        @read_to = position + bytes.bytesize
        bytes
      end

      # Whether nothing is to be read there.
      def end?(position)
        ended = kept(position, 1).empty? && read(position, 1).empty?
        @read_to = position
        ended
      end

      # Yields pieces, up to the end.
      def each_piece(position = 0)
        loop do
          bytes = @descriptor.read(position, TOGETHER)
          yield bytes unless bytes.empty?
          break if bytes.bytesize < TOGETHER

          position += bytes.bytesize
        end
      end

      # Whether nothing has happened since the last answer that could have ended the descriptor.
      def unchanged? = !@marked.nil? && @mark.call == @marked

      # Learns that the descriptor is valid.
      def check
        return if unchanged?

        forget
        marking { @descriptor.check }
      end

      private

      def forget
        @kept = "".b
        @kept_at = 0
      end

      # The mark is taken before the answer: what comes between the two may have ended the descriptor.
      def marking
        mark = @mark.call
        value = yield
        @marked = mark
        value
      end

      # Doubles for who reads on where the last reading ended.
      def next_window(position, length)
        return Descriptor::PIECE if length == Float::INFINITY

        @window = @keeps && position == @read_to ? (2 * @window).clamp(1 << 14, AHEAD) : 0
      end

      # For who wants all there is, more and more.
      def wanted(missing, window)
        [missing == Float::INFINITY ? window : [missing, window].max, TOGETHER].min
      end

      def fetch(position, length)
        marking { @descriptor.read(position, length) }
      end

      def kept(position, length)
        offset = position - @kept_at
        return "".b unless offset >= 0 && offset < @kept.bytesize && unchanged?

        @kept.byteslice(offset, [length, @kept.bytesize].min)
      end

      # Gives what was asked for, and keeps all of it. What was kept before is freed here and now, for
      # the collector has little reason to hurry with a few large Strings.
      def keep(position, bytes, length)
        @kept.clear
        @kept = bytes
        @kept_at = position
        bytes.byteslice(0, length)
      end
    end
    private_constant :Reader
  end
end
