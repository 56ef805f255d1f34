# frozen_string_literal: true

require_relative "torture"

# With the implicit transaction, which all share: a thread beside them commits it. An error of any of them
# fails it for all, and so may a kill, so these are rarer here.
class ImplicitTransactionTorture < Torture
  ACTIONS = %i[select select insert insert notify large several pipeline].freeze

  # What may fail the transaction: once in so many times.
  RISKS = %i[error expire interrupt cancel].freeze
  ONCE_IN = 500

  BETWEEN_KILLS = 1

  # Seconds from one commit to the next.
  BETWEEN_COMMITS = 0.005

  def initialize(...)
    super
    @transactions = {} # by the names that were written in them
    @committed = {} # by transaction: :done, or :unknown
  end

  # @return [Integer] how many commits have succeeded
  def commits = @committed.count { |_, fate| fate == :done }

  def run(...)
    over = false
    committing = Thread.new { commit until over.tap { sleep BETWEEN_COMMITS } }
    super
  ensure
    over = true
    committing.join
    settle
  end

  private

  def choose(random) = (random.rand(ONCE_IN).zero? ? RISKS : ACTIONS).sample(random: random)

  def act(random, number)
    super
  rescue Pgconn::Errors::InFailedSqlTransaction
    nil # somebody's error
  end

  # Nobody else ends transactions, so it is the one in which the question was answered that is committed.
  def commit
    transaction = @connection.execute("SELECT txid_current()").fetch_value
    @connection.commit
    @committed[transaction] = :done
  rescue Pgconn::Errors::InFailedSqlTransaction
    @connection.rollback
  rescue Pgconn::QueryCanceledError # meant for another, or that other's doing
    @committed[transaction] = :unknown if transaction
    @connection.rollback
  end

  # What was answered has the fate of its transaction.
  def settle
    @transactions.each do |(tally, name), transaction|
      tally.note(name, @committed.fetch(transaction, :undone))
    end
  end

  def write(tally, name, sql)
    tally.note(name, :unknown)
    transaction = @connection.execute(sql, [name]).fetch_value
    @counting.synchronize { @transactions[[tally, name]] = transaction }
  end

  def insert(_random, tag)
    write(entries, tag, "INSERT INTO torture_entries VALUES ($1) RETURNING txid_current()")
  end

  def notify(_random, tag)
    write(notifications, tag, "SELECT txid_current() FROM pg_notify('torture', $1)")
  end
end
