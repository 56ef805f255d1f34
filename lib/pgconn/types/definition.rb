# frozen_string_literal: true

module Pgconn
  class Types
    # What is known of a registered type: all that its codec is made from. Equal ones make codecs that do
    # the same, so that registering a type again as it is changes nothing.
    # @api private
    class Definition
      # @return [Integer]
      attr_reader :oid

      # @return [String] for messages
      attr_reader :name

      # @return [Array<Array<Integer>>] for each type in it the OID and, of a domain, that of the type below;
      #   of these the first that is registered counts
      attr_reader :parts

      # @return [Array<Definition>] of a type that {Catalog} has found, and of its array
      def self.with_array(kind, type, parts: [], options: [])
        [new(kind, type, parts, options), *array_of(type)]
      end

      # @return [Array<Definition>] of its array, if it has one
      def self.array_of(type)
        return [] if type.array_oid.zero?

        array = Catalog::Type.new(type.array_oid, "#{type.name}[]")
        [new(:array, array, [[type.oid]], [type.delimiter])]
      end
      private_class_method :new

      # @param kind [Symbol] the method of Codec that makes the codec
      # @param options [Array] what that takes besides the parts
      def initialize(kind, type, parts, options)
        @kind = kind
        @oid = type.oid
        @name = type.name
        @parts = parts
        @options = options
      end

      # @return [Structure, nil] of a composite
      def structure
        @options.last if @kind == :composite
      end

      # @return [Codec] parts are codecs, or OIDs of built-in types and of those that nobody registered
      def codec(parts)
        Codec.public_send(@kind, self, parts, *@options)
      end

      # @return [Boolean]
      def ==(other) = other.is_a?(Definition) && fields == other.fields

      protected

      def fields = [@kind, @oid, @name, @parts, @options]
    end
    private_constant :Definition
  end
end
