# frozen_string_literal: true

# For the examples of pipelines: a connection, and a table that statements fill.
module PipelinedTable
  def self.included(examples)
    examples.let(:connection) { connect(autocommit: true) }
    examples.before { connection.execute("CREATE TEMP TABLE pipelined (id int PRIMARY KEY)") }
  end

  def insert(id)
    connection.execute("INSERT INTO pipelined VALUES ($1)", [id])
  end

  def ids
    connection.execute("SELECT id FROM pipelined ORDER BY id").column(0)
  end

  # The error that the block raises.
  def error_of
    yield
    nil
  rescue StandardError => e
    e
  end
end
