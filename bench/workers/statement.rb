# frozen_string_literal: true

require "json"

# What is to be executed, and how; the fields are those of the command setup, see Worker.
class Statement
  # The prepared statement's, for drivers that leave it to their user.
  attr_reader :name

  attr_reader :action, :shape, :sql, :callers, :batch, :calls

  # SQL, or nil.
  attr_reader :source, :written, :reset

  def initialize(*fields)
    @name, @action, @shape, @call, batch, @callers, @beside, checked, *statements, @sql, parameters = fields
    @source, @written, @reset = statements.map { |sql| sql unless sql.empty? }
    @batch = Integer(batch)
    @calls = slice(JSON.parse(parameters), Integer(checked))
  end

  def prepared? = @call == "prepared"

  def beside_computing? = @beside == "computing"

  private

  # The parameters of each call: those of one execution or of a batch.
  def slice(parameters, checked)
    executions = parameters.cycle.first([checked, parameters.size].max)
    action == "pipeline" ? executions.each_slice(batch).to_a : executions
  end
end
