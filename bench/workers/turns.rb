# frozen_string_literal: true

# Connections of which each serves one caller at a time. Threads and fibers wait for one that is free.
class Turns
  # @param queries [Array<Proc>] one for each connection
  def initialize(queries)
    @free = Thread::Queue.new(queries)
  end

  def call(parameters)
    query = @free.pop
    query.call(parameters)
  ensure
    @free.push(query) if query
  end
end
