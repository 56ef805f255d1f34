# frozen_string_literal: true

require "socket"

# The only way to a server for the connections of a {GateScheduler}: a TCP proxy that moves bytes, and takes
# connections, only while it is told to, and never waits.
class Gate
  PIECE = 65_536
  # What is kept of one direction before its source isn't read any more.
  FULL = 16 * PIECE

  # The bytes on their way in one direction.
  Direction = Struct.new(:source, :target, :bytes)

  attr_reader :port

  def initialize(host, port)
    @upstream = [host, port]
    @listener = TCPServer.new("127.0.0.1", 0)
    @port = @listener.addr[1]
    @directions = []
  end

  # What has to be readable, or writable, before there is something to do.
  def readers = [@listener, *@directions.reject { |way| way.bytes.bytesize > FULL }.map(&:source)]
  def writers = @directions.reject { |way| way.bytes.empty? }.map(&:target)

  def move(readable, writable)
    accept if readable.include?(@listener)
    @directions.dup.each do |way|
      read(way) if readable.include?(way.source)
      write(way) if writable.include?(way.target)
    rescue IOError, SystemCallError
      hang_up(way)
    end
  end

  def close
    @directions.dup.each { |way| hang_up(way) }
    @listener.close
  end

  private

  def accept
    client = @listener.accept_nonblock(exception: false)
    return if client == :wait_readable

    server = TCPSocket.new(*@upstream)
    [client, server].each { |socket| socket.setsockopt(:TCP, :NODELAY, true) }
    @directions << Direction.new(client, server, +"") << Direction.new(server, client, +"")
  end

  def read(way)
    return if way.source.closed?

    bytes = way.source.read_nonblock(PIECE, exception: false)
    raise EOFError if bytes.nil?

    way.bytes << bytes unless bytes == :wait_readable
  end

  def write(way)
    return if way.target.closed?

    written = way.target.write_nonblock(way.bytes, exception: false)
    way.bytes.replace(way.bytes.byteslice(written..)) unless written == :wait_writable
  end

  # What is still on its way to the other side gets there.
  def hang_up(way)
    @directions.reject! { |other| other.source == way.source || other.target == way.source }
    way.target.write(way.bytes) unless way.target.closed?
  rescue SystemCallError
    nil # it has hung up, too
  ensure
    [way.source, way.target].each { |socket| socket.close unless socket.closed? }
  end
end
