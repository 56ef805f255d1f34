# frozen_string_literal: true

module Pgconn
  # The addresses to try, in order, for a set of connection parameters: `host`, `hostaddr` and `port`
  # may be lists, and a name may have several addresses. libpq would resolve names in the calling
  # thread and could not skip from one address to the next at a deadline, so it is handed one at a time.
  # However often they are enumerated, the order is the same, and each name is resolved once.
  # @api private
  class Addresses
    include Enumerable

    NUMERIC = /\A[\d.]+\z|:/
    private_constant :NUMERIC

    # Why a name has no address, as libpq says it.
    class ResolutionError < StandardError; end

    # @param options [ConnectOptions]
    # @param timeout [Numeric, nil] seconds for the resolution of one name
    def initialize(options, timeout = options.timeout)
      @options = options
      @timeout = timeout
      @hosts, @hostaddrs, @ports = %w[host hostaddr port].map { |keyword| options.list(keyword) }
      @order = shuffled((0...listed).to_a)
      @resolved = {}
    end

    # @yieldparam address [Hash{String => String}, ResolutionError] the parameters for one address, or why
    #   a name has none
    # @return [void]
    def each(&block)
      return yield(@options.for_libpq) unless splittable?

      @order.each do |at|
        each_of(@hosts[at].to_s, @hostaddrs[at].to_s, (@ports[at] || @ports[0]).to_s, &block)
      end
    end

    private

    # How many hosts are listed.
    def listed = @hostaddrs.empty? ? @hosts.size : @hostaddrs.size

    # What isn't is left to libpq: the list in a service file, and the default socket.
    def splittable? = !@options.service? && listed.positive?

    def shuffled(list) = @options.shuffle? ? list.shuffle : list

    def each_of(host, hostaddr, port)
      addresses_of(host, hostaddr).each do |found|
        yield found.is_a?(ResolutionError) ? found : address(host, found, port)
      end
    end

    # "" for a socket.
    def addresses_of(host, hostaddr)
      return [hostaddr] unless hostaddr.empty?
      return [""] if host.empty? || host.start_with?("/", "@")
      return [host] if host.match?(NUMERIC)

      @resolved[host] ||= resolve(host)
    end

    def address(host, hostaddr, port)
      @options.for_address.merge("host" => host, "hostaddr" => hostaddr, "port" => port)
    end

    # In a thread of its own, because getaddrinfo can't be interrupted and knows no deadline; joining it
    # can, and lets a Fiber scheduler run other fibers.
    def resolve(host)
      thread = Thread.new { lookup(host) }
      return thread.value if thread.join(@timeout)

      unresolved(host, "timeout expired")
    end

    def lookup(host)
      Thread.current.report_on_exception = false
      shuffled(Addrinfo.getaddrinfo(host, nil, nil, :STREAM).map(&:ip_address).uniq)
    rescue SocketError => e
      unresolved(host, e.message)
    end

    def unresolved(host, reason)
      [ResolutionError.new(%(could not translate host name "#{host}" to address: #{reason}))]
    end
  end
  private_constant :Addresses
end
