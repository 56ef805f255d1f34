# frozen_string_literal: true

module Pgconn
  class Types
    # Makes the codecs of all registered types: new ones where the definition is new or something in the
    # type has a new codec, else those that were there.
    # @api private
    class Assembly
      # @param definitions [Hash{Integer => Definition}]
      # @param earlier [Hash{Integer => Codec}]
      # @return [Hash{Integer => Codec}]
      def self.codecs(definitions, earlier)
        assembly = new(definitions, earlier)
        definitions.to_h { |oid, _| [oid, assembly.codec(oid)] }
      end

      def initialize(definitions, earlier)
        @definitions = definitions
        @earlier = earlier
        @codecs = {}
      end
      private_class_method :new

      # @return [Codec] with those of its parts
      def codec(oid)
        @codecs.fetch(oid) do
          # What is known of two types may be of different times, and each seem to be in the other: that
          # one is read as if nobody had registered it.
          @codecs[oid] = oid
          @codecs[oid] = make(@definitions.fetch(oid), @earlier[oid])
        end
      end

      private

      def make(definition, earlier)
        parts = definition.parts.map { |oids| part(oids) }
        return earlier if earlier && earlier.definition.equal?(definition) && earlier.parts == parts

        definition.codec(parts)
      end

      def part(oids)
        registered = oids.find { |oid| @definitions.key?(oid) }
        registered ? codec(registered) : oids.last
      end
    end
    private_constant :Assembly
  end
end
