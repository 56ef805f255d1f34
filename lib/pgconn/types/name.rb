# frozen_string_literal: true

module Pgconn
  class Types
    # How a user calls a type.
    # @api private
    class Name
      # @return [Integer, nil] the OID, where the user has given that
      attr_reader :oid

      # @param name [Integer, String, Symbol, Array(String, String)] an OID, "name", "schema.name" or
      #   [schema, name]
      # @raise [TypeError] for anything else
      # @raise [ProgrammingError] for an empty name, which no type has
      def initialize(name)
        if name.is_a?(Integer) then @oid = name
        else
          @parts = name.is_a?(Array) ? name.map { |part| text(part) } : text(name).split(".", 2)
          raise ProgrammingError, "type #{self} does not exist" unless plausible?
        end
      end

      # @return [String, nil] for to_regtype, so that nothing is folded
      def quoted
        @parts&.map { |part| %("#{part.gsub('"', '""')}") }&.join(".")
      end

      # @return [String] for messages
      def to_s
        @oid ? "with the OID #{@oid}" : quoted
      end

      private

      def text(name)
        return name.to_s if name.is_a?(String) || name.is_a?(Symbol)

        raise TypeError, "a type is given by its name or OID, not by #{name.class}"
      end

      def plausible?
        [1, 2].include?(@parts.size) && @parts.none?(&:empty?)
      end
    end
    private_constant :Name
  end
end
