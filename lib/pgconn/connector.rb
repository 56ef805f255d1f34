# frozen_string_literal: true

module Pgconn
  # Tries the addresses of a set of connection parameters until one of them is connected.
  # @api private
  class Connector
    # In VERBOSE messages the SQLSTATE stands behind the severity, and a line tells the source's place.
    SQLSTATE = /(?<=: )(\p{Alpha}+:  )([0-9A-Z]{5}): /
    LOCATION = /^\p{Alpha}+:  \w+, [\w.]+:\d+\n?/
    # The server is starting up or shutting down: as libpq does, go on to the next.
    CANNOT_CONNECT_NOW = "57P03"
    private_constant :SQLSTATE, :LOCATION, :CANNOT_CONNECT_NOW

    # @param parameters [Hash{String => String}] as from Conninfo.merge
    def initialize(parameters)
      @timeout = seconds(parameters["connect_timeout"] || Conninfo.defaults["connect_timeout"])
      @parameters = with_our_defaults(parameters.except("connect_timeout"))
      @failures = []
    end

    # @yieldparam address [Hash{String => String}] the parameters for one address
    # @yieldparam timeout [Numeric, nil] seconds
    # @yieldreturn [nil, String, Symbol] nil when it is connected, else libpq's text or :timed_out
    # @return [void]
    # @raise [OperationalError] with the texts of all addresses tried
    def connect
      connected = Addresses.new(@parameters, @timeout).any? do |address|
        failure = failure_of(address) { yield address, @timeout }
        note(failure) if failure
        failure.nil?
      end
      fail_with_all unless connected
    end

    private

    # libpq's meaning: no number and nothing positive is no timeout. Here fractions count.
    def seconds(text)
      return if text.nil?

      value = Float(text, exception: false) or
        raise ProgrammingError, "connect_timeout must be a number of seconds"
      value if value.positive?
    end

    def with_our_defaults(parameters)
      environment = Conninfo.defaults
      ours = { "fallback_application_name" => File.basename($PROGRAM_NAME) }
      ours["client_encoding"] = "UTF8" unless environment["client_encoding"]
      ours.merge(parameters)
    end

    def failure_of(address)
      return address.message if address.is_a?(Addresses::ResolutionError)

      failure = yield
      return if failure.nil?

      with_name(failure == :timed_out ? timeout_text(address) : failure.scrub, address)
    end

    # Keeps the text of a failure. A server that refuses ends the search, as it does in libpq.
    def note(text)
      @sqlstate = text[SQLSTATE, 2]
      @failures << text.gsub(LOCATION, "").gsub(SQLSTATE, '\1').strip
      fail_with_all unless [nil, CANNOT_CONNECT_NOW].include?(@sqlstate)
    end

    def timeout_text(address)
      place = address.values_at("hostaddr", "host").find { |text| !text.to_s.empty? }
      %(connection to server at "#{place}", port #{address["port"]} failed: timeout expired)
    end

    # libpq names only the address that it was handed.
    def with_name(text, address)
      host, hostaddr = address.values_at("host", "hostaddr")
      return text if [nil, "", hostaddr].include?(host) || hostaddr.to_s.empty?

      text.gsub(%(at "#{hostaddr}")) { %(at "#{host}" (#{hostaddr})) }
    end

    def fail_with_all
      raise OperationalError.new(@failures.join("\n"), sqlstate: @sqlstate)
    end
  end
  private_constant :Connector
end
