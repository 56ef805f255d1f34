# frozen_string_literal: true

module Pgconn
  # The addresses to try, in order, for a set of connection parameters: `host`, `hostaddr` and `port`
  # may be lists, and a name may have several addresses. libpq would resolve names in the calling
  # thread and could not skip from one address to the next at a deadline, so it is handed one at a time.
  # @api private
  class Addresses
    include Enumerable

    NUMERIC = /\A[\d.]+\z|:/
    private_constant :NUMERIC

    # Why a name has no address, as libpq says it.
    class ResolutionError < StandardError; end

    # @param parameters [Hash{String => String}]
    # @param timeout [Numeric, nil] seconds for the resolution of one name
    def initialize(parameters, timeout)
      @parameters = parameters
      @timeout = timeout
      given = Conninfo.defaults.merge(parameters)
      @hosts, @hostaddrs, @ports = given.values_at("host", "hostaddr", "port").map do |list|
        list.to_s.split(",", -1)
      end
    end

    # @yieldparam address [Hash{String => String}, ResolutionError] the parameters for one address, or why
    #   a name has none
    # @return [void]
    def each(&block)
      return yield(@parameters) unless splittable?

      listed.times do |at|
        each_of(@hosts[at].to_s, @hostaddrs[at].to_s, (@ports[at] || @ports[0]).to_s, &block)
      end
    end

    private

    # How many hosts are listed.
    def listed = @hostaddrs.empty? ? @hosts.size : @hostaddrs.size

    # What isn't is left to libpq: the list in a service file, and its message on lists that don't match.
    def splittable?
      return false if @parameters.key?("service") || listed.zero?

      (@hosts.empty? || @hosts.size == listed) && (@ports.size <= 1 || @ports.size == listed)
    end

    def each_of(host, hostaddr, port)
      return yield address(host, hostaddr, port) unless hostaddr.empty?
      return yield address(host, "", port) if host.empty? || host.start_with?("/", "@")
      return yield address(host, host, port) if host.match?(NUMERIC)

      resolve(host).each { |found| yield address(host, found, port) }
    rescue ResolutionError => e
      yield e
    end

    def address(host, hostaddr, port)
      @parameters.merge("host" => host, "hostaddr" => hostaddr, "port" => port)
    end

    # In a thread of its own, because getaddrinfo can't be interrupted and knows no deadline; joining it
    # can, and lets a Fiber scheduler run other fibers.
    def resolve(host)
      thread = Thread.new { lookup(host) }
      return thread.value if thread.join(@timeout)

      raise ResolutionError, %(could not translate host name "#{host}" to address: timeout expired)
    end

    def lookup(host)
      Thread.current.report_on_exception = false
      Addrinfo.getaddrinfo(host, nil, nil, :STREAM).map(&:ip_address).uniq
    rescue SocketError => e
      raise ResolutionError, %(could not translate host name "#{host}" to address: #{e.message})
    end
  end
  private_constant :Addresses
end
