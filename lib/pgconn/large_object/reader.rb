# frozen_string_literal: true

module Pgconn
  class LargeObject
    # Reads from a descriptor, in pieces of which several are on their way at a time; for who reads on and on
    # also those that come next.
    #
    # @api private
    class Reader
      # Bytes that are on their way at a time, at most, besides the last piece.
      UNDER_WAY = 1 << 22
      # How many of them are there, at first, that nobody has asked for yet; it doubles up to UNDER_WAY.
      WINDOW = 1 << 16
      # How many pieces these are, at least.
      PIECES = 4
      private_constant :UNDER_WAY, :WINDOW, :PIECES

      # @param keeps [Boolean] whether bytes may be read before they are asked for: not where they can be
      #   written meanwhile. What is opened for reading alone is as it was when it was opened, as long as that
      #   is valid
      def initialize(descriptor, keeps)
        @descriptor = descriptor
        @keeps = keeps
        @window = 0
        @ahead = []
        forget
      end

      # @param length [Integer, Float] bytes, or Float::INFINITY
      # @return [String] shorter where the object ends
      def read(position, length)
        start(position)
        bytes = take_here(length)
        until bytes.bytesize == length || @at_end
          begin_up_to(position + length, bytes.bytesize)
          finish_first
          piece = take_here(length - bytes.bytesize)
          bytes = bytes.empty? ? piece : bytes << piece
        end
        @read_to = position + bytes.bytesize
        @keeps ? begin_ahead : forget
        bytes
      end

      # Whether nothing is to be read there.
      def end?(position)
        return false if position == @read_to && here.positive? && @descriptor.unchanged?

        bytes = read(position, 1)
        @here = bytes + take_here(here) if @keeps
        @read_to = position
        bytes.empty?
      end

      # Yields pieces, from the beginning to the end.
      def each_piece
        position = 0
        loop do
          bytes = read(position, Descriptor::PIECE)
          break if bytes.empty?

          yield bytes
          position += bytes.bytesize
          bytes.clear
        end
      end

      # Raises what has become of the pieces that are on their way, and forgets them.
      def settle
        @descriptor.finish(@ahead.shift.first) until @ahead.empty?
      ensure
        forget
      end

      # Nothing of what is on its way is wanted.
      def forget
        @here = "".b
        @taken = 0
        @at_end = false
        drop_ahead
      end

      private

      def drop_ahead
        @ahead.map(&:first).each { |begun| @descriptor.drop(begun) }
        @ahead = []
      end

      # Bytes that are here.
      def here = @here.bytesize - @taken

      # What was read ahead is of use to who reads on, and only as long as the descriptor has lasted.
      def start(position)
        follows = position == @read_to
        @window = follows ? (2 * @window).clamp(WINDOW, UNDER_WAY) : 0
        if !@descriptor.unchanged? then settle
        elsif !follows then forget
        end
        @begun_to = position + here if @ahead.empty?
      end

      # The String itself where all of it is wanted; else a part.
      def take_here(length)
        return take_all_here if @taken.zero? && length >= @here.bytesize
        return take_rest if length >= here

        bytes = copy_here(length)
        @taken += length
        bytes
      end

      # The memory is freed here and now: the collector has little reason to hurry with a few large Strings.
      def take_rest
        bytes = copy_here(here)
        take_all_here.clear
        bytes
      end

      # What byteslice gives may share the memory of the whole, and keep it.
      def copy_here(length) = @here.unpack1("@#{@taken}a#{length}")

      def take_all_here
        bytes = @here
        @here = "".b
        @taken = 0
        bytes
      end

      # For who wants all there is, more and more.
      def begin_up_to(position, come)
        limit = position == Float::INFINITY ? [come, UNDER_WAY].min : UNDER_WAY
        while @begun_to < position && (@ahead.empty? || @ahead.sum(&:last) <= limit)
          begin_piece([position - @begun_to, Descriptor::PIECE].min)
        end
      end

      def begin_ahead
        return if @at_end || @window.zero?

        size = [@window / PIECES, Descriptor::PIECE].min
        begin_piece(size) while @begun_to - @read_to + size <= @window && @descriptor.begins?
      end

      def begin_piece(size)
        @ahead << [@descriptor.begin_read(@begun_to, size), size]
        @begun_to += size
      end

      # Behind a piece that is short there is nothing.
      def finish_first
        begun, size = @ahead.shift
        @here = @descriptor.finish(begun)
        @taken = 0
        return if @here.bytesize == size

        @at_end = true
        drop_ahead
      end
    end
    private_constant :Reader
  end
end
