# frozen_string_literal: true

module Pgconn
  # Where a COPY takes its rows, or its data, from.
  # @api private
  class CopySource
    # Bytes that are read at once.
    PIECE = 65_536
    private_constant :PIECE

    # Yields the source, with its file open where it is the path of one.
    # @param object [#read, #each, #to_path]
    # @raise [TypeError] for what is none of these
    # @raise [SystemCallError] for a file that can't be opened
    def self.open(object, &block)
      return block.call(new(object)) unless CopyPath.path?(object)

      File.open(object, "rb") { |file| block.call(new(file)) }
    end

    def initialize(object)
      @object = object
      return if data? || object.respond_to?(:each)

      raise TypeError, "#{object.class} has no method read or each: a source is an IO, a Pathname or rows"
    end

    # @return [Boolean] whether it gives pieces of data. What is Enumerable and can't read so many bytes, as a
    #   CSV, gives rows.
    def data?
      return false unless @object.respond_to?(:read)

      !@object.is_a?(Enumerable) || takes_a_length?
    end

    # Yields its rows, or Strings of data up to its end.
    # @param taken_as_is [Array<Encoding>] all others are read in whole characters, to be transcoded
    def each(taken_as_is, &block)
      return @object.each(&block) unless data?

      read = reader(taken_as_is)
      until (piece = read.call).nil?
        raise TypeError, "read gave #{piece.class}, not a String" unless piece.is_a?(String)
        break if piece.empty?

        yield piece
      end
    end

    private

    def takes_a_length? = !@object.method(:read).arity.zero?

    def reader(taken_as_is)
      encoding = @object.respond_to?(:external_encoding) ? @object.external_encoding : nil
      return -> { @object.read(PIECE) } if encoding.nil? || taken_as_is.include?(encoding)

      -> { @object.gets(nil, PIECE) }
    end
  end
  private_constant :CopySource
end
