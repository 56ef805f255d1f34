# frozen_string_literal: true

module Pgconn
  class SQL
    # Pieces, one after the other. Made by {SQL#format}, {SQL#join}, `+` and `*`, or from an Array.
    class Composed
      include Composable
      include Enumerable

      # @return [Array<Composable>] frozen
      attr_reader :pieces

      # @api private
      def self.check(pieces)
        return pieces if pieces.is_a?(Enumerable)

        raise TypeError, "pieces must be Enumerable, such as an Array of them, not #{pieces.class}"
      end

      # @param pieces [Enumerable<Composable>]
      # @raise [TypeError] for a piece that is no {Composable}, and if they aren't Enumerable
      def initialize(pieces)
        Composed.check(pieces)
        @pieces = pieces.map { |piece| Composable.check(piece) }.freeze
        freeze
      end

      # @yieldparam piece [Composable]
      # @return [self, Enumerator] an Enumerator without a block
      def each(&block)
        return enum_for(:each) { pieces.size } unless block

        pieces.each(&block)
        self
      end

      # @return [String]
      def inspect = "#<#{self.class} #{pieces.inspect}>"

      # Adds itself to the text.
      # @api private
      def render(rendering)
        pieces.each { |piece| piece.render(rendering) }
      end

      protected

      def fields = [pieces]
    end
  end
end
