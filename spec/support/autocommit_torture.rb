# frozen_string_literal: true

require_relative "torture"

# In autocommit: each statement, and each block, commits by itself, so each caller knows what is committed.
class AutocommitTorture < Torture
  ACTIONS = %i[select select select large several block transfer transfer insert insert error expire interrupt
               cancel listen call pipeline pipeline insert_in_pipeline].freeze

  BETWEEN_KILLS = 0.05

  private

  def choose(random) = ACTIONS.sample(random: random)

  # Notes what becomes of a name: done where the block gives something, undone where it gives nil or raises
  # an error that says so. Who is killed never says.
  def write(tally, name)
    tally.note(name, :unknown)
    tally.note(name, yield ? :done : :undone)
  rescue Pgconn::QueryCanceledError => e
    tally.note(name, :undone) unless e.outcome == :unknown
    raise
  end

  def insert(_random, tag)
    write(entries, tag) { @connection.execute("INSERT INTO torture_entries VALUES ($1)", [tag]) }
  end

  # Its statements are committed together, or not at all.
  def insert_in_pipeline(random, tag)
    write(entries, tag) do
      @connection.pipeline do
        @connection.execute("INSERT INTO torture_entries VALUES ($1)", [tag])
        @connection.execute("SELECT $1::text::int", [tag]) if random.rand(4).zero?
      end
      true
    rescue Pgconn::DataError
      nil
    end
  end

  # From one account to another: the sum stays.
  def transfer(random, tag)
    write(entries, tag) do
      @connection.transaction do
        add(-1, random)
        @connection.execute("INSERT INTO torture_entries VALUES ($1)", [tag])
        raise Pgconn::Rollback if random.rand(4).zero?

        random.rand(4).zero? ? error(random, tag) && nil : add(1, random)
      end
    rescue Pgconn::Errors::InFailedSqlTransaction
      nil # the commit of who has rescued an error
    end
  end

  def add(amount, random)
    @connection.execute("UPDATE torture_accounts SET balance = balance + $1::int WHERE id = $2::int",
                        [amount, random.rand(10)])
  end

  def block(random, tag)
    @connection.transaction do
      @connection.execute("SELECT set_config('torture.tag', $1, true)", [tag])
      raise Pgconn::Rollback if random.rand(4).zero?

      check(tag, @connection.execute("SELECT current_setting('torture.tag')").fetch_value)
    end
  end

  def listen(_random, tag)
    write(notifications, tag) { @connection.notify("torture", tag) || true }
    @connection.wait_for_notify(timeout: 0.001)
  end

  # May be hit by a request to cancel another statement, and isn't sent again then.
  def call(_random, tag)
    @connection.execute("DO $$BEGIN PERFORM '#{tag}'; END$$")
  end
end
