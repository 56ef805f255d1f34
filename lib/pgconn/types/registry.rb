# frozen_string_literal: true

module Pgconn
  class Types
    # (see types.c)
    class Registry
      def initialize
        @lock = Mutex.new
      end

      # Registers types, unless they are registered in the same way.
      #
      # @yieldparam known [Hash{Integer => Definition}] what is registered, by OID
      # @yieldreturn [Array<Definition>]
      # @return [nil]
      # @api private
      def define
        @lock.synchronize do
          known = codecs.transform_values(&:definition)
          changed = yield(known).reject { |definition| known[definition.oid] == definition }
          definitions = known.merge(changed.to_h { |definition| [definition.oid, definition] })
          store(Assembly.codecs(definitions, codecs)) if changed.any?
        end
        nil
      end
    end
  end
end
