# frozen_string_literal: true

require "ipaddr"

module Pgconn
  # A value of PostgreSQL's `inet` and `cidr`: an IPv4 or IPv6 address with the number of bits that
  # belong to its network. Unlike an IPAddr it keeps the bits of the host. Frozen; can be shared
  # between Ractors.
  #
  # @example
  #   inet = Pgconn::Inet.new("192.168.1.5/24")
  #   inet.address     # => "192.168.1.5"
  #   inet.prefix      # => 24
  #   inet.to_ipaddr   # => #<IPAddr: IPv4:192.168.1.0/255.255.255.0>
  # @see https://www.postgresql.org/docs/current/datatype-net-types.html
  #   PostgreSQL, "Network Address Types"
  class Inet
    include Comparable
    include ValueObject

    # inet's, in PostgreSQL's pg_type.dat.
    OID = 869
    private_constant :OID

    # @return [String] the address alone, in its canonical form
    attr_reader :address

    # @return [Integer] 0 to 32 or, for IPv6, to 128
    attr_reader :prefix

    # @param address [String] "192.168.1.5", "192.168.1.5/24", "2001:db8::1/64"
    # @param prefix [Integer, nil] the bits of the network, if they aren't in the address; nil: all
    # @raise [TypeError] if one of them is something else
    # @raise [ArgumentError] if there is no such address or no such network
    def initialize(address, prefix = nil)
      raise TypeError, "address must be a String, not #{address.class}" unless address.is_a?(String)
      unless prefix.nil? || prefix.is_a?(Integer)
        raise TypeError, "prefix must be an Integer, not #{prefix.class}"
      end

      text = prefix ? "#{address}/#{prefix}" : address
      self.fields = parse(text)
      freeze
    end

    # @return [Boolean]
    def ipv4? = !ipv6?

    # @return [Boolean]
    def ipv6? = address.include?(":")

    # @return [Boolean] whether no bit of the host is set, as in each `cidr`
    def network? = number.nobits?((1 << host_bits) - 1)

    # @return [IPAddr] the network: an IPAddr doesn't keep the bits of the host
    def to_ipaddr = ::IPAddr.new("#{address}/#{prefix}")

    # PostgreSQL's order: IPv4 first, networks by their bits, the larger one ahead of those in it.
    #
    # @param other [Object]
    # @return [Integer, nil] nil for anything but an Inet
    def <=>(other)
      return unless other.is_a?(Inet)
      return size <=> other.size unless size == other.size

      common = [prefix, other.prefix].min
      rank(common) <=> other.rank(common)
    end

    # @return [String] as PostgreSQL writes an `inet`: without the prefix where it is the whole
    #   address
    def to_s = host_bits.zero? ? address : "#{address}/#{prefix}"

    # For `in [address, prefix]`.
    # @return [Array(String, Integer)]
    def deconstruct = fields

    # For `in {address:, prefix:}`.
    # @param _names [Array<Symbol>, nil] the keys that the pattern asks for
    # @return [Hash{Symbol => String, Integer}]
    def deconstruct_keys(_names) = { address: address, prefix: prefix }

    protected

    def fields = [@address, @prefix]

    # The bits of an address.
    def size = ipv4? ? 32 : 128

    # The address as a number.
    def number = ::IPAddr.new(address).to_i

    # What is compared with an address that has those bits of the network in common.
    def rank(bits) = [number >> (size - bits), prefix, number]

    private

    def fields=(values)
      @address, @prefix = values
      @address.freeze
    end

    def host_bits = size - prefix

    # As the server's own text is read, so that equal addresses always have the same canonical form;
    # IPAddr reads more (brackets, zones, masks), and writes some addresses unlike the C library.
    def parse(text)
      Codec.decode(OID, text).deconstruct
    rescue DataError
      raise ArgumentError, "not an address of IPv4 or IPv6: #{text.inspect}"
    end
  end
end
