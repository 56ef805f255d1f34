# frozen_string_literal: true

module Pgconn
  # What a connect was told, checked before anything is sent, and what libpq adds to it.
  # @api private
  class ConnectOptions
    TARGETS = %w[any read-write read-only primary standby prefer-standby].freeze
    BALANCING = %w[disable random].freeze
    PORTS = (1..65_535)
    # No piece of what was given: it may be the password's.
    NO_PORT = "port must be a number from 1 to 65535, or a list of them with commas; in a URI, a / of the " \
              "user or of the password is written %2F, and a : is written %3A"
    private_constant :TARGETS, :BALANCING, :PORTS, :NO_PORT

    # @return [Hash{String => String}] what the caller gave, and all that comes from a service, the
    #   environment, libpq's defaults and ours
    attr_reader :effective
    # @return [Numeric, nil] seconds for each address
    attr_reader :timeout

    # @param given [Hash{String => String}] as from Conninfo.merge
    # @raise [ProgrammingError] for a value that pgconn heeds and doesn't know
    # @raise [OperationalError] for a service that can't be found
    def initialize(given)
      # What is empty counts as not given, as in libpq.
      @given = given.reject { |_, value| value.empty? }
      found = Conninfo.fill_in(@given)
      @ours = ours(found)
      @effective = @ours.merge(found).freeze
      @timeout = seconds(effective["connect_timeout"])
      check("target_session_attrs", TARGETS)
      check("load_balance_hosts", BALANCING)
      check_balancing
      check_ports
      check_lists
    end

    # @return [Array<String>] the values of a keyword that may have a list, such as host
    def list(keyword) = effective[keyword].to_s.split(",", -1)

    # @return [Hash{String => String}] what libpq is told where it has all hosts in hand
    def for_libpq
      @ours.merge(@given.except("connect_timeout")).slice(*Conninfo.defaults.keys)
    end

    # @return [Hash{String => String}] what libpq is told besides one address
    def for_address = for_libpq.except("load_balance_hosts")

    # @return [Boolean] whether the hosts, and the addresses of each, are tried in random order
    def shuffle? = effective["load_balance_hosts"] == "random"

    # @return [Boolean] whether a service may name the hosts: then they are libpq's to try
    def service? = effective.key?("service")

    # @return [Array<Hash>] what each pass over all addresses adds to the parameters. libpq, which sees one
    #   address at a time, can prefer none of them
    def passes
      return [{}] unless effective["target_session_attrs"] == "prefer-standby"

      %w[standby any].map { |wanted| { "target_session_attrs" => wanted } }
    end

    private

    def ours(found)
      ours = { "fallback_application_name" => File.basename(program_name) }
      ours["client_encoding"] = "UTF8" unless found["client_encoding"]
      ours
    end

    # What it was started as, where Ruby lets only the main Ractor read what it has called itself since.
    def program_name = Ractor.current == Ractor.main ? $PROGRAM_NAME : Process.argv0

    # libpq's meaning: nothing positive is no timeout. Here fractions count.
    def seconds(text)
      return if text.nil?

      value = Float(text, exception: false) or
        raise ProgrammingError, "connect_timeout must be a number of seconds"
      value if value.positive?
    end

    # libpq would say so, too, but only after names were resolved.
    def check(keyword, values)
      value = effective[keyword]
      return if value.nil? || values.include?(value)

      raise ProgrammingError, "#{keyword} must be #{values[..-2].join(", ")} or #{values.last}, " \
                              "not #{value.inspect}"
    end

    # An order that was asked for isn't passed over.
    def check_balancing
      return unless service? && @given["load_balance_hosts"] == "random"
      return if Conninfo.defaults.key?("load_balance_hosts")

      raise ProgrammingError, "load_balance_hosts beside a service needs libpq 16, which tries the hosts then"
    end

    # An empty one is the default.
    def check_ports
      raise ProgrammingError, NO_PORT unless list("port").all? do |port|
        port.empty? || (port.match?(/\A\s*\d+\s*\z/) && PORTS.cover?(port.to_i))
      end
    end

    def check_lists
      hosts, addresses, ports = %w[host hostaddr port].map { |keyword| list(keyword).size }
      unless [hosts, addresses].include?(0) || hosts == addresses
        raise ProgrammingError, "hostaddr has #{count(addresses, "value")}, and host has #{hosts}"
      end

      hosts = [hosts, addresses, 1].max
      return if ports <= 1 || ports == hosts

      raise ProgrammingError, "port has #{count(ports, "value")}, and there #{hosts == 1 ? "is" : "are"} " \
                              "#{count(hosts, "host")}"
    end

    def count(number, noun) = "#{number} #{noun}#{"s" unless number == 1}"
  end
  private_constant :ConnectOptions
end
