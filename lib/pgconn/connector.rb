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

    # @param options [ConnectOptions]
    def initialize(options)
      @options = options
      @addresses = Addresses.new(options)
      @failures = []
    end

    # @yieldparam address [Hash{String => String}] the parameters for one address
    # @yieldparam timeout [Numeric, nil] seconds
    # @yieldreturn [nil, String, Symbol] nil when it is connected, else libpq's text or :timed_out
    # @return [void]
    # @raise [OperationalError] with the texts of all addresses tried
    def connect(&block)
      connected = @options.passes.any? do |pass|
        @addresses.any? { |address| connects?(address, pass, &block) }
      end
      fail_with_all unless connected
    end

    # Resolves all names, so that to connect then waits for servers only.
    # @return [void]
    def resolve
      @addresses.each { nil }
    end

    private

    def connects?(address, pass)
      failure = failure_of(address) { yield address.merge(pass), @options.timeout }
      note(failure) if failure
      failure.nil?
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
      @failures |= [text.gsub(LOCATION, "").gsub(SQLSTATE, '\1').strip]
      fail_with_all unless [nil, CANNOT_CONNECT_NOW].include?(@sqlstate)
    end

    def timeout_text(address)
      told = @options.effective.merge(address)
      host = told.values_at("hostaddr", "host").find { |text| !text.to_s.empty? }
      place = %( at "#{host}") if host
      %(connection to server#{place}, port #{told["port"]} failed: timeout expired)
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
