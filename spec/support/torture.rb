# frozen_string_literal: true

# Callers who share one connection and do to it whatever can be done, at random: each knows what it
# has asked for, and so whether the answer is its own.
class Torture
  ACTIONS = %i[select select select large several block error expire interrupt cancel listen call].freeze

  # What no answer may be: somebody else's.
  class Stray < StandardError; end

  # @return [Integer] how many answers were right
  attr_reader :answers

  def initialize(connection, seed)
    @connection = connection
    @seed = seed
    @answers = 0
    @counting = Mutex.new
  end

  # @return [Array<Exception>] what shouldn't have come out of the callers
  def run(callers:, seconds:)
    deadline = Elapsed.now + seconds
    threads = Array.new(callers) { |number| start(number, deadline) }
    replaced = []
    kill_some(threads, replaced, deadline)
    (threads + replaced).filter_map { |thread| failure_of(thread) }
  end

  private

  def start(number, deadline)
    Thread.new do
      Thread.current.report_on_exception = false
      random = Random.new((@seed * 1000) + number)
      act(random, number) while Elapsed.now < deadline
    end
  end

  # Every now and then one of the callers, at whatever it does.
  def kill_some(threads, replaced, deadline)
    random = Random.new(@seed)
    while Elapsed.now < deadline - 1
      sleep 0.05
      at = random.rand(threads.size)
      threads[at].kill
      replaced << threads[at]
      threads[at] = start(threads.size + replaced.size, deadline)
    end
  end

  def failure_of(thread)
    thread.join(60) || raise("a caller never came back")
    nil
  rescue StandardError => e
    e
  end

  def act(random, number)
    send(ACTIONS[random.rand(ACTIONS.size)], random, "#{number}-#{random.rand(1_000_000)}")
  rescue Pgconn::QueryCanceledError => e
    raise unless e.outcome && !@connection.broken?
  end

  def check(expected, given)
    raise Stray, "asked for #{expected.inspect[0, 80]}, got #{given.inspect[0, 80]}" unless expected == given

    @counting.synchronize { @answers += 1 }
  end

  # One of a few texts, so that some are prepared.
  def select(random, tag)
    check(tag, @connection.execute("SELECT $1::text, #{random.rand(8)}", [tag]).fetch_value)
  end

  def large(random, tag)
    text = tag * random.rand(50_000)
    check([tag, text], @connection.execute("SELECT $1::text, $2::text", [tag, text]).fetch.to_a)
  end

  def several(_random, tag)
    cursor = @connection.execute("SELECT '#{tag}'; SELECT '#{tag}-next'")
    first = cursor.fetch_value
    cursor.next_result
    check([tag, "#{tag}-next"], [first, cursor.fetch_value])
  end

  def block(random, tag)
    @connection.transaction do
      @connection.execute("SELECT set_config('torture.tag', $1, true)", [tag])
      raise Pgconn::Rollback if random.rand(4).zero?

      check(tag, @connection.execute("SELECT current_setting('torture.tag')").fetch_value)
    end
  end

  def error(_random, tag)
    @connection.execute("SELECT $1::text::int", [tag])
    raise Stray, "an error was asked for"
  rescue Pgconn::DataError => e
    check(true, e.message.include?("\"#{tag}\""))
  end

  def expire(random, tag)
    cursor = @connection.cursor(timeout: 0.0005 + (random.rand * 0.02))
    check(tag, cursor.execute("SELECT $1::text FROM pg_sleep(0.002)", [tag]).fetch_value)
  end

  def interrupt(random, tag)
    Timeout.timeout(0.0005 + (random.rand * 0.02)) { select(random, tag) && large(random, tag) }
  rescue Timeout::Error
    nil
  end

  def cancel(random, tag)
    cursor = @connection.cursor
    canceling = Thread.new { cursor.cancel } if random.rand(2).zero?
    @connection.cancel if random.rand(8).zero?
    check(tag, cursor.execute("SELECT $1::text FROM pg_sleep(0.001)", [tag]).fetch_value)
  ensure
    canceling&.join
  end

  def listen(_random, tag)
    @connection.notify("torture", tag)
    @connection.wait_for_notify(timeout: 0.001)
  end

  # May be hit by a request to cancel another statement, and isn't sent again then.
  def call(_random, tag)
    @connection.execute("DO $$BEGIN PERFORM '#{tag}'; END$$")
  end
end
