# frozen_string_literal: true

require "json"

# What is to be executed, and how; the fields are those of the command setup, see Worker.
class Statement
  # A driver with a statement cache gives binary results from the third execution on.
  CHECKED = 3

  # The prepared statement's, for drivers that leave it to their user.
  attr_reader :name

  attr_reader :shape, :sql, :callers, :batch, :calls

  def initialize(*fields)
    @name, @shape, @call, batch, @callers, @beside, @sql, parameters = fields
    @batch = Integer(batch)
    @calls = slice(JSON.parse(parameters))
  end

  def prepared? = @call == "prepared"

  def pipeline? = batch > 1

  def beside_computing? = @beside == "computing"

  private

  # The parameters of each call: those of one execution or of a batch.
  def slice(parameters)
    executions = parameters.cycle.first([CHECKED, parameters.size].max)
    pipeline? ? executions.each_slice(batch).to_a : executions
  end
end
