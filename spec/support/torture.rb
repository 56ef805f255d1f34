# frozen_string_literal: true

require "timeout"
require_relative "crowd"
require_relative "tally"

# Callers who share one connection and do to it whatever can be done, at random: each knows what it has asked
# for, and so whether the answer is its own, and what must be found in the tables afterwards.
#
# What is common to all ways of committing is here; each way is a subclass that chooses among its own.
class Torture
  # What no answer may be: somebody else's.
  class Stray < StandardError; end

  TABLES = <<~SQL
    CREATE TABLE torture_entries (name text);
    CREATE TABLE torture_accounts (id int PRIMARY KEY, balance int NOT NULL);
    INSERT INTO torture_accounts SELECT id, 0 FROM generate_series(0, 9) AS id
  SQL

  # @return [Integer] how many answers were right
  attr_reader :answers

  # @return [Tally] of the rows of torture_entries
  attr_reader :entries

  # @return [Tally] of the notifications
  attr_reader :notifications

  def initialize(connection, seed)
    @connection = connection
    @seed = seed
    @answers = 0
    @counting = Thread::Mutex.new
    @entries = Tally.new
    @notifications = Tally.new
  end

  # @return [Array<Exception>] what shouldn't have come out of the callers
  def run(threads:, fibers:, seconds:)
    sizes = { threads: threads, fibers: fibers, between_kills: self.class::BETWEEN_KILLS }
    Crowd.new(@seed, **sizes) { |random, number| act(random, number) }.run(seconds)
  end

  private

  def act(random, number)
    send(choose(random), random, "#{number}-#{random.rand(1_000_000_000)}")
  rescue Pgconn::QueryCanceledError => e
    raise unless e.outcome && !@connection.broken?
  end

  def check(expected, given)
    raise Stray, "asked for #{expected.inspect[0, 80]}, got #{given.inspect[0, 80]}" unless expected == given

    @counting.synchronize { @answers += 1 }
  end

  # From a time in which nothing is answered to one in which most is.
  def moment(random) = 0.001 * (2**random.rand(8))

  # One of a few texts, so that some are prepared.
  def select(random, tag)
    check(tag, @connection.execute("SELECT $1::text, #{random.rand(8)}", [tag]).fetch_value)
  end

  def large(random, tag)
    text = tag * random.rand(20_000)
    check([tag, text], @connection.execute("SELECT $1::text, $2::text", [tag, text]).fetch.to_a)
  end

  def several(_random, tag)
    cursor = @connection.execute("SELECT '#{tag}'; SELECT '#{tag}-next'")
    first = cursor.fetch_value
    cursor.next_result
    check([tag, "#{tag}-next"], [first, cursor.fetch_value])
  end

  def pipeline(random, tag)
    texts = Array.new(1 + random.rand(20)) { |number| "#{tag}-#{number}" }
    cursors = @connection.pipeline { texts.map { |text| @connection.execute("SELECT $1::text", [text]) } }
    check(texts, cursors.map(&:fetch_value))
  end

  def error(_random, tag)
    @connection.execute("SELECT $1::text::int", [tag])
    raise Stray, "an error was asked for"
  rescue Pgconn::DataError => e
    check(true, e.message.include?("\"#{tag}\""))
  end

  def expire(random, tag)
    cursor = @connection.cursor(timeout: moment(random))
    check(tag, cursor.execute("SELECT $1::text FROM pg_sleep(0.002)", [tag]).fetch_value)
  end

  def interrupt(random, tag)
    Timeout.timeout(moment(random)) { select(random, tag) && large(random, tag) }
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
end
