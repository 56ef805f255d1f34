# frozen_string_literal: true

module Pgconn
  # Keywords of later versions of libpq that pgconn heeds by itself, so that any version may be told them,
  # in every way in which libpq is told its own.
  # @api private
  module LaterKeywords
    # With their variables in the environment.
    # load_balance_hosts: libpq 16. Until 2027-11 and the end of life of 15.
    VARIABLES = { "load_balance_hosts" => "PGLOADBALANCEHOSTS" }.freeze

    URI = %r{\Apostgres(?:ql)?://}
    URI_PAIR = /(?<=[?&])(?<keyword>#{Regexp.union(VARIABLES.keys)})=(?<value>[^&]*)&?/
    PAIR = /\G\s*(?<keyword>[^\s=]+)\s*=\s*(?<value>'(?:[^'\\]|\\.)*'|(?:[^\s\\]|\\.)*)/m
    private_constant :VARIABLES, :URI, :URI_PAIR, :PAIR

    class << self
      # @return [Boolean]
      def include?(keyword) = VARIABLES.key?(keyword)

      # @return [Hash{String => String}]
      def environment
        VARIABLES.transform_values { |variable| ENV[variable].to_s }.reject { |_, value| value.empty? }
      end

      # @param conninfo [String] that libpq doesn't understand
      # @return [Array(String, Hash{String => String})] the text without these keywords, and their values
      def cut(conninfo)
        found = {}
        bytes = conninfo.b # which need not be valid in any encoding
        rest = bytes.gsub(bytes.match?(URI) ? URI_PAIR : PAIR) do |pair|
          keyword, value = Regexp.last_match.values_at(:keyword, :value)
          next pair unless include?(keyword)

          found[keyword] = value.delete_prefix("'").delete_suffix("'").force_encoding(Encoding::UTF_8)
          ""
        end
        [rest, found]
      end
    end
  end
  private_constant :LaterKeywords
end
