# frozen_string_literal: true

# Reads along, as the filter of a TcpProxy, what a client sends, and tells from its Bind messages in
# which formats the parameters and the results of statements go.
#
#   binds = BindMessages.new
#   through_proxy(to_server: binds) { |proxy| ... binds.during { connection.execute(...) } }
class BindMessages
  # The formats: 0 is text, 1 binary. Parameters without a format are text.
  Bind = Struct.new(:parameters, :results) do
    def binary_parameters? = parameters.any? && parameters.all?(1)
    def binary_results? = results == [1]
  end

  def initialize
    @lock = Mutex.new
    @bytes = +"".b
    @binds = []
    @greeted = false
  end

  def call(bytes, _proxy)
    @lock.synchronize do
      @bytes << bytes
      read
    end
    bytes
  end

  # @return [Array<Bind>] of the statements that the block executes
  def during
    @lock.synchronize { @binds.clear }
    yield
    @lock.synchronize { @binds.dup }
  end

  private

  # The first message, which has no letter, and then one after the other, as far as they are there.
  def read
    @greeted ||= take(0)
    while @greeted && (message = take(1))
      @binds << bind(message) if message.start_with?("B")
    end
  end

  # A message whose length stands behind so many bytes; nil where it isn't whole yet.
  def take(offset)
    length = @bytes.byteslice(offset, 4)&.unpack1("N") or return
    @bytes.slice!(0, offset + length) if @bytes.bytesize >= offset + length
  end

  # Two names, the parameters' formats, the parameters, the results' formats.
  def bind(message)
    _, _, rest = message.byteslice(5..).unpack("Z*Z*a*")
    formats, rest = numbers(rest)
    count, rest = rest.unpack("na*")
    count.times do
      length, rest = rest.unpack("l>a*")
      rest = rest.byteslice([length, 0].max..)
    end
    Bind.new(formats, numbers(rest).first)
  end

  def numbers(bytes)
    count, rest = bytes.unpack("na*")
    [rest.unpack("n#{count}"), rest.byteslice((2 * count)..)]
  end
end
