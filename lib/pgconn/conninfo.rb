# frozen_string_literal: true

module Pgconn
  # Connection parameters: from a URI, a key/value string and keywords to one Hash of Strings and
  # back. `parse` and `defaults` are the extension's, over PQconninfoParse and PQconndefaults.
  # @api private
  module Conninfo
    SECRETS = %w[password sslpassword oauth_client_secret scram_client_key scram_server_key].freeze
    MALFORMED = "malformed connection string, or one with a keyword that libpq doesn't know: it must be a " \
                "URI (postgresql://user@host/database?keyword=value) or pairs of libpq's keywords and " \
                "values (host=... dbname=...), values with spaces in single quotes"
    UNESCAPED = "malformed connection string: its host has an @; in a URI, an @ of the user or of the " \
                "password is written %40"
    private_constant :SECRETS, :MALFORMED, :UNESCAPED

    class << self
      # @param conninfo [String, nil]
      # @param keywords [Hash{Symbol => Object}] win over conninfo
      # @return [Hash{String => String}]
      def merge(conninfo, keywords)
        parameters = conninfo.nil? ? {} : parse_string(conninfo)
        parameters.merge(stringify(with_dbname(keywords.compact)))
      end

      # @param parameters [Hash{String => String}]
      # @return [String] a key/value string in which secrets are "xxx"
      def to_dsn(parameters)
        parameters.map { |keyword, value| "#{keyword}=#{quote(SECRETS.include?(keyword) ? "xxx" : value)}" }
                  .join(" ")
      end

      # @param parameters [Hash{String => String}]
      # @return [Hash{String => String}] those, and what a service, the environment and libpq's defaults have
      #   besides
      def fill_in(parameters)
        found = if parameters.key?("service") then Service.parameters(parameters)
                else defaults.compact.merge(parameters)
                end
        found["dbname"] ||= found["user"]
        LaterKeywords.environment.merge(found)
      end

      # @param parameters [Hash{String => String}]
      # @return [Hash{String => String}] those that may be shown
      def without_secrets(parameters) = parameters.except(*SECRETS)

      private

      def parse_string(conninfo)
        text = String.try_convert(conninfo) or
          raise TypeError, "conninfo must be a String, not #{conninfo.class}"
        # In the message no piece of the text: any of them may be the password's.
        parameters = parse(text) || parse_later(text) or raise ProgrammingError, MALFORMED
        # The host would be the password's end, and in the message of each failure.
        raise ProgrammingError, UNESCAPED if parameters["host"]&.match?(/[^,]@/)

        parameters
      end

      def parse_later(text)
        rest, found = LaterKeywords.cut(text)
        parse(rest)&.merge(found) if found.any?
      end

      def with_dbname(keywords)
        return keywords unless keywords.key?(:database)
        raise ArgumentError, "give dbname or database, not both" if keywords.key?(:dbname)

        keywords.except(:database).merge(dbname: keywords[:database])
      end

      def stringify(keywords)
        known = keywords.empty? ? {} : defaults
        keywords.to_h do |keyword, value|
          unless known.key?(keyword.to_s) || LaterKeywords.include?(keyword.to_s)
            raise ProgrammingError, "libpq knows no keyword #{keyword}"
          end

          [keyword.to_s, to_value(keyword, value)]
        end
      end

      def to_value(keyword, value)
        value = seconds(value) if keyword == :connect_timeout && value.is_a?(Numeric)
        case value
        when String, Symbol, Numeric then without_nul(keyword, value.to_s)
        else raise TypeError, "#{keyword} must be a String, a Symbol or a number, not #{value.class}"
        end
      end

      # For libpq 0 is no timeout.
      def seconds(value)
        raise ArgumentError, "connect_timeout must be positive, not #{value}" unless value.positive?

        value.infinite? ? 0 : value
      end

      def without_nul(keyword, value)
        raise ArgumentError, "#{keyword} can't hold a NUL byte" if value.include?("\0")

        value
      end

      def quote(value)
        return value unless value.empty? || value.match?(/[\s'\\]/)

        escaped = value.gsub(/['\\]/) { |character| "\\#{character}" }
        value.empty? || value.match?(/\s/) ? "'#{escaped}'" : escaped
      end
    end
  end
  private_constant :Conninfo
end
