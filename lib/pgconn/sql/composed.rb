# frozen_string_literal: true

module Pgconn
  class SQL
    # Pieces, one after the other. Made by {SQL#format}, {SQL#join}, `+` and `*`, or from an Array.
    class Composed
      include Composable
      include Enumerable

      # @return [Array<Composable>] frozen
      attr_reader :pieces

      # @param pieces [Array<Composable>]
      # @raise [TypeError] for a piece that is no {Composable}
      def initialize(pieces)
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
