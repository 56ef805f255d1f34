# frozen_string_literal: true

module Pgconn
  class LargeObject
    # The String that a reading method fills, if it was given one.
    #
    # @api private
    module Outbuf
      class << self
        # Empties it. What can't be filled raises before anything is read.
        #
        # @param outbuf [String, #to_str, nil]
        # @return [String, nil]
        # @raise [TypeError, FrozenError]
        def of(outbuf)
          return if outbuf.nil?

          buffer = String.try_convert(outbuf)
          raise TypeError, "outbuf must be a String, not #{outbuf.class}" unless buffer

          buffer.clear
        end

        # A copy, for Strings would share the memory, and no collector has to come for the bytes then.
        #
        # @return [String] what the method gives
        def fill(buffer, bytes)
          return bytes unless buffer

          buffer << bytes
          buffer.force_encoding(bytes.encoding)
          bytes.clear
          buffer
        end
      end
    end
    private_constant :Outbuf
  end
end
