# frozen_string_literal: true

module Pgconn
  class SQL
    # A text with braces, for {SQL#format}.
    # @api private
    class Template
      # Text without braces, a brace that is doubled, a place for a piece, or a brace that is alone.
      TOKEN = /(?<text>[^{}]+)|(?<brace>\{\{|\}\})|\{(?<place>\w*)\}|(?<stray>[{}])/

      def initialize(text)
        @text = text
      end

      # @return [Composed]
      def fill(pieces, named)
        @pieces = pieces.each_with_index.to_h { |piece, index| [index, piece] }.merge(named)
        @pieces.each_value { |piece| Composable.check(piece) }
        @used = {}
        @index = -1
        composed = Composed.new(parts)
        check_unused
        composed
      end

      private

      # Text is gathered, so that formats that say the same are equal.
      def parts
        tokens.slice_when { |one, other| !(one.is_a?(String) && other.is_a?(String)) }.flat_map do |run|
          run.first.is_a?(String) ? SQL.new(run.join) : run
        end
      end

      # Strings of text, and pieces.
      def tokens
        tokens = []
        @text.scan(TOKEN) { tokens << token(Regexp.last_match) }
        tokens
      end

      def token(match)
        if match[:stray]
          raise ArgumentError, "the #{match[:stray].inspect} at character #{match.begin(0) + 1} of the SQL " \
                               "has no counterpart; as a character of its own it is written twice"
        end
        return match[:text] || match[:brace][0] unless match[:place]

        piece(key(match[:place]))
      end

      # The index or the name of a piece.
      def key(place)
        return place.to_sym unless place.match?(/\A\d*\z/)

        style = place.empty? ? :counted : :numbered
        raise ArgumentError, "the SQL can't have both {} and {0}" if (@style ||= style) != style

        style == :numbered ? place.to_i : (@index += 1)
      end

      def piece(key)
        @used[key] = true
        @pieces.fetch(key) { raise ArgumentError, "the SQL has a place for #{name_of(key)}, not given" }
      end

      def check_unused
        unused = @pieces.keys - @used.keys
        return if unused.empty?

        raise ArgumentError, "the SQL has no place for #{unused.map { |key| name_of(key) }.join(", ")}"
      end

      def name_of(key) = key.is_a?(Symbol) ? "{#{key}}" : "piece number #{key + 1}"
    end
    private_constant :Template
  end
end
