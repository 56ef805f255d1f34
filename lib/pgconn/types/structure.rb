# frozen_string_literal: true

module Pgconn
  class Types
    # The class of a composite's values, and how they are made: from the attributes by their names where
    # the class has members (Struct, Data), else in their order.
    # @api private
    class Structure
      # @return [Class]
      attr_reader :klass

      # @return [Array<Symbol>] of the attributes, frozen
      attr_reader :names

      # @param type [Catalog::Type]
      # @param klass [Class, nil] nil: that of the known definition, if it fits, or a new Struct
      # @param known [Definition, nil]
      # @raise [ProgrammingError] if class and attributes don't fit
      def self.for(type, klass, known)
        names = type.names.map(&:to_sym).freeze
        return known.structure if klass.nil? && known&.structure&.names == names

        new(klass || new_struct(type, names), names).tap { |structure| structure.check(type) }
      end

      def self.new_struct(type, names)
        return Struct.new(*names) unless names.empty?

        raise ProgrammingError, "#{type.name} has no attributes: give the class of its values by as:"
      end
      private_class_method :new, :new_struct

      def initialize(klass, names)
        @klass = klass
        @names = names
      end

      # @return [Array<Integer>] where the value of each attribute stands among the arguments of `new`
      def places
        @places ||= names.map { |name| members.index(name) }
      end

      # @return [Boolean, nil] whether `new` takes the values by name
      def keyword_init?
        klass.keyword_init? if struct?
      end

      # @return [Boolean]
      def ==(other)
        other.is_a?(Structure) && klass == other.klass && names == other.names
      end

      # Raises unless each attribute has its member, and each member its attribute.
      def check(type)
        missing = names - members
        surplus = members - names
        return if missing.empty? && surplus.empty?

        raise ProgrammingError, "#{klass.inspect} doesn't fit #{type.name}: " +
                                [*missing.map { |name| "it has no member #{name}" },
                                 *surplus.map { |name| "#{name} is no attribute" }].join(", ")
      end

      private

      def members
        struct? || data? ? klass.members : names
      end

      def struct? = klass < Struct

      # Ruby 3.1 has no Data.
      def data? = Object.const_defined?(:Data) && klass < Data
    end
    private_constant :Structure
  end
end
