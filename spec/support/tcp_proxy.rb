# frozen_string_literal: true

require "socket"

# A TCP proxy on the loopback interface, between libpq and a server: it counts what passes, and it
# is the bad network that the specs need. It delays, falls silent, changes bytes, and cuts.
#
# A round trip is counted each time an answer begins after the client has spoken. With a delay
# before each answer, everything that the client sends without waiting for one falls into the same
# round trip, also when it leaves in several packets.
class TcpProxy
  HOST = "127.0.0.1"

  # What has passed since the last {#reset_counts}.
  Counts = Struct.new(:bytes_to_server, :bytes_to_client, :round_trips)

  # @yield [TcpProxy] which is closed, with all its connections, when the block ends
  def self.open(*arguments, **options)
    proxy = new(*arguments, **options)
    yield proxy
  ensure
    proxy&.close
  end

  attr_reader :port

  # @param delay [Numeric] seconds for which each piece of an answer is held back
  # @param to_server [#call] gets each piece of the client's bytes and this proxy, gives what is
  #   passed on; it may {#cut}
  # @param to_client [#call] the same for the server's bytes
  def initialize(upstream_host, upstream_port, delay: 0, to_server: nil, to_client: nil)
    @upstream = [upstream_host, upstream_port]
    @delay = delay
    @filters = { to_server: to_server, to_client: to_client }
    @lock = Mutex.new
    @moving = ConditionVariable.new
    @links = []
    @connections = 0
    reset_counts
    @listener = TCPServer.new(HOST, 0)
    @port = @listener.addr[1]
    @stop, @stopper = IO.pipe
    @threads = []
    @acceptor = Thread.new { accept_all }
  end

  def host
    HOST
  end

  # How many connections were ever accepted.
  def connections
    @lock.synchronize { @connections }
  end

  # @return [Counts] a copy
  def counts
    @lock.synchronize { @counts.dup }
  end

  # The round trips that the block costs.
  def round_trips
    reset_counts
    yield
    counts.round_trips
  end

  def reset_counts
    @lock.synchronize do
      @counts = Counts.new(0, 0, 0)
      @client_spoke = false
    end
  end

  # From now on everything is accepted and nothing passed on, in both directions, as if the peer
  # had vanished behind a router that drops packets.
  def stall
    @lock.synchronize { @stalled = true }
  end

  def stalled?
    @lock.synchronize { @stalled }
  end

  # Passes on what was held back, and everything after it.
  def resume
    @lock.synchronize do
      @stalled = false
      @moving.broadcast
    end
  end

  # Ends all connections.
  # @param reset [Boolean] with a RST, as a crashed or a rebooted machine answers, not a FIN
  def cut(reset: false)
    links = @lock.synchronize { @links.shift(@links.size) }
    links.each do |client, upstream|
      client.setsockopt(Socket::Option.linger(true, 0)) if reset
      [client, upstream].each(&:close)
    rescue IOError
      next # its own pumps were quicker
    end
  end

  def close
    @stopper.close
    @acceptor.join
    [@listener, @stop].each(&:close)
    resume
    cut
    threads = @lock.synchronize { @threads.dup } - [Thread.current]
    threads.each(&:join)
  end

  private

  # Until {#close}. Closing the listener under an accept would lose a connection that arrives at
  # that moment: neither refused nor ours to close.
  def accept_all
    loop do
      readable, = IO.select([@listener, @stop])
      return if readable.include?(@stop)

      client = @listener.accept_nonblock(exception: false)
      link(client) unless client == :wait_readable
    end
  end

  def link(client)
    upstream = TCPSocket.new(*@upstream)
    [client, upstream].each { |socket| socket.setsockopt(:TCP, :NODELAY, true) }
    @lock.synchronize do
      @connections += 1
      @links << [client, upstream]
      @threads << Thread.new { pump(client, upstream, :to_server) }
      @threads << Thread.new { pump(upstream, client, :to_client) }
    end
  rescue SystemCallError
    client.close # the server refused; so do we
  end

  def pump(source, target, direction)
    loop do
      bytes = source.readpartial(65_536)
      sleep @delay if direction == :to_client && @delay.positive?
      wait_while_stalled
      bytes = @filters[direction].call(bytes, self) if @filters[direction]
      count(direction, bytes.bytesize)
      target.write(bytes)
    end
  rescue IOError, SystemCallError
    # The end of one direction is the end of the connection, as it is for PostgreSQL.
    [source, target].each(&:close)
  end

  def wait_while_stalled
    @lock.synchronize { @moving.wait(@lock) while @stalled }
  end

  def count(direction, size)
    @lock.synchronize { direction == :to_server ? count_to_server(size) : count_to_client(size) }
  end

  def count_to_server(size)
    @counts.bytes_to_server += size
    @client_spoke = true
  end

  def count_to_client(size)
    @counts.bytes_to_client += size
    @counts.round_trips += 1 if @client_spoke
    @client_spoke = false
  end
end
