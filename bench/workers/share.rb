# frozen_string_literal: true

# One caller's share of a statement's calls: of three callers the first has the first, the fourth and so on.
class Share
  # @param query [#call] from the parameters of one call to its rows, or to how many there are
  # @param number [Integer] the caller's, from 0 on
  # @param callers [Integer] how many there are
  def initialize(query, statement, number, callers)
    @query = query
    @batch = statement.batch
    @calls = statement.calls.drop(number).each_slice(callers).map(&:first)
  end

  # @return [Array<Array>] the rows of each call
  def rows = call_all.map(&:to_a)

  # @return [Array] what each call gives
  def call_all = @calls.map { |parameters| @query.call(parameters) }

  # @return [Array(Integer, Integer)] how many queries and rows it came to
  def execute_until(deadline)
    calls = rows = 0
    until Process.clock_gettime(Process::CLOCK_MONOTONIC) >= deadline
      rows += count(@query.call(@calls[calls % @calls.size]))
      calls += 1
    end
    [calls * @batch, rows]
  end

  private

  def count(rows) = rows.is_a?(Integer) ? rows : rows.size
end
