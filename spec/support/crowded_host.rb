# frozen_string_literal: true

require "socket"

# A host to which no connection comes about: its queue of those that wait to be accepted is full, and the
# system answers no further one.
module CrowdedHost
  # Linux keeps one more than listen asks for; the others make sure.
  WAITING = 4

  # @yield [Addrinfo] its address
  def self.open
    listener = Socket.new(:INET, :STREAM)
    listener.bind(Addrinfo.tcp("127.0.0.1", 0))
    listener.listen(0)
    waiting = Array.new(WAITING) { Socket.new(:INET, :STREAM) }
    waiting.each { |socket| socket.connect_nonblock(listener.local_address, exception: false) }
    yield listener.local_address
  ensure
    [listener, *waiting].each(&:close)
  end
end
