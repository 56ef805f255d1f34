# frozen_string_literal: true

require "io/wait"
require "socket"

# A host that accepts connections and never says a word.
class SilentHost
  def self.open
    host = new
    yield host
  ensure
    host&.close
  end

  def initialize
    @listener = TCPServer.new("127.0.0.1", 0)
    @accepted = []
  end

  def host
    "127.0.0.1"
  end

  def port
    @listener.addr[1]
  end

  # Waits for the next connection, reads its first bytes and keeps it open.
  # @return [TCPSocket]
  def accept
    raise "nobody connected to the silent host" unless @listener.wait_readable(10)

    socket = @listener.accept
    @accepted << socket
    socket.readpartial(1024)
    socket
  end

  # True once the other side has closed the connection; fails if it stays open.
  def hung_up?(socket)
    loop do
      raise "the connection to the silent host is still open" unless socket.wait_readable(10)
      return true if socket.read_nonblock(1024, exception: false).nil?
    end
  rescue Errno::ECONNRESET
    true
  end

  # True if somebody has connected that was not accepted yet.
  def called?
    !@listener.wait_readable(0).nil?
  end

  def close
    [@listener, *@accepted].each(&:close)
  end
end
